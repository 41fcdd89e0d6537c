import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poselib.data.strided_windows import (
    draw_key_frames,
    interpolate,
    key_frame_mask,
    window_frames,
    without_leak,
)
from poselib.errors import InputError

CENTRES = np.array([2, 20])


def test_windows_of_the_reference():
    frames = window_frames(CENTRES, 9, 2, 24)
    assert frames.tolist() == [[0, 0, 0, 0, 2, 4, 6, 8, 10], [12, 14, 16, 18, 20, 22, 22, 22, 22]]
    keys = key_frame_mask(9, 2, 4, CENTRES)
    assert keys.astype(int).tolist() == [[0, 1, 0, 1, 0, 1, 0, 1, 0], [1, 0, 1, 0, 1, 0, 1, 0, 1]]
    strict = without_leak(keys, frames, 4)
    assert strict.astype(int).tolist() == [[0, 1, 0, 1, 0, 1, 0, 1, 0], [1, 0, 1, 0, 1, 0, 0, 0, 0]]


def test_published_windows():
    frames = window_frames(np.array([500]), 71, 5, 2000)[0]
    assert (frames[0], frames[35], frames[-1], len(frames)) == (325, 500, 675, 71)
    assert np.flatnonzero(key_frame_mask(41, 2, 10)).tolist() == list(range(0, 41, 5))
    assert np.flatnonzero(key_frame_mask(71, 5, 20)).tolist() == list(range(3, 68, 4))
    assert key_frame_mask(71, 5, 5, 500).all()


def test_a_centre_beside_the_output_grid_has_no_key_frames():
    assert not key_frame_mask(71, 5, 10, np.array([501, 7])).any()


@settings(derandomize=True, database=None, deadline=None)
@given(st.integers(1, 80), st.data(), st.integers(1, 6), st.integers(1, 9))
def test_windows_stay_on_their_grid_inside_the_video(frames, data, stride, tokens):
    centre = data.draw(st.integers(0, frames - 1))
    found = window_frames(np.array([centre]), tokens, stride, np.array([frames]))[0]
    assert found[tokens // 2] == centre and found.min() >= 0 and found.max() < frames
    assert not ((found - centre) % stride).any() and (np.diff(found) >= 0).all()
    free = centre + (np.arange(tokens) - tokens // 2) * stride
    inside = (free >= 0) & (free < frames)
    assert (found[inside] == free[inside]).all()


@pytest.mark.parametrize(("stride_in", "shifts"), [(6, (-2, 0, 2)), (8, (-4, -2, 0, 2))])
def test_training_draws_every_phase_equally_often(stride_in, shifts):
    keys = draw_key_frames(np.random.default_rng(0), 4000, 9, 2, [stride_in])
    possible = {key_frame_mask(9, 2, stride_in, shift).tobytes() for shift in shifts}
    masks, counts = np.unique(keys, axis=0, return_counts=True)
    assert {mask.tobytes() for mask in masks} == possible and len(possible) == len(shifts)
    assert counts / 4000 == pytest.approx(1 / len(shifts), abs=0.03)


def test_training_draws_every_stride_equally_often():
    keys = draw_key_frames(np.random.default_rng(1), 3000, 41, 2, (4, 10, 20))
    spacing = np.array([np.diff(np.flatnonzero(mask))[0] for mask in keys])
    assert sorted(set(spacing.tolist())) == [2, 5, 10]
    assert np.bincount(spacing)[[2, 5, 10]] / 3000 == pytest.approx(1 / 3, abs=0.03)
    again = draw_key_frames(np.random.default_rng(1), 3000, 41, 2, (4, 10, 20))
    assert np.array_equal(keys, again)


def test_strides_must_fit():
    with pytest.raises(InputError, match="input stride 7 is not a multiple of the output stride 2"):
        key_frame_mask(9, 2, 7)


def test_interpolation_of_the_reference():
    squares = np.arange(9.0) ** 2
    assert interpolate(squares, np.arange(9), 3).tolist() == [0, 3, 6, 9, 18, 27, 36, 36, 36]


def test_interpolation_starts_anew_with_every_video_and_reads_key_frames_only():
    frames = np.array([0, 1, 2, 3, 4, 0, 1, 2, 0])
    poses = np.full((9, 2, 3), np.nan, np.float32)
    poses[[0, 3, 5, 8]] = np.array([0, 3, 10, 20], np.float32)[:, None, None]
    found = interpolate(poses, frames, 3)
    assert found.dtype == np.float32
    assert found[:, 1, 2] == pytest.approx([0, 1, 2, 3, 3, 10, 10, 10, 20], abs=1e-6)
    with pytest.raises(InputError, match="no multiple of 3"):
        interpolate(poses[1:], frames[1:], 3)


@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(1, 7))
def test_interpolation_agrees_with_numpy_video_by_video(lengths, stride):
    frames = np.concatenate([np.arange(length) for length in lengths])
    poses = np.random.default_rng(0).normal(size=len(frames))
    parts = np.split(poses, np.cumsum(lengths)[:-1])
    expected = [np.interp(np.arange(len(part)), np.arange(0, len(part), stride), part[::stride]) for part in parts]
    np.testing.assert_allclose(interpolate(poses, frames, stride), np.concatenate(expected), atol=1e-12)
