import pytest
import torch
from golden import clip, filled, truth

from poselib import losses
from poselib.errors import InputError
from poselib.inference import lift_clips
from poselib.interop import from_official, to_official
from poselib.models import build
from poselib.protocols import MIXSTE_WEIGHTS
from poselib.skeleton import H36M_17
from poselib.strategies import PLAIN

SMALL = {"frames": 9, "dim": 32, "depth": 3}


def golden(**config):
    model = build("mixste", **config)
    state = filled(to_official(model))
    return from_official("mixste", state, **{"heads": config.get("heads", 8)}).double(), state


def load_double(**config):
    model, state = golden(**config)
    exact = dict(zip(model.state_dict(), [state[k] for k in to_official(model)], strict=True))
    model.load_state_dict(exact)
    return model


def small(channels=2):
    return load_double(**SMALL, in_channels=channels)


def numbers(output, *places):
    return [output.mean().item(), output.std(unbiased=False).item(), *(output[place].item() for place in places)]


PLACES = ((0, 0, 0, 0), (0, 0, 0, 2), (0, 4, 8, 1), (0, 8, 16, 2), (1, 0, 3, 0), (1, 8, 16, 1))


@pytest.mark.parametrize(
    ("channels", "silent", "expected"),
    [
        (2, False, (0.092742, 0.677687, -0.144092, 0.295642, 1.025742, -0.150262, 1.097612, -0.178925)),
        (5, False, (-0.011917, 0.645158, 0.216006, 0.520120, -0.587321, -0.564024, 0.623012, -1.364310)),
        (5, True, (0.002139, 0.670464, 0.543748, 0.580778, -0.796049, -0.422509, 0.946290, -1.319512)),
    ],
)
def test_golden_outputs(channels, silent, expected):
    inputs = clip(2, 9, channels)
    if silent:
        inputs[..., 2:] = 0
    with torch.inference_mode():
        output = small(channels)(inputs)
    assert output.shape == (2, 9, 17, 3)
    assert numbers(output, *PLACES) == pytest.approx(expected, abs=1e-5)


def test_golden_output_at_published_width_and_depth():
    model = load_double(frames=27)
    with torch.inference_mode():
        output = model(clip(1, 27, 2))
    found = numbers(output, (0, 0, 0, 0), (0, 0, 0, 2), (0, 13, 8, 1), (0, 26, 16, 2))
    assert found == pytest.approx((-0.326077, 0.892678, -0.991969, 0.632007, 0.224450, 0.298274), abs=1e-5)


def test_golden_flip_average():
    with torch.inference_mode():
        output, _ = lift_clips(small(), PLAIN, clip(2, 9, 2), H36M_17.flip)
    places = ((0, 0, 0, 0), (0, 4, 3, 0), (0, 4, 6, 0), (1, 4, 13, 1), (1, 4, 16, 1))
    expected = (0.001081, 0.456059, -0.057207, 0.365767, -0.303973, -0.544112, 0.478001)
    assert numbers(output, *places) == pytest.approx(expected, abs=1e-5)


def test_golden_initialisation():
    torch.manual_seed(0)
    output = build("mixste", **SMALL).eval()(clip(2, 9, 2).float())
    found = numbers(output, (0, 0, 0, 0), (1, 0, 16, 2))
    assert found == pytest.approx((-0.252702, 0.499282, -0.115194, 0.462596), abs=1e-5)


def test_golden_training_steps():
    model = small()
    weights = torch.tensor([MIXSTE_WEIGHTS[joint] for joint in H36M_17.names], dtype=torch.float64)
    inputs, target = clip(2, 9, 2), truth(2, 9)
    terms = {"weighted_position": 1.0, "temporal_consistency": 0.5, "velocity": 2.0}
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-5, weight_decay=0.1)
    outputs = []
    for step in range(5):
        loss = losses.total(model(inputs), target, terms, weights)
        optimiser.zero_grad()
        loss.backward()
        if step == 0:
            norm = torch.sqrt(sum(parameter.grad.square().sum() for parameter in model.parameters()))
            assert loss.item() == pytest.approx(2.874396, abs=1e-5)
            assert norm.item() == pytest.approx(15.772569, abs=1e-4)
            assert model.head[1].bias.grad.tolist() == pytest.approx((0.514568, -0.118565, 0.527330), abs=1e-5)
        optimiser.step()
        with torch.no_grad():
            output = model(inputs)
        outputs.append((output[0, 0, 0, 0].item(), output[1, 8, 16, 1].item()))
    assert outputs[0] == pytest.approx((-0.134562, -0.208050), abs=1e-5)
    assert outputs[4] == pytest.approx((-0.095658, -0.306309), abs=1e-5)


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        ({"frames": 9}, 33_664_003),
        ({"frames": 27, "in_channels": 5}, 33_674_755),
        ({"frames": 43, "joints": 15}, 33_680_387),
        ({"frames": 81}, 33_700_867),
        ({}, 33_783_811),
        ({"in_channels": 5}, 33_785_347),
        ({"frames": 27, "dim": 64, "depth": 4}, 271_363),
        ({"frames": 27, "dim": 128, "depth": 8, "in_channels": 5}, 2_127_235),
        ({"depth": 10}, 42_194_947),
    ],
)
def test_published_parameter_counts(config, parameters):
    with torch.device("meta"):
        model = build("mixste", **config)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


def test_attention_comes_on_request_and_changes_nothing():
    model, inputs = small(), clip(2, 9, 2)
    with torch.inference_mode():
        plain, (output, maps) = model(inputs), model(inputs, return_attention=True)
    assert torch.allclose(plain, output, atol=1e-12)
    assert maps["spatial"].shape == (2, 3, 9, 8, 17, 17)
    assert maps["temporal"].shape == (2, 3, 17, 8, 9, 9)
    for values in maps.values():
        assert torch.allclose(values.sum(-1), torch.ones(()).double())


def test_published_size_takes_an_optimisation_step():
    model = build("mixste")
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-5, weight_decay=0.1)
    before = model.head[1].bias.detach().clone()
    model(torch.randn(1, 243, 17, 2)).square().mean().backward()
    optimiser.step()
    assert not torch.equal(before, model.head[1].bias)


def test_unknown_models_and_settings_are_named():
    with pytest.raises(InputError, match="unknown model 'mixstee'"):
        build("mixstee")
    with pytest.raises(InputError, match="no setting 'width'"):
        build("mixste", width=3)
