import pytest
import torch
from torch import nn

from poselib import checkpoints, losses
from poselib.complexity import count, traced_macs
from poselib.errors import InputError
from poselib.geometry import mirror
from poselib.inference import lift_clips
from poselib.interop.gla_gcn import FORMAT
from poselib.layers.adaptive_graph import AdaptiveGraphBlock, tree_edges
from poselib.models import build
from poselib.skeleton import H36M_17
from poselib.strategies import PLAIN

REFINEMENT = 140_322  # parameters of the refinement network that the starred counts of Table 5 include
SMALL = {"frames": 9, "dim": 8}
STARRED = {"sequence_blocks": 3, "head": "both"}


def sines(state, amplitude):
    """The sheet's filling of parameters under the authors' names; buffers as they are."""
    filled = {}
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    names = sorted(name for name in state if not name.endswith(buffers))
    for k, name in enumerate(names):
        values = amplitude * torch.sin(torch.arange(state[name].numel(), dtype=torch.float64) * (k + 1))
        is_norm = name.endswith(("bn.weight", "down.1.weight"))
        filled[name] = values.reshape(state[name].shape) + is_norm
    return {**state, **filled}


def clip(batch, frames):
    i = torch.arange(batch * frames * 17 * 2, dtype=torch.float64)
    return (0.5 * torch.sin(0.1 * i) + 0.3 * torch.cos(0.37 * i)).reshape(batch, frames, 17, 2)


def golden(amplitude, **config):
    model = build("gla_gcn", **config).double().eval()
    official = sines(FORMAT.to_theirs(model.state_dict()), amplitude)
    model.load_state_dict(FORMAT.to_ours(official, model.state_dict()))
    return model


@torch.inference_mode()
def tensors(model, inputs):
    """The sheet's named tensors of one pass; layers have the official layout (B, C, T, J)."""
    found = {}
    layers = {"gcn1": model.expand.graph, "expand": model.expand}
    layers |= {f"l{i}": layer for i, layer in enumerate(model.strided_blocks[:2])}
    hooks = [
        layer.register_forward_hook(lambda _, __, output, name=name: found.update({name: output}))
        for name, layer in layers.items()
    ]
    found["out"] = model(inputs)
    for hook in hooks:
        hook.remove()
    return found


def check(output, mean, std, places):
    assert output.mean().item() == pytest.approx(mean, abs=1e-5)
    assert output.std(unbiased=False).item() == pytest.approx(std, abs=1e-5)
    assert {j: output.flatten()[j].item() for j in places} == pytest.approx(places, abs=1e-5)


# Amplitude, configuration, batch, then per tensor: shape, mean, standard deviation, values at flat positions.
GOLDEN = {
    "small": (
        (0.02, SMALL, 2),
        {
            "gcn1": (
                (2, 8, 9, 17),
                0.006384,
                0.008781,
                {1: 0.004516, 2: 0.004193, 816: 0.006662, 2447: 0.010742},
            ),
            "expand": ((2, 8, 9, 17), 0.012923, 0.023811, {0: 0, 816: 0.013029, 1224: 0.000906, 2447: 0}),
            "l0": ((2, 8, 9, 17), 0.019747, 0.033899, {816: 0.001161}),
            "l1": ((2, 8, 3, 17), 0.006661, 0.012340, {}),
            "out": (
                (2, 1, 17, 3),
                -0.006370,
                0.010836,
                {0: -0.000157, 1: -0.021483, 2: 0.002693, 34: -0.021576, 51: -0.000397, 101: 0.003029},
            ),
        },
    ),
    # Only here do the softmax axis, the common graph of a clip and its scale show.
    "small, large weights": (
        (0.2, SMALL, 2),
        {
            "gcn1": ((2, 8, 9, 17), 0.082705, 0.123037, {1: 0.112327, 2: 0.018977}),
            "expand": ((2, 8, 9, 17), 0.141866, 0.225276, {816: 0.011365, 1224: 0.020132, 2447: 0.038823}),
            "l0": ((2, 8, 9, 17), 0.241617, 0.338535, {}),
            "l1": ((2, 8, 3, 17), 0.213141, 0.303553, {272: 0.595110}),
            "out": (
                (2, 1, 17, 3),
                -0.515665,
                0.200281,
                {0: -0.289317, 1: -0.847516, 2: -0.661003, 34: -0.753571, 51: -0.458918, 101: -0.422604},
            ),
        },
    ),
    "27 frames": (
        (0.02, {"frames": 27}, 1),
        {
            "gcn1": (
                (1, 96, 27, 17),
                0.012891,
                0.019180,
                {1: 0.004516, 2: 0.004193, 14688: 0.009831, 22032: 0.015937, 44063: 0.018743},
            ),
            "expand": (
                (1, 96, 27, 17),
                0.012616,
                0.019480,
                {0: 0.012220, 1: 0.014427, 2: 0.017778, 44063: 0.008454},
            ),
            "l1": ((1, 96, 9, 17), 0.008287, 0.013115, {0: 0.006510, 1: 0.007188, 2: 0.007772, 14687: 0.027658}),
            "out": (
                (1, 1, 17, 3),
                -0.005229,
                0.015424,
                {0: -0.002094, 1: -0.025398, 2: 0.011803, 17: 0.011561, 25: -0.025658, 50: 0.012744},
            ),
        },
    ),
    "243 frames": (
        (0.02, {}, 1),
        {
            "expand": ((1, 96, 243, 17), 0.012651, 0.019502, {0: 0.012220, 396575: 0.005847}),
            "l1": ((1, 96, 81, 17), 0.008356, 0.013169, {132191: 0.027779}),
            "out": (
                (1, 1, 17, 3),
                -0.005263,
                0.015952,
                {0: -0.003258, 1: -0.026292, 2: 0.013712, 17: 0.013219, 25: -0.026185, 50: 0.012493},
            ),
        },
    ),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_golden_tensors(case):
    (amplitude, config, batch), expected = GOLDEN[case]
    model = golden(amplitude, **config)
    found = tensors(model, clip(batch, model.config.frames))
    for name, (shape, mean, std, places) in expected.items():
        assert found[name].shape == shape, name
        check(found[name], mean, std, places)


def test_golden_filling_has_the_sheets_order():
    model = build("gla_gcn", **SMALL)
    names = sorted(n for n in FORMAT.to_theirs(dict(model.named_parameters())))
    assert len(names) == 137 and sum(p.numel() for p in model.parameters()) == 8994
    anchors = {
        0: "data_bn.bias",
        1: "data_bn.weight",
        2: "expand_gcn.gcn1.PA",
        3: "expand_gcn.gcn1.bn.bias",
        5: "expand_gcn.gcn1.conv_a.0.bias",
        17: "expand_gcn.gcn1.conv_d.0.bias",
        23: "expand_gcn.gcn1.down.0.bias",
        27: "expand_gcn.residual.bn.bias",
        34: "expand_gcn.tcn1.conv.weight",
        35: "fc.bias",
        36: "fc.weight",
        37: "layers_tcngcn.0.gcn1.PA",
        62: "layers_tcngcn.1.gcn1.PA",
        136: "layers_tcngcn.3.tcn1.conv.weight",
    }
    assert {k: names[k] for k in anchors} == anchors


@pytest.mark.parametrize(
    ("amplitude", "mean", "std", "places"),
    [
        (0.02, 0.016130, 0.014941, {2: 0.000266, 306: 0.001269, 459: 0.011628, 917: 0.000739}),
        (0.2, 0.171183, 0.163878, {1: 0.031846, 2: 0.037586, 306: 0.059175, 459: 0.116663}),
    ],
)
def test_golden_block_that_lifts_the_whole_clip(amplitude, mean, std, places):
    block = AdaptiveGraphBlock(tree_edges(H36M_17.parents), 8, 3).double().eval()
    assert sum(parameter.numel() for parameter in block.parameters()) == 1272
    ours = {f"expand.{name}": value for name, value in block.state_dict().items()}
    marker = {"head.shared.weight": torch.zeros(0)}
    names = FORMAT.to_theirs(ours | marker)
    names.pop("fc.weight")
    back = FORMAT.to_ours(sines(names, amplitude), ours)
    block.load_state_dict({name.removeprefix("expand."): value for name, value in back.items()})
    with torch.inference_mode():
        output = block(clip(4, 18).reshape(2, 8, 9, 17))
    assert output.shape == (2, 3, 9, 17)
    check(output, mean, std, places)
    block.final_relu = False
    with torch.inference_mode():
        signed = block(clip(4, 18).reshape(2, 8, 9, 17))
    assert (output >= 0).all() and (signed < 0).any() and torch.equal(output, signed.relu())


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        ({"frames": 27}, 844_076),
        ({"frames": 81}, 1_096_466),
        ({}, 1_348_856),
        ({**STARRED}, 1_876_886 - REFINEMENT),
        ({**STARRED, "head": "unshared"}, 1_876_595 - REFINEMENT),
        ({**STARRED, "dim": 512}, 48_641_526 - REFINEMENT),
        ({**STARRED, "dim": 512, "head": "unshared"}, 48_639_987 - REFINEMENT),
        ({"frames": 27, "head": "unshared"}, 848_732),
        ({"frames": 27, "head": "both"}, 849_023),
        ({"frames": 27, "sequence_blocks": 3}, 1_226_837),
        ({"frames": 81, "sequence_blocks": 3}, 1_479_227),
        ({"sequence_blocks": 3}, 1_731_617),
        ({"frames": 27, **STARRED}, 1_231_784),
        ({"frames": 81, **STARRED}, 1_484_174),
        ({"frames": 27, "dim": 512}, 23_644_412),
        ({"frames": 81, "dim": 512}, 30_733_762),
        ({"dim": 512}, 37_823_112),
        ({"frames": 27, "dim": 512, "sequence_blocks": 3}, 34_296_341),
        ({"frames": 81, "dim": 512, "sequence_blocks": 3}, 41_385_691),
        ({"dim": 512, "sequence_blocks": 3}, 48_475_041),
        ({"frames": 27, "dim": 512, **STARRED}, 34_322_504),
        ({"frames": 81, "dim": 512, **STARRED}, 41_411_854),
        ({"frames": 27, "dim": 256}, 5_927_036),
        ({"frames": 81, "dim": 256}, 7_703_106),
        ({"dim": 256}, 9_479_176),
        ({"frames": 27, "dim": 256, **STARRED}, 8_613_704),
        ({"frames": 81, "dim": 256, **STARRED}, 10_389_774),
        ({"dim": 256, **STARRED}, 12_165_844),
        # Table 6 beside its last row, 844 076: strides and the order of the joints cost nothing.
        ({"frames": 27, "strided": False}, 844_076),
        ({"frames": 27, "swap_sides": True}, 844_076),
        ({"frames": 27, "head": "full"}, 844_076 - 291 + 17 * 96 * 51 + 51),
    ],
)
def test_published_parameter_counts(config, parameters):
    with torch.device("meta"):
        model = build("gla_gcn", **config)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


@pytest.mark.parametrize(
    ("channels", "width", "parameters"), [(2, 96, 86_547), (96, 96, 126_195), (96, 3, 4_176), (512, 512, 3_544_675)]
)
def test_published_block_counts(channels, width, parameters):
    with torch.device("meta"):
        block = AdaptiveGraphBlock(tree_edges(H36M_17.parents), channels, width)
    assert sum(parameter.numel() for parameter in block.parameters()) == parameters


@pytest.mark.parametrize(
    ("config", "macs"),
    [
        ({"frames": 27}, 175_687_146),
        ({}, 1_623_123_450),
        ({"dim": 512, **STARRED}, 88_438_174_962),
        ({"frames": 27, "adaptive": False}, None),
        ({"frames": 27, "strided": False}, None),
        ({"frames": 27, "head": "full", "in_channels": 5}, None),
        ({"frames": 27, "joints": 15}, None),
    ],
)
def test_counted_equals_traced(config, macs):
    with torch.device("meta"):
        model = build("gla_gcn", **config)
    inputs = torch.empty(2, model.config.frames, model.config.joints, model.config.in_channels)
    assert count(model, inputs).macs == traced_macs(model, inputs)
    if macs is not None:
        assert count(model, inputs[:1]).macs == macs


def test_variants_have_the_shapes_of_their_role():
    for config in ({"adaptive": False}, {"strided": False}, {"head": "full"}, {"head": "unshared"}, STARRED):
        model = build("gla_gcn", **SMALL, **config).eval()
        with torch.inference_mode():
            assert model(clip(2, 9).float()).shape == (2, 1, 17, 3)
            assert model.features(clip(2, 9).float()).shape == (2, 17, 8)
    model = build("gla_gcn", frames=15, widths=(5, 3), joints=15, in_channels=5, dim=8)
    assert model.config.skeleton == "humaneva_15"
    assert model(torch.randn(2, 15, 15, 5)).shape == (2, 1, 15, 3)


def test_supervision_of_the_whole_clip():
    model, inputs = golden_starred(), clip(2, 9)
    with torch.inference_mode():
        outputs = model.supervised(inputs)
        assert list(outputs) == ["sequence", "poses"]
        assert outputs["sequence"].shape == (2, 9, 17, 3)
        assert torch.equal(outputs["poses"], model(inputs))
        assert (outputs["sequence"] < 0).any()
        model.sequence_head.final_relu = True
        assert torch.equal(model.supervised(inputs)["sequence"], outputs["sequence"].relu())
        assert list(build("gla_gcn", **SMALL).supervised(inputs.float())) == ["poses"]
    assert build("gla_gcn", **SMALL, **STARRED, sequence_relu=True).sequence_head.final_relu


def golden_starred(**config):
    torch.manual_seed(1)
    model = build("gla_gcn", **SMALL, **STARRED, **config).double().eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model


def test_mixing_of_shared_and_unshared_layers():
    model = golden_starred()
    head, features = model.head, model.features(clip(2, 9)).detach()
    own = torch.stack(
        [
            features[:, j] @ head.unshared.weight[3 * j : 3 * j + 3, :, 0].T + head.unshared.bias[3 * j : 3 * j + 3]
            for j in range(17)
        ],
        dim=1,
    )
    common = features @ head.shared.weight[:, :, 0].T + head.shared.bias
    for mixing in (0, 0.25, 1):
        head.mixing = mixing
        assert torch.allclose(head(features)[:, 0], mixing * own + (1 - mixing) * common, atol=1e-12)
    assert build("gla_gcn", **SMALL, head="unshared").head.mixing == 1
    assert build("gla_gcn", **SMALL, head="both", mixing=0.3).head.mixing == 0.3


def test_individual_layers_read_one_joint_and_the_full_layer_reads_all():
    features = torch.randn(1, 17, 8)
    changed = features.clone()
    changed[:, 3] += 1
    for kind, moved in (("shared", [3]), ("unshared", [3]), ("both", [3]), ("full", list(range(17)))):
        head = build("gla_gcn", **SMALL, head=kind).head
        difference = (head(features) - head(changed)).abs().amax(dim=(0, 1, 3))
        assert (difference > 1e-6).nonzero().flatten().tolist() == moved, kind


def test_graphs_come_on_request_and_change_nothing():
    model, inputs = golden(0.2, **SMALL), clip(2, 9)
    with torch.inference_mode():
        plain, (poses, maps) = model(inputs), model(inputs, return_attention=True)
    assert torch.equal(plain, poses)
    assert maps["graph"].shape == maps["tree"].shape == (2, 5, 3, 17, 17)
    assert torch.allclose(maps["graph"].sum(-1), torch.ones(()).double())
    assert not torch.allclose(maps["graph"][0], maps["graph"][1], atol=1e-4)
    learned = model.strided_blocks[3].graph.learned
    assert torch.allclose(maps["tree"][1, 4], (tree_edges(H36M_17.parents) + learned).mT.double())
    with torch.inference_mode():
        _, maps = build("gla_gcn", **SMALL, adaptive=False)(inputs.float(), return_attention=True)
    assert list(maps) == ["tree"]
    assert torch.equal(maps["tree"][0, 2], tree_edges(H36M_17.parents).mT)
    with torch.inference_mode():
        _, maps = golden_starred()(inputs, return_attention=True)
    assert maps["graph"].shape == (2, 8, 3, 17, 17)


def test_clips_of_a_batch_do_not_see_each_other():
    model, inputs = golden(0.2, **SMALL), clip(3, 9)
    order = torch.tensor([2, 0, 1])
    with torch.inference_mode():
        assert torch.allclose(model(inputs)[order], model(inputs[order]), atol=1e-12)


def test_flip_averaging_commutes_with_mirroring():
    model, inputs = golden(0.2, **SMALL), clip(2, 9)
    with torch.inference_mode():
        averaged, _ = lift_clips(model, PLAIN, inputs, H36M_17.flip)
        mirrored, _ = lift_clips(model, PLAIN, mirror(inputs, H36M_17.flip), H36M_17.flip)
    assert torch.allclose(mirror(averaged, H36M_17.flip), mirrored, atol=1e-12)


@pytest.mark.parametrize(("frames", "widths"), [(9, (3, 3)), (45, (3, 5, 3)), (7, (7,))])
def test_shortcuts_lead_to_the_middle_frame(frames, widths):
    model = golden(0.2, frames=frames, widths=widths, dim=8)
    for block in model.strided_blocks:
        nn.init.zeros_(block.temporal_norm.weight)
        nn.init.zeros_(block.temporal_norm.bias)
    inputs = clip(2, frames)
    with torch.inference_mode():
        expected = model._clip(inputs)[:, :, frames // 2].mT
        assert torch.allclose(model.features(inputs), expected, atol=1e-12)
    with torch.inference_mode():
        model = build("gla_gcn", frames=frames, widths=widths, dim=8, strided=False).double().eval()
        lengths = []
        for block in model.strided_blocks:
            block.register_forward_hook(lambda _, __, output: lengths.append(output.shape[2]))
        model(inputs)
    assert set(lengths) == {frames}


def test_swapping_sides_exchanges_input_joints_only():
    torch.manual_seed(0)
    swapped = build("gla_gcn", **SMALL, swap_sides=True).double().eval()
    straight = build("gla_gcn", **SMALL).double().eval()
    straight.load_state_dict(swapped.state_dict())
    inputs = clip(2, 9)
    with torch.inference_mode():
        assert torch.equal(swapped(inputs), straight(inputs[:, :, list(H36M_17.flip)]))
        assert not torch.allclose(swapped(inputs), straight(inputs))


def test_initial_values_of_the_released_code():
    torch.manual_seed(0)
    model = build("gla_gcn", frames=9)
    unit = model.strided_blocks[0].graph
    assert unit.norm.weight.tolist() == pytest.approx([1e-6] * 96)
    assert (unit.learned == 1e-6).all()
    assert not any(
        layer.bias.any() for layer in model.modules() if isinstance(layer, nn.Conv2d) and layer.bias is not None
    )
    stds = {
        unit.embedding: (2 / 24) ** 0.5,
        unit.convolution: (2 / (96 * 96 * 3)) ** 0.5,
        model.strided_blocks[0].temporal: (2 / (96 * 9)) ** 0.5,
        model.expand.shortcut[0]: (2 / 96) ** 0.5,
    }
    for layer, std in stds.items():
        assert layer.weight.std().item() == pytest.approx(std, rel=0.1)
    assert (build("gla_gcn", frames=9, adaptive=False).expand.graph.learned == 1).all()


def test_momentum_of_batch_norms_decays():
    model = build("gla_gcn", **SMALL)
    for done, momentum in ((0, 0.1), (1, 0.0944), (40, 0.01), (80, 0.001)):
        model.begin_epoch(done, 80)
        moved = [
            model.input_norm,
            model.expand.graph.norm,
            model.expand.temporal_norm,
            model.strided_blocks[3].temporal_norm,
        ]
        assert [norm.momentum for norm in moved] == pytest.approx([momentum] * 4, abs=5e-5)
        kept = [model.expand.shortcut[1], model.expand.graph.shortcut[1]]
        assert [norm.momentum for norm in kept] == [0.1, 0.1]


def test_batch_norms_may_forget_faster():
    model = build("gla_gcn", **SMALL, last_momentum=0.025)
    model.begin_epoch(1, 2)
    assert model.input_norm.momentum == pytest.approx(0.05)


def test_a_clip_of_another_length_is_refused():
    with pytest.raises(RuntimeError, match="shape"):
        build("gla_gcn", frames=27, dim=8)(torch.randn(3, 9, 17, 2))


@pytest.mark.parametrize(("config", "times"), [({}, 4), (STARRED, 7)])
def test_dropout_follows_every_block_but_the_first(config, times):
    model = build("gla_gcn", **SMALL, dropout=0.3, **config)
    calls = []
    model.dropout.register_forward_hook(lambda *_: calls.append(1))
    model(torch.randn(2, 9, 17, 2))
    assert len(calls) == times
    assert {layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)} == {0.3}


def test_every_parameter_gets_a_gradient_under_dropout():
    torch.manual_seed(0)
    model = build("gla_gcn", **SMALL, **STARRED)
    outputs = model.supervised(torch.randn(4, 9, 17, 2))
    sum(output.square().mean() for output in outputs.values()).backward()
    missing = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert not missing


@pytest.mark.parametrize("config", [{}, STARRED, {"adaptive": False, "strided": False, "head": "full"}])
def test_a_few_clips_are_learned(config):
    torch.manual_seed(0)
    model = build("gla_gcn", frames=9, dim=32, dropout=0, **config)
    inputs, target = torch.randn(8, 9, 17, 2), 0.3 * torch.randn(8, 9, 17, 3)
    truth = {"poses": target[:, 4:5], "sequence": target}
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    history = []
    for _ in range(60):
        loss = sum(
            losses.position(output, truth[name], torch.ones(17)) for name, output in model.supervised(inputs).items()
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    assert history[-1] < 0.35 * history[0], (history[0], history[-1])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"frames": 10}, "odd"),
        ({"frames": -9}, "odd"),
        ({"frames": 27, "widths": (3, 3)}, "product"),
        ({"frames": 9, "widths": (-3, -3)}, "product"),
        ({"sequence_blocks": -1}, "sequence_blocks is -1"),
        ({"joints": 15, "skeleton": "h36m_17"}, "no skeleton 'h36m_17' with 15 joints"),
        ({"joints": 14}, "no skeleton '' with 14 joints"),
        ({"skeleton": "spider"}, "spider"),
        ({"head": "individual"}, "shared, unshared, both, full"),
        ({"mixing": 1.5}, "mixing 1.5"),
        ({"dropout": 1.0}, "dropout 1.0"),
        ({"last_momentum": 0.0}, "last_momentum 0.0"),
    ],
)
def test_impossible_settings_are_named(config, message):
    with pytest.raises(InputError, match=message):
        build("gla_gcn", **config)


def test_a_stored_model_comes_back_equal(tmp_path):
    torch.manual_seed(0)
    model = build("gla_gcn", frames=45, dim=8, skeleton="mpi_inf_3dhp_17", **STARRED)
    assert model.config.widths == (3, 3, 5)
    model(torch.randn(2, 45, 17, 2))
    checkpoints.save(tmp_path / "model.safetensors", model, {})
    back, _ = checkpoints.load(tmp_path / "model.safetensors")
    assert back.config == model.config
    inputs = torch.randn(2, 45, 17, 2)
    with torch.inference_mode():
        assert torch.equal(back(inputs), model.eval()(inputs))
    assert build("gla_gcn", **SMALL).config.skeleton == "h36m_17"
