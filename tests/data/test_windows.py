import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poselib.data.windows import cut, evaluation_starts, stitch, training_starts


def test_training_grid_of_the_reference():
    assert training_starts(10, 4).tolist() == [-1, 3, 7]
    assert training_starts(500, 243).tolist() == [-114, 129, 372]
    assert training_starts(1383, 243).tolist() == [-37, 206, 449, 692, 935, 1178]
    frames = cut([(0, 10)], 4, training_starts).frame_numbers()
    assert frames[0].tolist() == [0, 0, 1, 2]
    assert frames[2].tolist() == [7, 8, 9, 9]


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
@given(st.integers(1, 60), st.integers(1, 12))
def test_training_clips_cover_a_video_and_stay_inside_it(frames, length):
    numbers = cut([(7, frames)], length, training_starts).frame_numbers()
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
