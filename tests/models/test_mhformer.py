import pytest
import torch
from golden import clip, filled_model, numbers, truth
from torch import nn

from poselib.complexity import count, traced_macs
from poselib.errors import InputError
from poselib.geometry import mirror
from poselib.inference import lift_clips
from poselib.layers.lifter import Lifter
from poselib.layers.mlp import DropPath
from poselib.losses import position
from poselib.models import build
from poselib.skeleton import H36M_17
from poselib.strategies import PLAIN

SMALL = {"frames": 36, "dim": 64, "hidden": 96}


def small(**config):
    return filled_model("mhformer", **{**SMALL, **config})


def sequence(model, inputs):
    with torch.inference_mode():
        return model.supervised(inputs)["sequence"]


def on_meta(**config):
    with torch.device("meta"):
        return build("mhformer", **config)


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("config", "batch", "places", "expected"),
    [
        (
            SMALL,
            2,
            ((0, 0, 0, 0), (0, 0, 0, 2), (0, 18, 8, 1), (0, 35, 16, 2), (1, 0, 3, 0), (1, 18, 16, 1)),
            (0.005386, 0.909702, -1.255888, 0.134261, -0.914434, 1.045043, 0.159943, -1.400982),
        ),
        (
            {**SMALL, "frames": 9},  # short clips: BatchNorm in the embedding
            2,
            ((0, 0, 0, 0), (0, 0, 0, 2), (0, 4, 8, 1), (0, 8, 16, 2), (1, 0, 3, 0), (1, 4, 16, 1)),
            (0.004486, 0.918136, 2.692154, 0.718106, -0.163079, -0.224132, -0.607773, 2.304315),
        ),
        (
            {"frames": 27},
            1,
            ((0, 0, 0, 0), (0, 0, 0, 2), (0, 13, 8, 1), (0, 26, 16, 2)),
            (0.074357, 1.079142, 2.966217, 1.785686, 1.438697, 1.397808),
        ),
        (
            {"frames": 81},
            1,
            ((0, 0, 0, 0), (0, 0, 0, 2), (0, 40, 8, 1), (0, 80, 16, 2)),
            (0.028160, 0.929578, -1.632625, 0.115036, -2.199608, 2.422472),
        ),
    ],
)
def test_golden_outputs(config, batch, places, expected):
    frames = config["frames"]
    output = sequence(filled_model("mhformer", **config), clip(batch, frames, 2))
    assert output.shape == (batch, frames, 17, 3)
    assert numbers(output, *places) == pytest.approx(expected, abs=1e-5)


def test_golden_flip_average():
    model, inputs = small(), clip(2, 36, 2)

    class Sequence(Lifter):
        def forward(self, clips):
            return sequence(model, clips)

    output, _ = lift_clips(Sequence(), PLAIN, inputs, H36M_17.flip)
    places = ((0, 0, 0, 0), (0, 18, 3, 0), (0, 18, 6, 0), (1, 18, 13, 1), (1, 18, 16, 1))
    expected = (0.001797, 0.666624, -1.118695, -0.111162, -0.406890, -0.388880, -1.100146)
    assert numbers(output, *places) == pytest.approx(expected, abs=1e-5)
    with torch.inference_mode():
        middle, _ = lift_clips(model, PLAIN, inputs, H36M_17.flip)
    assert torch.allclose(middle, output[:, 18:19], atol=1e-12)


def test_golden_initialisation():
    torch.manual_seed(0)
    output = sequence(build("mhformer", **SMALL).eval(), clip(2, 36, 2).float())
    found = numbers(output, (0, 0, 0, 0), (1, 0, 16, 2))
    assert found == pytest.approx((-0.015931, 0.584055, 1.233383, 0.207424), abs=1e-5)


@pytest.mark.parametrize("frames", [9, 36])
def test_one_pose_comes_out_all_frames_are_trained(frames):
    model, inputs = small(frames=frames), clip(2, frames, 2)
    with torch.inference_mode():
        outputs, poses = model.supervised(inputs), model(inputs)
    assert model.many_to_one and outputs.keys() == {"sequence"}
    assert torch.equal(poses, outputs["sequence"][:, frames // 2 : frames // 2 + 1])


@pytest.mark.parametrize(
    ("frames", "expected", "extra"),
    [
        (9, 19_090_233, 79_713),
        (27, 19_184_517, 82_467),
        (81, 19_837_545, 90_729),
        (243, 25_165_077, 115_515),
        (351, 31_516_125, 132_039),
    ],
)
def test_published_parameter_counts(frames, expected, extra):
    assert parameters(on_meta(frames=frames)) == expected
    assert parameters(on_meta(frames=frames, in_channels=5)) == expected + extra


def test_parameters_of_the_parts():
    model = on_meta()
    assert [parameters(part) for part in model.generators] == 3 * [3_970_512]
    assert [parameters(part) for part in model.embeddings] == 3 * [17_920]
    assert [parameters(part) for part in model.generation_norms] == 3 * [702]
    assert parameters(model.regression) == 81_459
    hypotheses = (model.positions, model.refinements, model.interaction, model.norm)
    assert sum(map(parameters, hypotheses)) == 19_467_264
    assert parameters(on_meta(**SMALL)) == 421_803
    assert parameters(on_meta(**{**SMALL, "frames": 9})) == 293_721


@pytest.mark.parametrize(
    ("frames", "macs", "attention"),
    [
        (9, 172_304_928, 996_192),
        (27, 522_980_064, 7_467_552),
        (81, 1_623_527_712, 62_713_440),
        (243, 5_361_870_816, 550_937_376),
        (351, 8_218_016_352, 1_145_158_560),
    ],
)
def test_counted_equals_traced_equals_published(frames, macs, attention):
    model, inputs = on_meta(frames=frames), torch.empty(1, frames, 17, 2)
    cost = count(model, inputs)
    assert cost.macs == traced_macs(model, inputs) == cost.macs_per_frame == macs
    assert cost.attention_macs == attention


def test_count_with_the_channels_of_tmt():
    model, inputs = on_meta(frames=9, in_channels=5), torch.empty(1, 9, 17, 5)
    assert count(model, inputs).macs == traced_macs(model, inputs)


def test_dropout_and_stochastic_depth_are_those_of_the_released_code():
    model = on_meta(frames=81)
    rates = [[m.rate for m in stack.modules() if isinstance(m, DropPath)] for stack in model.generators]
    assert rates == [pytest.approx([0, 0.2 / 3, 0.4 / 3, 0.2])] * 3
    pairs = [[m.rate for m in stack.modules() if isinstance(m, DropPath)] for stack in model.refinements]
    assert pairs == [[0, 0], pytest.approx([0.1, 0.1])]
    assert [m.rate for m in model.interaction.modules() if isinstance(m, DropPath)] == [0.2, 0.2]
    assert {m.p for m in model.modules() if isinstance(m, nn.Dropout)} == {0.1}
    assert {m.p for m in on_meta(frames=27).modules() if isinstance(m, nn.Dropout)} == {0.1, 0.25}


def test_interaction_reads_the_others_and_sees_earlier_updates():
    """The two others ask and are compared, in order; only streams that are updated later are still the old ones."""
    layer = small().interaction
    layer.mixing = nn.Identity()
    streams = [torch.randn(1, 5, 64).double() for _ in range(3)]
    with torch.inference_mode():
        first, second, third = layer(streams, None)

        def update(own, query, key):
            norms = layer.norms[own]
            sources = [norm(x) for norm, x in zip(norms, (query, key, streams[own]), strict=True)]
            return streams[own] + layer.attentions[own](*sources)

        assert torch.allclose(first, update(0, streams[1], streams[2]), atol=1e-12)
        assert torch.allclose(second, update(1, first, streams[2]), atol=1e-12)
        assert torch.allclose(third, update(2, first, second), atol=1e-12)


def test_attention_comes_on_request_and_changes_nothing():
    model, inputs = small(), clip(2, 36, 2)
    with torch.inference_mode():
        plain, (output, maps) = model(inputs), model(inputs, return_attention=True)
    assert torch.allclose(plain, output, atol=1e-12)
    assert maps["spatial"].shape == (2, 4, 3, 9, 34, 34)
    assert maps["temporal"].shape == (2, 3, 3, 8, 36, 36)
    for values in maps.values():
        assert torch.allclose(values.sum(-1), torch.ones(()).double())


def test_maps_lie_under_their_hypothesis_and_layer():
    model, inputs = small(), clip(2, 36, 2)
    layers = {
        "spatial": [[generator.blocks[i].attention for generator in model.generators] for i in range(4)],
        "temporal": [list(block.attentions) for block in (*model.refinements, model.interaction)],
    }
    seen = {}

    def watch(attention):
        original = attention.with_map

        def with_map(*tokens):
            mixed, weights = original(*tokens)
            seen[id(attention)] = weights
            return mixed, weights

        attention.with_map = with_map

    for attention in (a for rows in layers.values() for row in rows for a in row):
        watch(attention)
    with torch.inference_mode():
        _, maps = model(inputs, return_attention=True)
    for kind, rows in layers.items():
        for layer, row in enumerate(rows):
            for hypothesis, attention in enumerate(row):
                assert torch.equal(maps[kind][:, layer, hypothesis], seen[id(attention)])


def test_clips_of_a_batch_do_not_see_each_other():
    model, inputs = small(frames=9), clip(3, 9, 2)
    order = torch.tensor([2, 0, 1])
    with torch.inference_mode():
        assert torch.allclose(model(inputs)[order], model(inputs[order]), atol=1e-12)


def test_flip_averaging_commutes_with_mirroring():
    model, inputs = small(), clip(2, 36, 2)
    with torch.inference_mode():
        averaged, _ = lift_clips(model, PLAIN, inputs, H36M_17.flip)
        mirrored, _ = lift_clips(model, PLAIN, mirror(inputs, H36M_17.flip), H36M_17.flip)
    assert torch.allclose(mirror(averaged, H36M_17.flip), mirrored, atol=1e-12)


def test_small_model_fits_a_handful_of_clips():
    torch.manual_seed(0)
    model = build("mhformer", **SMALL, dropout=0.0, drop_path=0.0)
    inputs, target = torch.randn(4, 36, 17, 2), truth(4, 36).float()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    history = []
    for _ in range(60):
        loss = position(model.supervised(inputs)["sequence"], target, None)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    assert history[-1] < 0.2 * history[0], history


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"frames": 40}, "frames 40 cannot be split over 9 heads; change it or generation_heads"),
        ({"dim": 60}, "dim 60 cannot be split over 8 heads; change it or heads"),
        ({"depth": 0}, "depth is 0"),
    ],
)
def test_impossible_settings_are_refused(config, message):
    with pytest.raises(InputError, match=message):
        build("mhformer", **config)


def test_profiles_may_choose_other_heads():
    model = build("mhformer", frames=10, dim=12, hidden=8, depth=1, heads=3, generation_heads=5, in_channels=5)
    assert model(torch.randn(2, 10, 17, 5)).shape == (2, 1, 17, 3)
