import numpy as np
import pytest

from poselib.data.key_frames import draw_key_frames, key_frame_mask
from poselib.data.windows import centred
from poselib.errors import InputError

CENTRES = np.array([2, 20])


def test_key_frames_of_the_reference():
    frames = centred([(0, 24)], 9, 2).frame_numbers(CENTRES)
    assert frames.tolist() == [[0, 0, 0, 0, 2, 4, 6, 8, 10], [12, 14, 16, 18, 20, 22, 22, 22, 22]]
    keys = key_frame_mask(9, 2, 4, CENTRES)
    assert keys.astype(int).tolist() == [[0, 1, 0, 1, 0, 1, 0, 1, 0], [1, 0, 1, 0, 1, 0, 1, 0, 1]]


def test_published_windows():
    frames = centred([(0, 2000)], 71, 5).frame_numbers(np.array([500]))[0]
    assert (frames[0], frames[35], frames[-1], len(frames)) == (325, 500, 675, 71)
    assert np.flatnonzero(key_frame_mask(41, 2, 10)).tolist() == list(range(0, 41, 5))
    assert np.flatnonzero(key_frame_mask(71, 5, 20)).tolist() == list(range(3, 68, 4))
    assert key_frame_mask(71, 5, 5, 500).all()


def test_a_centre_beside_the_output_grid_has_no_key_frames():
    assert not key_frame_mask(71, 5, 10, np.array([501, 7])).any()


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


def test_several_strides_place_tokens_as_one_stride_does():
    several = draw_key_frames(np.random.default_rng(2), 3000, 41, 2, (4, 10, 20))
    one = draw_key_frames(np.random.default_rng(3), 500, 41, 2, (10,))
    spacing = np.array([np.diff(np.flatnonzero(mask))[0] for mask in several])
    assert {mask.tobytes() for mask in several[spacing == 5]} == {mask.tobytes() for mask in one}
    evaluated = key_frame_mask(41, 2, 10, np.arange(0, 40, 2))
    assert {mask.tobytes() for mask in evaluated} == {mask.tobytes() for mask in one}
