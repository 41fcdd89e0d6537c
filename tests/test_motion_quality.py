import numpy as np
import pytest
import torch
from golden import metric_poses
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

from poselib.motion_quality import acceleration_error, bone_length_spread, bone_lengths, left_right_symmetry
from poselib.skeleton import H36M_17, SKELETONS

_, TARGET = metric_poses()
both_kinds = pytest.mark.parametrize("convert", [np.asarray, torch.tensor], ids=["numpy", "torch"])


@both_kinds
def test_one_frame_that_jumps_is_felt_in_three_accelerations(convert):
    """A jump d of a joint in one of F frames costs d, 2d and d in the F - 2 differences, over J joints."""
    target = np.tile(TARGET[:1], (9, 1, 1))
    jumped = target.copy()
    jumped[4, 16] += [0.003, 0.004, 0]
    assert_allclose(float(acceleration_error(convert(jumped), convert(target))), 4 * 0.005 / (7 * 17))


def test_steady_drift_is_no_acceleration():
    drift = np.arange(len(TARGET))[:, None, None] * [0.02, 0, 0]
    assert_allclose(acceleration_error(TARGET + drift + 0.1, TARGET), 0, atol=1e-14)


@both_kinds
def test_a_rigid_body_has_no_spread_however_it_moves(convert):
    turns = Rotation.random(8, rng=np.random.default_rng(0)).as_matrix()
    moving = TARGET[0] @ turns + np.arange(8)[:, None, None]
    assert_allclose(float(bone_length_spread(convert(moving), H36M_17)), 0, atol=1e-14)


@both_kinds
def test_a_body_that_breathes_spreads_by_its_bones(convert):
    """Every second frame 10 % larger: each bone deviates by 5 % of its length."""
    poses = TARGET[0] * np.where(np.arange(8) % 2, 1.1, 1.0)[:, None, None]
    expected = 0.05 * bone_lengths(TARGET[:1], H36M_17).mean()
    assert_allclose(float(bone_length_spread(convert(poses), H36M_17)), expected)


def test_bones_are_those_of_the_skeleton():
    lengths = dict(zip(H36M_17.bones, bone_lengths(TARGET, H36M_17).T, strict=True))
    knee, hip = H36M_17.index["left_knee"], H36M_17.index["left_hip"]
    assert_allclose(lengths[knee, hip], np.linalg.norm(TARGET[:, knee] - TARGET[:, hip], axis=-1))


@both_kinds
def test_one_longer_forearm_is_one_pair_of_six(convert):
    poses = np.zeros((3, 17, 3))
    poses[:, H36M_17.index["left_wrist"], 1] = 0.03
    assert_allclose(float(left_right_symmetry(convert(poses), H36M_17)), 0.03 / 6)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=list(SKELETONS))
def test_mirroring_keeps_symmetry_and_a_mirrored_body_is_symmetric(skeleton):
    poses = np.random.default_rng(0).normal(size=(5, len(skeleton), 3))
    mirrored = poses[:, list(skeleton.flip)] * [-1, 1, 1]
    assert_allclose(left_right_symmetry(mirrored, skeleton), left_right_symmetry(poses, skeleton))
    assert left_right_symmetry(poses, skeleton) > 0.1
    assert_allclose(left_right_symmetry((poses + mirrored) / 2, skeleton), 0, atol=1e-14)
