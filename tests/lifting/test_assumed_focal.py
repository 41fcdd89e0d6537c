"""Networks that see every person as if the camera pointed at them."""

import numpy as np
import pytest

import poselib
from poselib.data.person_frame import to_person
from poselib.errors import InputError
from poselib.geometry import normalise_screen
from poselib.lifting import Live
from poselib.lifting import passes as lifting
from poselib.lifting.passes import passes


def lifted(clip, pixels, trained, **options):
    return poselib.lift(pixels, "h36m", clip.size, 25, checkpoint=trained, **options).poses_3d


@pytest.mark.parametrize("name", ["mixste", "gla_gcn"])
def test_place_and_size_in_the_image_only_turn_the_pose(name, clip, network):
    trained = network(name, assumed_focal=1.1)
    moved = 0.4 * clip.pixels + [430, 20]
    poses = []
    for pixels in (clip.pixels, moved):
        screen = normalise_screen(pixels, clip.size)
        poses.append(to_person(lifted(clip, pixels, trained).astype(float), screen, 2.2))
    np.testing.assert_allclose(*poses, atol=1e-4)
    plain = network(name)
    assert np.abs(lifted(clip, clip.pixels, plain) - lifted(clip, moved, plain)).max() > 1e-2


def test_a_focal_length_that_is_told_takes_the_place_of_the_assumed_one(clip, network):
    first, second = network(assumed_focal=1.1), network(assumed_focal=0.6)
    told = [lifted(clip, clip.pixels, trained, focal=0.8 * clip.size[0]) for trained in (first, second)]
    np.testing.assert_array_equal(*told)
    np.testing.assert_allclose(told[0], lifted(clip, clip.pixels, network(assumed_focal=0.8)), atol=1e-7)
    assert np.abs(lifted(clip, clip.pixels, first) - told[0]).max() > 1e-3
    plain = network()
    np.testing.assert_array_equal(
        lifted(clip, clip.pixels, plain), lifted(clip, clip.pixels, plain, focal=0.8 * clip.size[0])
    )


@pytest.mark.parametrize("name", ["mixste", "gla_gcn"])
def test_blocks_and_single_frames_give_the_same(name, clip, network, monkeypatch):
    trained = network(name, assumed_focal=0.9)
    screen = normalise_screen(clip.pixels.astype(np.float32), clip.size)
    whole = np.concatenate(list(passes(trained, screen)))
    causal = np.concatenate(list(passes(trained, screen, 2)))
    monkeypatch.setattr(lifting, "WINDOWS_AT_A_TIME", 1)
    np.testing.assert_allclose(np.concatenate(list(passes(trained, screen))), whole, atol=1e-5)
    live = Live(trained, "h36m", clip.size, 2)
    pushed = [live.push(frame)[1] for frame in clip.pixels]
    np.testing.assert_allclose(np.concatenate([*pushed, live.close()[1]]), causal, atol=1e-5)


def test_pixels_are_no_screen_coordinates(clip, network):
    with pytest.raises(InputError, match="input poses: coordinates up to .* look like pixels"):
        next(passes(network(assumed_focal=0.9), clip.pixels))
