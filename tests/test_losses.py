import pytest
import torch
from golden import prediction, truth

from poselib import losses
from poselib.protocols import MIXSTE_WEIGHTS

PREDICTED, TARGET = prediction(2, 6), truth(2, 6)


@pytest.fixture
def weights():
    from poselib.skeleton import H36M_17

    return torch.tensor([MIXSTE_WEIGHTS[joint] for joint in H36M_17.names], dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("position", 0.23510480),
        ("weighted_position", 0.52272470),
        ("temporal_consistency", 0.01571346),
        ("velocity", 0.08937719),
    ],
)
def test_golden_terms(name, value, weights):
    assert losses.TERMS[name](PREDICTED, TARGET, weights).item() == pytest.approx(value, abs=1e-8)


def test_golden_total_of_mixste(weights):
    terms = {"weighted_position": 1.0, "temporal_consistency": 0.5, "velocity": 2.0}
    assert losses.total(PREDICTED, TARGET, terms, weights).item() == pytest.approx(0.70933582, abs=1e-8)


@pytest.mark.parametrize("name", ["position", "weighted_position", "velocity", "motion"])
def test_a_perfect_prediction_costs_nothing(name, weights):
    target = truth(2, 12)
    assert losses.TERMS[name](target, target, weights).item() == 0


def test_consistency_only_asks_for_rest(weights):
    still = PREDICTED[:, :1].expand(-1, 6, -1, -1)
    assert losses.temporal_consistency(still, TARGET, weights).item() == 0


def test_motion_loss_of_hand_made_points(weights):
    # x at time t and y eight frames later: their cross product is z; the prediction has half the length.
    target = torch.zeros(1, 9, 17, 3, dtype=torch.float64)
    target[0, 0, :, 0], target[0, 8, :, 1] = 1.0, 1.0
    predicted = target.clone()
    predicted[0, 8] *= 0.5
    assert losses.motion(predicted, target, weights).item() == pytest.approx(0.5 / 3)
    # A shorter clip is coded over its whole length.
    assert losses.motion(predicted[:, [0, 8]], target[:, [0, 8]], weights).item() == pytest.approx(0.5 / 3)


def test_every_term_lets_gradients_through(weights):
    predicted = prediction(2, 12).requires_grad_()
    target = truth(2, 12)
    for name, term in losses.TERMS.items():
        (gradient,) = torch.autograd.grad(term(predicted, target, weights), predicted)
        assert torch.isfinite(gradient).all() and gradient.abs().sum() > 0, name
