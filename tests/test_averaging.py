import pytest
import torch

from poselib.averaging import averaged
from poselib.models import build

CONFIG = {"frames": 3, "strides": (3,), "dim": 8, "hidden": 8, "depth": 1, "heads": 2}


def test_the_average_follows_as_the_reference_does():
    model = build("strided_transformer", **CONFIG)
    weight = model.head[1].bias
    with torch.no_grad():
        weight.fill_(5.0)
    average, expected = averaged(model, limit=0.5), 5.0
    for step in range(12):
        with torch.no_grad():
            weight.fill_(float(step))
        average.update_parameters(model)
        kept = min(0.5, (1 + step) / (10 + step))
        expected = expected - (1 - kept) * (expected - step)
        assert average.module.head[1].bias[0].item() == pytest.approx(expected, rel=1e-5)
    assert weight[0] == 11


def test_the_first_steps_of_the_published_average():
    model = build("strided_transformer", **CONFIG)
    with torch.no_grad():
        model.head[1].bias.fill_(1.0)
    average = averaged(model)
    with torch.no_grad():
        model.head[1].bias.zero_()
    found = []
    for _ in range(3):
        average.update_parameters(model)
        found.append(average.module.head[1].bias[0].item())
    assert found == pytest.approx([1 / 10, 1 / 10 * 2 / 11, 1 / 10 * 2 / 11 * 3 / 12])


def test_running_statistics_are_those_of_the_model():
    model = build("strided_transformer", **CONFIG)
    average = averaged(model)
    model(torch.randn(2, 3, 17, 2))
    average.update_parameters(model)
    assert torch.equal(average.module.embedding[1].running_mean, model.embedding[1].running_mean)
    assert model.embedding[1].running_mean.any()
