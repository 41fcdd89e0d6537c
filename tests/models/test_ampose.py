import numpy as np
import pytest
import torch
from golden import clip

from poselib.complexity import count, traced_macs
from poselib.errors import InputError
from poselib.geometry import mirror
from poselib.inference import lift_clips
from poselib.interop import from_official, to_official
from poselib.models import build
from poselib.models.ampose import BLOCKS
from poselib.skeleton import H36M_16, H36M_17
from poselib.strategies import PLAIN, STRATEGIES

SMALL = {"dim": 16, "depth": 2, "heads": 2}
# The reconstruction's own numbers count the parameters in this order, that of names in another program.
ENCODER = ("mlp.fc1", "mlp.fc2", "norm1", "norm2", "attention.proj", "position", "attention.qkv")
GRAPH = ("first.norm", "second.norm", "first.convolution.theta", "second.convolution.theta")


def counted():
    """Our names in the order of the golden filling."""
    pair = ("bias", "weight")
    names = [f"embedding.{kind}" for kind in pair]
    for level in range(2):
        for part in ENCODER:
            if part == "position":
                names.append(f"positions.{level}")
            else:
                names += [f"encoders.{level}.{part}.{kind}" for kind in pair]
    for level in range(2):
        names += [f"blocks.{level}.{part}.{kind}" for part in GRAPH[:2] for kind in pair]
        names += [f"blocks.{level}.{part}.{kind}" for part in GRAPH[2:] for kind in pair[::-1]]
    return names + [f"head.{part}.{kind}" for part in (1, 0) for kind in pair]


def golden(amplitude):
    model = build("ampose", **SMALL).double().eval()
    state = model.state_dict()
    names = counted()
    assert {*names} == {name for name in state if "running" not in name and "batches" not in name}
    for k, name in enumerate(names):
        shape = state[name].shape
        value = amplitude * torch.sin(torch.arange(shape.numel(), dtype=torch.float64) * (k + 1))
        if "theta.weight" in name:
            value = value.reshape(3, 16, 16).permute(2, 0, 1)
        state[name] = value.reshape(shape) + (".weight" in name and len(shape) == 1)
    model.load_state_dict(state)
    return model


@pytest.mark.parametrize(
    ("amplitude", "expected"),
    [
        (0.02, (-0.026859, 0.059957, -0.096257, -0.031974, 0.050753, -0.033305, -0.096258, 0.049142)),
        (0.2, (-0.313896, 0.580058, -0.975112, -0.466916, 0.329670, -0.442533, -0.967299, 0.468587)),
    ],
)
def test_golden_outputs(amplitude, expected):
    i = torch.arange(2 * 17 * 2, dtype=torch.float64)
    inputs = (0.5 * torch.sin(0.1 * i) + 0.3 * torch.cos(0.37 * i)).reshape(2, 1, 17, 2)
    with torch.inference_mode():
        output = golden(amplitude)(inputs)
    assert output.shape == (2, 1, 17, 3)
    flat = output.flatten()
    found = [
        flat.mean().item(),
        flat.std(unbiased=False).item(),
        *(flat[place].item() for place in (0, 1, 2, 34, 51, 101)),
    ]
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        ({}, 18_441_219),
        *(({"mlp_ratio": ratio}, n) for ratio, n in ((1, 15_817_219), (4, 23_689_219))),
        *(
            ({"block": "two_residual", "mlp_ratio": ratio}, n)
            for ratio, n in ((1, 15_817_219), (2, 18_441_219), (4, 23_689_219))
        ),
        *(
            ({"block": "transformer", "mlp_ratio": ratio}, n)
            for ratio, n in ((1, 17_133_059), (2, 19_757_059), (4, 25_005_059))
        ),
        *(
            ({"block": "convnext", "mlp_ratio": ratio}, n)
            for ratio, n in ((1, 22_375_939), (2, 24_999_939), (4, 30_247_939))
        ),
        ({"position": "once"}, 18_406_403),
        ({"position": "shared"}, 18_406_403),
        ({"output_projection": False}, 17_127_939),
        ({"joints": 16}, 18_441_219 - 5 * 512),
        ({"in_channels": 5}, 18_441_219 + 3 * 512),
        ({"block": "none"}, 18_441_219 - 5 * 1_575_936),
        ({"encoder": False}, 18_441_219 - 5 * 2_111_488),
    ],
)
def test_parameter_counts(config, parameters):
    with torch.device("meta"):
        model = build("ampose", **config)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


def test_parameters_by_part():
    with torch.device("meta"):
        model = build("ampose")
    size = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    assert size == {
        "embedding": 1_536,
        "positions": 5 * 8_704,
        "encoders": 5 * (2_111_488 - 8_704),
        "blocks": 5 * 1_575_936,
        "head": 2_563,
    }


@pytest.mark.parametrize(("config", "joints"), [({}, 17), ({"joints": 16, "block": "convnext"}, 16)])
def test_counted_equals_traced(config, joints):
    with torch.device("meta"):
        model = build("ampose", **config)
    inputs = torch.empty(2, 3, joints, 2)
    cost = count(model, inputs)
    assert cost.macs == traced_macs(model, inputs)
    assert cost.macs_per_frame == count(model, inputs[:1, :1]).macs


def test_cost_per_frame_without_the_mixing_of_joints():
    with torch.device("meta"):
        model = build("ampose")
    mixing = 5 * 2 * 3 * 17 * 17 * 512
    assert count(model, torch.empty(1, 1, 17, 2)).macs - mixing == 313_474_560


def test_attention_comes_on_request_and_changes_nothing():
    model, inputs = golden(0.2), clip(2, 5, 2)
    with torch.inference_mode():
        plain, (output, maps) = model(inputs), model(inputs, return_attention=True)
    assert torch.allclose(plain, output, atol=1e-12)
    assert list(maps) == ["spatial"] and maps["spatial"].shape == (2, 2, 5, 2, 17, 17)
    assert torch.allclose(maps["spatial"].sum(-1), torch.ones(()).double())
    with torch.inference_mode():
        one = model(inputs[1:, 3:4], return_attention=True)[1]["spatial"]
    assert torch.allclose(one[0, :, 0], maps["spatial"][1, :, 3], atol=1e-12)


def test_every_frame_of_every_clip_is_lifted_alone():
    model, inputs = golden(0.2), clip(3, 4, 2)
    with torch.inference_mode():
        together = model(inputs)
        alone = torch.stack([model(inputs[b : b + 1, t : t + 1])[0, 0] for b in range(3) for t in range(4)])
    assert torch.allclose(together.flatten(0, 1), alone, atol=1e-12)


def test_flip_averaging_commutes_with_mirroring():
    model, inputs = golden(0.2), clip(2, 3, 2)
    with torch.inference_mode():
        averaged, _ = lift_clips(model, PLAIN, inputs, H36M_17.flip)
        mirrored, _ = lift_clips(model, PLAIN, mirror(inputs, H36M_17.flip), H36M_17.flip)
    assert torch.allclose(mirror(averaged, H36M_17.flip), mirrored, atol=1e-12)


def test_a_joint_reaches_its_bones_by_the_graph_and_all_joints_by_attention():
    inputs, moved = clip(1, 1, 2).float(), clip(1, 1, 2).float()
    moved[0, 0, 3] += 1  # right ankle
    for config, reached in (
        ({"encoder": False, "depth": 1}, {1, 2, 3}),
        ({"block": "none", "depth": 1}, set(range(17))),
    ):
        torch.manual_seed(0)
        model = build("ampose", **{**SMALL, **config}).eval()
        with torch.inference_mode():
            change = (model(moved) - model(inputs)).abs().amax(dim=(0, 1, 3))
        assert set(torch.nonzero(change).flatten().tolist()) == reached


@pytest.mark.parametrize("name", [name for name in BLOCKS if name != "none"])
def test_graph_blocks_are_what_table_4_compares(name):
    model = build("ampose", **SMALL, block=name).double().eval()
    block, h = model.blocks[0], torch.randn(2, 17, 16).double()

    def unit(part, x):
        return (part.convolution(x) / (1 + 1e-5) ** 0.5).relu()

    if name in ("plain_residual", "two_residual"):
        y = unit(block.first, h) + (h if name == "two_residual" else 0)
        expected = y + unit(block.second, y)
    elif name == "transformer":
        y = h + block.convolution(block.norm1(h))
        expected = y + block.mlp(block.norm2(y))
    else:
        expected = h + block.mlp(block.norm(block.convolution(h)))
    assert torch.allclose(block(h), expected, atol=1e-12)


def test_batch_norm_sees_all_frames_and_joints_of_a_batch():
    unit = build("ampose", **SMALL).double().blocks[0].first
    tokens = torch.randn(6, 17, 16).double()
    mixed = unit.convolution(tokens)
    spread = (mixed.var(dim=(0, 1), unbiased=False) + 1e-5).sqrt()
    assert torch.allclose(unit(tokens), ((mixed - mixed.mean(dim=(0, 1))) / spread).relu())


def test_where_the_positions_enter():
    outputs = {}
    for position in ("per_encoder", "once", "shared"):
        torch.manual_seed(0)
        model = build("ampose", **SMALL, position=position).double().eval()
        source = golden(0.2).state_dict()
        model.load_state_dict({name: source[name] for name in model.state_dict()})
        reference = golden(0.2)
        second = {"per_encoder": reference.positions[1], "once": 0 * reference.positions[0]}
        reference.positions[1].data = second.get(position, reference.positions[0]).detach().clone()
        with torch.inference_mode():
            outputs[position] = model(clip(1, 1, 2))
            assert torch.allclose(outputs[position], reference(clip(1, 1, 2)), atol=1e-12)
    assert not torch.allclose(outputs["once"], outputs["shared"]) and len(outputs) == 3


def test_initial_positions_stochastic_depth_and_norms():
    torch.manual_seed(0)
    model = build("ampose", dim=64)
    tables = torch.stack(list(model.positions))
    assert tables.shape == (5, 17, 64) and tables.std().item() == pytest.approx(0.02, rel=0.03)
    assert [encoder.drop_path.rate for encoder in model.encoders] == pytest.approx([0, 0.025, 0.05, 0.075, 0.1])
    assert {part.eps for part in model.modules() if "Norm" in type(part).__name__} == {1e-5}


@pytest.mark.parametrize("adjacency", ["symmetric", "row_mean", "literal"])
def test_the_adjacency_rule_reaches_the_layers(adjacency):
    model = build("ampose", **SMALL, adjacency=adjacency)
    right_hip_reads_pelvis = model.blocks[1].second.convolution.rows.view(17, 3, 17)[1, 1, 0].item()
    assert right_hip_reads_pelvis == pytest.approx({"symmetric": 12**-0.5, "row_mean": 1, "literal": 0}[adjacency])


def test_16_joints_follow_their_own_tree():
    model = build("ampose", **SMALL, joints=16)
    rows = model.blocks[0].first.convolution.rows.view(16, 3, 16)
    assert np.flatnonzero(rows[9, 1]).tolist() == [8] and np.flatnonzero(rows[8, 2]).tolist() == [9, 10, 13]
    assert lift_clips(model.eval(), PLAIN, torch.randn(2, 1, 16, 2), H36M_16.flip)[0].shape == (2, 1, 16, 3)


def test_another_joint_order_comes_with_its_own_tree():
    model = build("ampose", **SMALL, skeleton="mpi_inf_3dhp_17")
    rows = model.blocks[0].first.convolution.rows.view(17, 3, 17)
    assert not rows[14, 1].any() and np.flatnonzero(rows[14, 2]).tolist() == [8, 11, 15]


@pytest.mark.parametrize("config", [*({"block": block} for block in BLOCKS), {"encoder": False}, {"in_channels": 5}])
def test_a_small_model_learns_a_handful_of_poses(config):
    torch.manual_seed(0)
    model = build("ampose", **{**SMALL, "dim": 32}, drop_path=0, **config)
    strategy = STRATEGIES["tmt" if "in_channels" in config else "plain"]
    poses_2d = torch.randn(6, 1, 17, 2)
    inputs = strategy.inference_input(poses_2d)
    target = 0.3 * torch.cat([poses_2d, poses_2d.prod(dim=-1, keepdim=True)], dim=-1)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    errors = []
    for _ in range(60):
        loss = (model(inputs) - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        errors.append(loss.item())
    assert errors[-1] < 0.05 * errors[0], errors[::10]


def test_without_encoders_there_is_nothing_to_attend():
    model = build("ampose", **SMALL, encoder=False).eval()
    assert model(torch.randn(1, 2, 17, 2), return_attention=True)[1] == {}
    assert not list(model.positions)


def test_there_are_no_published_weights():
    with pytest.raises(InputError, match="^no published weights are known for model 'ampose'; known: mixste, .*$"):
        from_official("ampose", {})
    with pytest.raises(InputError, match="no published weights are known for model 'ampose'"):
        to_official(build("ampose", **SMALL))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"dim": 30}, "width 30 cannot be split over 8 heads"),
        ({"block": "resnet"}, "block is 'resnet'; choose one of: plain_residual, two_residual"),
        ({"adjacency": "mean"}, "adjacency is 'mean'; choose one of: symmetric, row_mean, literal"),
        ({"position": "twice"}, "position is 'twice'; choose one of: per_encoder, once, shared"),
        ({"block": "none", "encoder": False}, "neither encoders nor graph blocks"),
        ({"joints": 15}, "skeleton 'h36m_17' has 17 joints, not 15; set skeleton"),
        ({"skeleton": "h36m_18"}, "unknown skeleton 'h36m_18'"),
        ({"kernel": 3}, "no setting 'kernel'"),
    ],
)
def test_wrong_settings_are_named(config, message):
    with pytest.raises(InputError, match=message):
        build("ampose", **config)
