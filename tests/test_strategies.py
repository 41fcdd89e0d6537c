import pytest
import torch

from poselib.errors import InputError
from poselib.strategies import PLAIN, STRATEGIES, Clip, Strategy


@pytest.fixture
def clip():
    generator = torch.Generator().manual_seed(0)

    def draw(channels):
        return torch.randn(2, 5, 17, channels, generator=generator)

    return Clip(draw(2), draw(2), draw(3))


def test_step_1_sees_positions_and_zeros_like_inference(clip):
    for strategy in STRATEGIES.values():
        inputs = strategy.training_input(clip, 1)
        assert torch.equal(inputs, strategy.inference_input(clip.poses_2d))
        assert torch.equal(inputs[..., :2], clip.poses_2d)
        assert inputs[..., 2:].abs().sum() == 0


@pytest.mark.parametrize(("name", "channels"), [("tmt", 5), ("tmt_v2", 4), ("tmt_a3", 5), ("tmt_va3", 8), ("plain", 2)])
def test_channels_are_the_papers(name, channels, clip):
    assert STRATEGIES[name].in_channels == channels
    assert STRATEGIES[name].training_input(clip, 2).shape[-1] == channels


def test_step_2_holds_the_true_motion(clip):
    v3 = clip.truth_3d.diff(dim=1)
    inputs = STRATEGIES["tmt"].training_input(clip, 2)
    assert torch.equal(inputs[:, 1:, :, 2:], v3)
    assert inputs[:, 0, :, 2:].abs().sum() == 0
    assert torch.equal(STRATEGIES["tmt_v2"].training_input(clip, 2)[:, 1:, :, 2:], clip.truth_2d.diff(dim=1))
    both = STRATEGIES["tmt_va3"].training_input(clip, 2)
    assert torch.equal(both[..., 2:5], inputs[..., 2:])
    assert torch.equal(both[:, 2:, :, 5:], v3.diff(dim=1))
    assert torch.equal(STRATEGIES["tmt_a3"].training_input(clip, 2)[..., 2:], both[..., 5:])


def test_scale_multiplies_the_motion_only(clip):
    for name in ("tmt", "tmt_step2"):
        per_frame, per_second = (STRATEGIES[n].training_input(clip, 2) for n in (name, f"{name}_per_second"))
        assert torch.allclose(per_second[..., 2:], 50 * per_frame[..., 2:])
        assert torch.equal(per_second[..., :2], per_frame[..., :2])
        assert STRATEGIES[f"{name}_per_second"].steps == STRATEGIES[name].steps


def test_updates_per_batch():
    assert [PLAIN.steps_of(batch) for batch in range(3)] == [(1,)] * 3
    assert [STRATEGIES["tmt"].steps_of(batch) for batch in range(2)] == [(1, 2)] * 2
    assert [STRATEGIES["tmt_equal_updates"].steps_of(batch) for batch in range(4)] == [(1,), (2,), (1,), (2,)]
    assert STRATEGIES["tmt_step2"].steps_of(0) == (2,)


def test_mistakes_are_named():
    with pytest.raises(InputError, match="'v4'"):
        Strategy(("v4",))
    with pytest.raises(InputError, match="from 1 and 2"):
        Strategy(("v3",), (1, 3))
    with pytest.raises(InputError, match="alternate"):
        Strategy(("v3",), (1, 2), "sometimes")
