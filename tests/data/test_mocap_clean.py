"""Repair and resampling of motion capture, on positions one can work out in the head."""

import numpy as np
import pytest

from poselib.data.mocap_clean import (
    daz_head_top,
    longest_clean_run,
    resample,
    restore_lost_bones,
    without_t_pose,
)

OFFSETS = {
    "Spine1": np.array([0.0, 2.0, 0.0]),
    "LeftHand": np.array([4.0, 0.0, 0.0]),
    "RightHand": np.array([-4.0, 0.0, 0.0]),
    "Neck": np.zeros(3),
    "LeftShoulder": np.zeros(3),
    "RightShoulder": np.zeros(3),
    "LeftFingerBase": np.zeros(3),
    "LThumb": np.zeros(3),
    "RightFingerBase": np.zeros(3),
    "RThumb": np.array([0.0, 0.0, 7.0]),
}


def walk(frames, fps, speed=1.0, joints=2):
    """Joints that all go along x at `speed` m/s, (F, J, 3)."""
    positions = np.zeros((frames, joints, 3))
    positions[..., 0] = (np.arange(frames) / fps * speed)[:, None]
    return positions


def test_lost_bones_are_restored_and_others_left_alone():
    mended = restore_lost_bones(OFFSETS)
    for joint in ("Neck", "LeftShoulder", "RightShoulder"):
        np.testing.assert_array_equal(mended[joint], [0, 2, 0])
    np.testing.assert_array_equal(mended["LeftFingerBase"], [2, 0, 0])
    np.testing.assert_array_equal(mended["RightFingerBase"], [-2, 0, 0])
    np.testing.assert_array_equal(mended["RThumb"], [0, 0, 7])
    assert not OFFSETS["Neck"].any(), "the input was changed"


def test_other_naming_schemes_keep_their_zero_offsets():
    others = {"Spine1": np.ones(3), "Neck": np.zeros(3)}
    np.testing.assert_array_equal(restore_lost_bones(others)["Neck"], np.zeros(3))


def test_t_pose_goes_only_when_evident():
    positions = walk(5, 120)
    np.testing.assert_array_equal(without_t_pose(positions, 120), positions)
    positions[0, 1, 1] = 0.3  # 36 m/s
    np.testing.assert_array_equal(without_t_pose(positions, 120), positions[1:])
    positions[0, 1, 1] = 0.2  # 24 m/s
    assert len(without_t_pose(positions, 120)) == 5
    assert len(without_t_pose(positions[:1], 120)) == 1


def test_a_clean_clip_is_kept_whole():
    assert longest_clean_run(walk(20, 60, speed=14.9), 60) == slice(0, 20)
    assert longest_clean_run(walk(1, 60), 60) == slice(0, 1)


def test_a_jump_parts_the_clip_between_two_frames():
    positions = walk(20, 60)
    positions[8:, :, 1] += 0.5  # 30 m/s in one step; the acceleration takes frames 7 and 8 as well
    assert longest_clean_run(positions, 60) == slice(9, 20)


def test_a_spike_too_slow_for_the_speed_limit_is_found_by_its_acceleration():
    positions = walk(30, 120, speed=0)
    positions[20, 1, 2] = 0.12  # 14.4 m/s, but 1728 m/s^2 before and behind and 3456 at the spike
    assert longest_clean_run(positions, 120) == slice(0, 19)


def test_resampling_follows_a_cubic_and_never_leaves_the_recording():
    times = np.arange(61) / 60
    curve = np.stack((times, times**2, times**3), axis=-1)[:, None]
    resampled = resample(curve, 60, 50)
    wanted = np.arange(51) / 50
    np.testing.assert_allclose(resampled[:, 0], np.stack((wanted, wanted**2, wanted**3), axis=-1), atol=1e-12)


@pytest.mark.parametrize(("frames", "count"), [(2, 1), (7, 6), (8, 6), (100, 83), (121, 101)])
def test_number_of_resampled_frames(frames, count):
    assert len(resample(walk(frames, 60), 60, 50)) == count


def test_the_own_rate_changes_nothing():
    positions = np.random.default_rng(0).normal(size=(9, 2, 3))
    np.testing.assert_allclose(resample(positions, 50, 50), positions, atol=1e-12)


def test_daz_head_top_lies_above_the_head_and_turns_with_it():
    head, left, right = (
        np.array([point], dtype=float) for point in ([1, 1, 1], [1.04, 1.08, 1.08], [0.96, 1.08, 1.08])
    )
    np.testing.assert_allclose(daz_head_top(head, left, right), [[1, 1.17, 1]], atol=1e-9)
    # The head bent forward by 90 degrees about x: up becomes forward (+z).
    left, right = (np.array([[x, 0.92, 1.08]]) for x in (1.04, 0.96))
    np.testing.assert_allclose(daz_head_top(head, left, right), [[1, 1, 1.17]], atol=1e-9)
