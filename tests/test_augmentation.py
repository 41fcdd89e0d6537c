import math

import pytest
import torch

from poselib.augmentation import jitter_targets


def drawn(batch=2000, seed=0):
    targets = torch.zeros(batch, 2, 3, 3, dtype=torch.float64)
    targets[:, :, 1] = torch.tensor([1.0, 0.0, 0.7])
    targets[:, :, 2] = torch.tensor([0.0, 2.0, -0.4])
    return targets, jitter_targets(targets, torch.Generator().manual_seed(seed))


def test_each_of_nine_changes_is_drawn_about_equally_often():
    targets, changed = drawn()
    x, y = changed[:, 0, 1, 0], changed[:, 0, 1, 1]
    scale, angle = torch.hypot(x, y), torch.rad2deg(torch.atan2(y, x))
    pairs, counts = torch.stack([scale, angle], dim=1).mul(1e6).round().div(1e6).unique(dim=0, return_counts=True)
    expected = [[s, a] for s in (0.95, 1.0, 1.05) for a in (-5.0, 0.0, 5.0)]
    assert torch.allclose(pairs + 0.0, torch.tensor(expected, dtype=torch.float64), atol=1e-5)
    assert counts.min() > 170 and counts.max() < 275
    assert torch.equal(targets, drawn()[0])


def test_frames_move_alike_depth_and_root_stay_and_angles_between_joints_stay():
    targets, changed = drawn(50)
    assert torch.equal(changed[..., 2], targets[..., 2])
    assert torch.equal(changed[:, :, 0], targets[:, :, 0])
    assert torch.equal(changed[:, 0], changed[:, 1])
    one, two = changed[:, 0, 1, :2], changed[:, 0, 2, :2]
    assert torch.allclose((one * two).sum(-1), torch.zeros(()).double(), atol=1e-12)
    determinant = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    assert torch.allclose(determinant, 2 * one.square().sum(-1))  # no reflection


def test_same_seed_same_change():
    assert torch.equal(drawn(5, 1)[1], drawn(5, 1)[1])
    assert not torch.equal(drawn(5, 1)[1], drawn(5, 2)[1])
    assert drawn()[1].dtype == torch.float64
    assert jitter_targets(torch.zeros(0, 1, 17, 3)).shape == (0, 1, 17, 3)
    turned = next(
        pose
        for pose in drawn()[1][:, 0, 1]
        if pose[1] > 0 and math.isclose(math.hypot(pose[0], pose[1]), 1.05, abs_tol=1e-6)
    )
    assert turned[0].item() == pytest.approx(1.05 * math.cos(math.radians(5)))
