from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poselib.data.windows import centred, cut, evaluation_starts, stitch, training_starts


def test_training_grid_of_the_reference():
    assert training_starts(10, 4).tolist() == [-1, 3, 7]
    assert training_starts(500, 243).tolist() == [-114, 129, 372]
    assert training_starts(1383, 243).tolist() == [-37, 206, 449, 692, 935, 1178]
    frames = cut([(0, 10)], 4, training_starts).frame_numbers()
    assert frames[0].tolist() == [0, 0, 1, 2]
    assert frames[2].tolist() == [7, 8, 9, 9]


def test_training_grids_that_overlap():
    assert training_starts(10, 4, 1).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert training_starts(10, 4, 2).tolist() == [0, 2, 4, 6]
    assert training_starts(11, 4, 3).tolist() == [-1, 2, 5, 8]
    assert training_starts(3, 4, 1).tolist() == training_starts(3, 4).tolist() == [0]
    assert training_starts(500, 243, 243).tolist() == training_starts(500, 243).tolist()


@pytest.mark.parametrize(("frames", "starts"), [(18, [0, 9]), (14, [0, 5]), (9, [0]), (4, [0]), (19, [0, 9, 10])])
def test_evaluation_windows(frames, starts):
    assert evaluation_starts(frames, 9).tolist() == starts


@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(1, 12))
def test_stitched_windows_hold_every_frame_exactly_once(lengths, length):
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    windows = cut(list(zip(starts.tolist(), lengths, strict=True)), length, evaluation_starts)
    assert stitch(windows.frame_numbers(), windows).tolist() == list(range(sum(lengths)))


@settings(derandomize=True, database=None, deadline=None)
@given(st.integers(1, 60), st.integers(1, 12), st.integers(1, 12))
def test_training_clips_cover_a_video_and_stay_inside_it(frames, length, interval):
    starts = partial(training_starts, interval=min(interval, length))
    numbers = cut([(7, frames)], length, starts).frame_numbers()
    assert sorted(set(numbers.ravel().tolist())) == list(range(7, 7 + frames))
    assert (np.diff(numbers, axis=1) >= 0).all()


def test_the_earlier_window_wins_an_overlap():
    windows = cut([(0, 5)], 3, evaluation_starts)
    clips = np.array([[10, 11, 12], [20, 21, 22]])
    assert stitch(clips, windows).tolist() == [10, 11, 12, 21, 22]


def test_selection_keeps_what_belongs_to_a_clip():
    windows = cut([(0, 6), (6, 6)], 3, evaluation_starts)
    chosen = windows.select(np.array([3, 0]))
    assert chosen.frame_numbers().tolist() == [[9, 10, 11], [0, 1, 2]]
    assert chosen.video.tolist() == [1, 0]


def test_sparse_windows_of_the_reference():
    frames = centred([(0, 24)], 9, 2).frame_numbers(np.array([2, 20]))
    assert frames.tolist() == [[0, 0, 0, 0, 2, 4, 6, 8, 10], [12, 14, 16, 18, 20, 22, 22, 22, 22]]


@settings(derandomize=True, database=None, deadline=None)
@given(st.integers(1, 80), st.data(), st.integers(1, 6), st.integers(1, 9))
def test_sparse_windows_stay_on_their_grid_inside_the_video(frames, data, step, length):
    centre = data.draw(st.integers(0, frames - 1))
    windows = centred([(7, frames)], length, step).select(np.array([centre]))
    assert windows.centres().tolist() == [centre]
    found = windows.frame_numbers()[0] - 7
    assert found[length // 2] == centre and found.min() >= 0 and found.max() < frames
    assert not ((found - centre) % step).any() and (np.diff(found) >= 0).all()
    free = centre + (np.arange(length) - length // 2) * step
    inside = (free >= 0) & (free < frames)
    assert (found[inside] == free[inside]).all()


def test_interpolation_of_the_reference():
    windows = centred([(0, 9)], 3, 3, 3)
    squares = (windows.centres()[:, None] ** 2).astype(float)
    assert stitch(squares, windows).tolist() == [0, 3, 6, 9, 18, 27, 36, 36, 36]


@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(1, 7), st.sampled_from([1, 3, 9]))
def test_interpolation_agrees_with_numpy_video_by_video(lengths, step, length):
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    windows = centred(list(zip(starts.tolist(), lengths, strict=True)), length, step, step)
    poses = np.random.default_rng(0).normal(size=sum(lengths))
    found = stitch(poses[windows.frame_numbers()[:, length // 2]][:, None], windows)
    parts = np.split(poses, starts[1:])
    expected = [np.interp(np.arange(len(part)), np.arange(0, len(part), step), part[::step]) for part in parts]
    np.testing.assert_allclose(found, np.concatenate(expected), atol=1e-12)
