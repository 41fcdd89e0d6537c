"""The root's path from poses and pixels: exact where both are."""

import numpy as np
import pytest

import poselib
from poselib.geometry import project
from poselib.lifting.root_path import estimate_root_path


@pytest.fixture
def exact(clip):
    """True root-relative poses, their pixels from the image's centre by an ideal camera, the root's path."""
    poses = clip.poses_3d.astype(float)
    pixels = project(poses, (1100.0, 1100.0, 0.0, 0.0, 0, 0, 0, 0, 0), distortion=False)
    return poses - poses[:, :1], pixels, poses[:, 0]


def test_true_poses_give_the_true_path(exact):
    poses, pixels, path = exact
    assert path[:, 2].min() > 3 and np.ptp(path, axis=0).max() > 0.02
    found = estimate_root_path(poses, pixels, np.ones(pixels.shape[:2]), 1100.0)
    np.testing.assert_allclose(found, path, atol=1e-3)


def test_a_joint_that_was_not_seen_has_no_say_and_four_are_enough(exact):
    poses, pixels, path = exact
    weights = np.zeros(pixels.shape[:2])
    weights[:, [0, 4, 9, 13]] = 0.3
    spoilt = pixels + 500 * (weights == 0)[..., None]
    np.testing.assert_allclose(estimate_root_path(poses, spoilt, weights, 1100.0), path, atol=1e-3)
    weights[5, 0] = 0
    found = estimate_root_path(poses, spoilt, weights, 1100.0)
    assert np.flatnonzero(np.isnan(found).any(axis=1)).tolist() == [5]


def test_a_body_lifted_too_large_is_placed_too_far_away(exact):
    poses, pixels, path = exact
    found = estimate_root_path(1.1 * poses, pixels, np.ones(pixels.shape[:2]), 1100.0)
    np.testing.assert_allclose(found, 1.1 * path, atol=1e-3)


def test_noise_of_a_pixel_moves_the_path_by_little_across_and_more_in_depth(exact):
    poses, pixels, path = exact
    noisy = pixels + np.random.default_rng(0).normal(size=pixels.shape)
    error = np.abs(estimate_root_path(poses, noisy, np.ones(pixels.shape[:2]), 1100.0) - path).mean(axis=0)
    assert (error[:2] < 0.01).all() and error[2] < 0.1


def test_lifting_estimates_the_path_only_with_a_focal_length(clip, network):
    given = {"joints": "h36m", "image_size": clip.size, "fps": 25, "checkpoint": network()}
    assert poselib.lift(clip.pixels, **given).person.root_path_estimate is None
    person = poselib.lift(clip.pixels, **given, focal=clip.focal[0]).person
    centred = clip.pixels - np.array(clip.size) / 2
    expected = estimate_root_path(person.poses_3d, centred, np.ones((40, 17)), clip.focal[0])
    np.testing.assert_allclose(person.root_path_estimate, expected, rtol=1e-4, atol=1e-4)
