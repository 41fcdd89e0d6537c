"""The frame of a camera that points at the person: place, size and side are taken out and given back."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from poselib.data.person_frame import from_person, of_person, to_person, towards_person
from poselib.geometry import mirror
from poselib.skeleton import H36M_17

FOCAL = 1.7


@pytest.fixture
def screen():
    """Five frames of somebody right of and below the middle."""
    return np.random.default_rng(0).uniform(-0.2, 0.2, (5, 17, 2)) + [0.6, 0.3]


def test_place_and_size_are_taken_out(screen):
    seen = of_person(screen)
    np.testing.assert_allclose(seen.mean(axis=-2), 0, atol=1e-12)
    np.testing.assert_allclose((seen**2).mean(axis=(-2, -1)), 1)
    np.testing.assert_allclose(of_person(3 * screen - [2, 1]), seen, atol=1e-12)
    np.testing.assert_allclose(of_person(mirror(screen, H36M_17.flip)), mirror(seen, H36M_17.flip), atol=1e-12)
    assert np.isfinite(of_person(np.zeros((2, 17, 2)))).all()


def test_the_axes_are_those_of_a_camera_that_points_at_the_person(screen):
    axes = towards_person(screen, FOCAL)
    np.testing.assert_allclose(axes @ np.swapaxes(axes, -1, -2), np.tile(np.eye(3), (5, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(axes), 1)
    ray = np.concatenate([screen.mean(axis=-2) / FOCAL, np.ones((5, 1))], axis=-1)
    turned = (axes @ ray[..., None])[..., 0]
    np.testing.assert_allclose(turned, np.linalg.norm(ray, axis=-1)[:, None] * [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(axes[:, 0, 1], 0, atol=1e-12)


def test_a_camera_that_turns_sideways_changes_nothing():
    """Somebody so far away that the mean of the joints is the same ray in every picture."""
    random = np.random.default_rng(1)
    poses, place = random.uniform(-0.5, 0.5, (3, 17, 3)), np.array([800.0, 300.0, 3000.0])
    found = []
    for degrees in (0, 12, -9):
        turn = Rotation.from_euler("y", degrees, degrees=True).as_matrix().T
        seen = (poses + place) @ turn
        found.append(to_person(poses @ turn, FOCAL * seen[..., :2] / seen[..., 2:], FOCAL))
    np.testing.assert_allclose(found[1], found[0], atol=2e-3)
    np.testing.assert_allclose(found[2], found[0], atol=2e-3)
    assert np.abs(found[0] - poses).max() > 0.1


def test_turning_there_and_back_is_nothing_in_arrays_and_tensors(screen):
    poses = np.random.default_rng(2).normal(size=(5, 17, 3))
    there = to_person(poses, screen, FOCAL)
    np.testing.assert_allclose(from_person(there, screen, FOCAL), poses, atol=1e-12)
    given = torch.from_numpy(poses), torch.from_numpy(screen)
    np.testing.assert_allclose(to_person(*given, FOCAL).numpy(), there, atol=1e-12)
    np.testing.assert_allclose(of_person(given[1]).numpy(), of_person(screen), atol=1e-12)
