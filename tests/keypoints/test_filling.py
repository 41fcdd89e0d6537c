"""Missed joints and frames are filled in along straight lines, and frame rates change there and back."""

from dataclasses import replace

import numpy as np
import pytest

from poselib.errors import InputError
from poselib.keypoints import Track
from poselib.keypoints.gaps import fill, resample


def moving(frames, fps=30.0):
    """All joints move along straight lines, each at its own speed, so that what is filled in is known."""
    frames = np.asarray(frames)
    start, speed = np.random.default_rng(0).integers(10, 90, (2, 17, 2))
    keypoints = (start + frames[:, None, None] * speed).astype(np.float32)
    boxes = np.stack([[f, 10 + f, 100 + f, 200 + f] for f in frames]).astype(np.float32)
    return Track("1", "coco_17", frames, keypoints, np.full(keypoints.shape[:2], 0.75, np.float32), boxes, fps)


def missed(track, *places):
    keypoints, confidence = track.keypoints.copy(), track.confidence.copy()
    for frame, joint in places:
        keypoints[frame, joint], confidence[frame, joint] = 0, 0
    return replace(track, keypoints=keypoints, confidence=confidence)


def test_nothing_changes_where_nothing_is_missed():
    track = moving(range(5, 12))
    filled, mask = fill(track)
    np.testing.assert_array_equal(filled.keypoints, track.keypoints)
    np.testing.assert_array_equal(filled.confidence, track.confidence)
    assert filled.frames.tolist() == list(range(5, 12)) and not mask.any()


def test_missed_joints_and_frames_inside_lie_on_the_line():
    track, truth = missed(moving([3, 4, 6, 7, 10]), (1, 5), (2, 5)), moving(range(3, 11))
    filled, mask = fill(track)
    assert filled.frames.tolist() == truth.frames.tolist()
    np.testing.assert_allclose(filled.keypoints, truth.keypoints, atol=1e-4)
    np.testing.assert_allclose(filled.boxes, truth.boxes, atol=1e-4)
    expected = np.zeros((8, 17), bool)
    expected[[2, 5, 6]] = True
    expected[[1, 3], 5] = True
    np.testing.assert_array_equal(mask, expected)
    np.testing.assert_array_equal(filled.confidence, np.where(expected, 0, np.float32(0.75)))


def test_the_ends_are_held():
    track = missed(moving(range(6)), (0, 2), (1, 2), (5, 2))
    filled, mask = fill(track)
    np.testing.assert_array_equal(filled.keypoints[:2, 2], track.keypoints[[2, 2], 2])
    np.testing.assert_array_equal(filled.keypoints[5, 2], track.keypoints[4, 2])
    assert np.argwhere(mask).tolist() == [[0, 2], [1, 2], [5, 2]]


def test_a_joint_seen_once_is_held_everywhere_and_one_never_seen_stays_missed():
    track = missed(moving(range(4)), *((frame, 0) for frame in (0, 1, 3)), *((frame, 1) for frame in range(4)))
    filled, mask = fill(track)
    np.testing.assert_array_equal(filled.keypoints[:, 0], track.keypoints[[2] * 4, 0])
    assert mask[:, 0].tolist() == [True, True, False, True]
    assert not mask[:, 1].any() and not filled.keypoints[:, 1].any() and not filled.confidence[:, 1].any()


def test_filling_twice_is_filling_once():
    once, mask = fill(missed(moving([0, 1, 2, 5, 6]), (1, 3), (4, 8)))
    twice, again = fill(once)
    np.testing.assert_array_equal(once.keypoints, twice.keypoints)
    np.testing.assert_array_equal(mask, again)


def test_one_frame_is_a_track_too():
    filled, mask = fill(moving([8]))
    assert filled.frames.tolist() == [8] and not mask.any()


@pytest.mark.parametrize(("fps", "new_fps"), [(30, 50), (25, 60), (50, 50), (29.97, 59.94), (60, 25)])
def test_a_straight_line_survives_another_rate_and_the_way_back(fps, new_fps):
    line = np.arange(31.0)[:, None, None] / fps * [[1.0, -2.0, 3.0]]
    there = resample(line, fps, new_fps)
    last = 30 / fps
    times = np.minimum(np.arange(len(there)) / new_fps, last)
    assert times[-1] == pytest.approx(last) and len(there) == np.ceil(30 * new_fps / fps - 1e-9) + 1
    np.testing.assert_allclose(there[..., 0, :], times[:, None] * [1, -2, 3], atol=1e-12)
    back = resample(there, new_fps, fps, count=31)
    # The last sample may stand where the line was held, up to one new frame beyond its end.
    np.testing.assert_allclose(back[:-3], line[:-3], atol=1e-12)
    np.testing.assert_allclose(back, line, atol=3 / new_fps)


def test_twice_the_rate_holds_every_frame_and_gives_it_back():
    values = np.random.default_rng(0).normal(size=(9, 17, 3)).astype(np.float32)
    double = resample(values, 25, 50)
    np.testing.assert_array_equal(double[::2], values)
    np.testing.assert_allclose(double[1::2], (values[1:] + values[:-1]) / 2, atol=1e-6)
    np.testing.assert_array_equal(resample(double, 50, 25), values)
    assert double.dtype == np.float32 and len(double) == 17


def test_rates_that_make_no_sense_are_refused():
    for rate in (0, -25, np.nan, np.inf):
        with pytest.raises(InputError, match="expected numbers above zero"):
            resample(np.zeros((3, 2)), 30, rate)
