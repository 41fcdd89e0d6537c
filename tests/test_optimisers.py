import pytest
import torch

from poselib.optimisers import Ranger


def fall(optimiser, weight, steps):
    for _ in range(steps):
        weight.grad = weight.detach() - torch.tensor([3.0, 1.0], dtype=weight.dtype)
        optimiser.step()


def test_golden_steps():
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    optimiser, done = Ranger([weight], lr=0.01), 0
    expected = {
        1: (1.020000, -1.970000),
        2: (1.039897, -1.940154),
        5: (1.098961, -1.851559),
        6: (1.049609, -1.925650),
        7: (1.049936, -1.925323),
        12: (1.050987, -1.924273),
        24: (1.055767, -1.919492),
    }
    for step, values in expected.items():
        fall(optimiser, weight, step - done)
        done = step
        assert weight.tolist() == pytest.approx(values, abs=2e-6), step


def test_a_stored_state_continues_to_the_same_bits(tmp_path):
    straight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
    optimiser = Ranger([straight], lr=0.01)
    fall(optimiser, straight, 4)
    torch.save(optimiser.state_dict(), tmp_path / "state.pt")
    resumed = torch.nn.Parameter(straight.detach().clone())
    other = Ranger([resumed], lr=0.5)
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    fall(optimiser, straight, 9)
    fall(other, resumed, 9)
    assert torch.equal(straight, resumed)


def test_weights_without_gradient_rest_and_closures_are_called():
    moved, resting = (torch.nn.Parameter(torch.ones(3)) for _ in range(2))
    optimiser = Ranger([moved, resting], lr=0.1)

    def closure():
        optimiser.zero_grad()
        loss = moved.square().sum()
        loss.backward()
        return loss

    values = [optimiser.step(closure).item() for _ in range(7)]
    assert values[0] == 3 and values[-1] < 3
    assert torch.equal(resting, torch.ones(3)) and not torch.equal(moved, torch.ones(3))
    (moved.sum() + resting.sum()).backward()
    optimiser.step()
    assert not torch.equal(resting, torch.ones(3))
