import pytest
import torch
from golden import clip, filled_model, numbers, truth
from torch import nn

from poselib.complexity import count, traced_macs
from poselib.errors import InputError
from poselib.inference import lift_clips
from poselib.layers.mlp import DropPath
from poselib.losses import position
from poselib.models import build
from poselib.skeleton import H36M_17
from poselib.strategies import PLAIN

SMALL = {"frames": 9, "dim": 16, "depth": 2}


def small(channels=2):
    return filled_model("poseformer", **SMALL, in_channels=channels)


def parameters(**config):
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in build("poseformer", **config).parameters())


PLACES = ((0, 0, 0, 0), (0, 0, 0, 2), (0, 0, 8, 1), (0, 0, 16, 2), (1, 0, 3, 0), (1, 0, 16, 1))


@pytest.mark.parametrize(
    ("channels", "silent", "expected"),
    [
        (2, False, (0.144522, 0.969561, -0.284587, -1.949359, -0.013503, 0.121198, -0.322392, -0.950913)),
        (5, False, (-0.008996, 0.943036, -0.105606, -0.898093, 0.305750, 0.154648, 0.693548, -1.003231)),
        (5, True, (0.073094, 0.935997, -0.952906, -1.554072, 0.182200, 0.562735, 0.342921, -1.139276)),
    ],
)
def test_golden_outputs(channels, silent, expected):
    inputs = clip(2, 9, channels)
    if silent:
        inputs[..., 2:] = 0
    with torch.inference_mode():
        output = small(channels)(inputs)
    assert output.shape == (2, 1, 17, 3)
    assert numbers(output, *PLACES) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (9, (-0.046492, 0.794222, -0.649397, -0.331248, 0.299991, 0.006332)),
        (27, (-0.027310, 1.174666, -0.441858, -0.674416, 0.827471, -0.348290)),
    ],
)
def test_golden_output_at_published_width_and_depth(frames, expected):
    with torch.inference_mode():
        output = filled_model("poseformer", frames=frames)(clip(1, frames, 2))
    assert numbers(output, *PLACES[:4]) == pytest.approx(expected, abs=1e-5)


def test_golden_flip_average():
    with torch.inference_mode():
        output, _ = lift_clips(small(), PLAIN, clip(2, 9, 2), H36M_17.flip)
    places = ((0, 0, 0, 0), (0, 0, 3, 0), (0, 0, 6, 0), (1, 0, 13, 1), (1, 0, 16, 1))
    expected = (0.084596, 0.756311, -0.311080, 0.347034, -0.450851, -0.500913, -0.598233)
    assert numbers(output, *places) == pytest.approx(expected, abs=1e-5)


def test_golden_initialisation():
    torch.manual_seed(0)
    with torch.inference_mode():
        output = build("poseformer", **SMALL).eval()(clip(2, 9, 2).float())
    found = numbers(output, (0, 0, 0, 0), (1, 0, 16, 2))
    assert found == pytest.approx((0.020160, 0.594336, -0.046650, -0.288800), abs=1e-5)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"frames": 9}, 9_563_645),
        ({"frames": 9, "in_channels": 5}, 9_563_741),
        ({"frames": 27}, 9_573_455),
        ({"frames": 27, "in_channels": 5}, 9_573_551),
        ({"frames": 43}, 9_582_175),
        ({"frames": 43, "in_channels": 5}, 9_582_271),
        ({}, 9_602_885),
        ({"in_channels": 5}, 9_602_981),
        ({"frames": 243}, 9_691_175),
        ({"frames": 243, "in_channels": 5}, 9_691_271),
        ({"frames": 27, "dim": 16}, 2_411_087),
        ({"frames": 27, "dim": 48}, 21_487_183),
        ({"frames": 27, "depth": 2}, 4_809_423),
        ({"frames": 27, "depth": 6}, 14_337_487),
        ({"frames": 43, "joints": 15}, 7_472_985),
        (SMALL, 1_211_997),
        ({**SMALL, "in_channels": 5}, 1_212_045),
    ],
)
def test_published_parameter_counts(config, expected):
    assert parameters(**config) == expected


@pytest.mark.parametrize(
    ("frames", "channels", "macs", "attention"),
    [
        (9, 2, 91_303_872, 1_018_368),
        (27, 2, 275_971_200, 5_170_176),
        (43, 2, 442_487_424, 11_228_160),
        (81, 2, 846_893_760, 34_546_176),
        (243, 2, 2_711_946_624, 274_959_360),
        (9, 5, 91_318_560, 1_018_368),
        (81, 5, 847_025_952, 34_546_176),
    ],
)
def test_counted_equals_traced_equals_published(frames, channels, macs, attention):
    with torch.device("meta"):
        model = build("poseformer", frames=frames, in_channels=channels)
    inputs = torch.empty(1, frames, 17, channels)
    cost = count(model, inputs)
    assert cost.macs == traced_macs(model, inputs) == cost.macs_per_frame == macs
    assert cost.attention_macs == attention


def test_mixste_table_8_counts_the_spatial_encoder_for_one_frame():
    with torch.device("meta"):
        model = build("poseformer")
    spatial = nn.Sequential(model.embedding, *model.spatial_blocks)
    extra = 80 * count(spatial, torch.empty(1, 17, 2)).macs
    flops = 2 * (count(model, torch.empty(1, 81, 17, 2)).macs - extra)
    assert flops / 1e6 == pytest.approx(1593, abs=0.5)


def test_stochastic_depth_rises_linearly_in_both_encoders():
    rates = [layer.rate for layer in build("poseformer", frames=3).modules() if isinstance(layer, DropPath)]
    assert rates == pytest.approx(2 * [0, 0.1 / 3, 0.2 / 3, 0.1])


def test_attention_comes_on_request_and_changes_nothing():
    model, inputs = small(), clip(2, 9, 2)
    with torch.inference_mode():
        plain, (output, maps) = model(inputs), model(inputs, return_attention=True)
    assert torch.allclose(plain, output, atol=1e-12)
    assert maps["spatial"].shape == (2, 2, 9, 8, 17, 17)
    assert maps["temporal"].shape == (2, 2, 8, 9, 9)
    for values in maps.values():
        assert torch.allclose(values.sum(-1), torch.ones(()).double())


def test_spatial_maps_are_those_of_their_own_clip_and_frame():
    model, inputs = small(), clip(2, 9, 2)
    with torch.inference_mode():
        before = model(inputs, return_attention=True)[1]["spatial"]
        inputs[1, 4] += 1
        after = model(inputs, return_attention=True)[1]["spatial"]
    changed = (before - after).abs().amax(dim=(1, 3, 4, 5)) > 1e-12
    assert changed.nonzero().tolist() == [[1, 4]]


def test_the_bias_of_the_merged_frames_is_without_effect():
    model, inputs = small(), clip(2, 9, 2)
    model(inputs).square().sum().backward()
    assert abs(model.weighted_mean.bias.grad.item()) < 1e-10
    assert model.weighted_mean.weight.grad.abs().max() > 0.1


def test_small_model_fits_a_handful_of_clips():
    torch.manual_seed(0)
    model = build("poseformer", **SMALL, drop_path=0.0)
    inputs, target = torch.randn(4, 9, 17, 2), truth(4, 9)[:, 4:5].float()
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    history = []
    for _ in range(40):
        outputs = model.supervised(inputs)
        assert outputs.keys() == {"poses"}
        loss = position(outputs["poses"], target, None)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(loss.item())
    assert history[-1] < 0.1 * history[0], history


def test_widths_that_heads_cannot_share_are_refused():
    with pytest.raises(InputError, match="joint width 20 cannot be split over 8 heads"):
        build("poseformer", dim=20)
