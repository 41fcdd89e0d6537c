"""Cameras around a person stand where they are told, look where they are told, and mirror nobody."""

import numpy as np
import pytest

from poselib.data.virtual_cameras import draw, film

RANGES = {
    "distance": (2.0, 8.0),
    "height": (0.5, 3.0),
    "roll": (0.0, 0.0),
    "aside": (0.0, 0.0),
    "above": (0.0, 0.0),
    "focal": (0.7, 1.4),
}


@pytest.fixture
def world():
    """Fifty clips (50, 9, 17, 3) of somebody who walks a metre."""
    random = np.random.default_rng(0)
    body = random.uniform(-0.5, 0.5, (50, 1, 17, 3)) + random.uniform(-2, 2, (50, 1, 1, 3)) * [1, 1, 0] + [0, 0, 1]
    return body + np.linspace(-0.5, 0.5, 9)[:, None, None] * [1, 0, 0]


@pytest.fixture
def views():
    return draw(np.random.default_rng(1), 50, RANGES)


def test_cameras_are_drawn_from_their_ranges_on_every_side(views):
    many = draw(np.random.default_rng(2), 20_000, RANGES)
    for name in ("distance", "height", "focal"):
        values, (low, high) = getattr(many, name), RANGES[name]
        assert low <= values.min() < low + 0.01 * (high - low) and high >= values.max() > high - 0.01 * (high - low)
    assert np.median(many.distance) == pytest.approx(4, abs=0.05)
    assert np.histogram(many.azimuth, 4, (0, 360))[0].min() > 4800
    assert (views.but(height=1.25).height == 1.25).all() and (views.but(height=1.25).azimuth == views.azimuth).all()


def test_the_camera_stands_at_its_height_and_distance_and_points_at_the_person(world, views):
    screen, poses = film(world, views)
    root, camera = world[:, :, 0], poses[:, :, 0]
    middle = root.mean(axis=1)
    reach = np.linalg.norm((root - middle[:, None])[..., :2], axis=-1).max(axis=1)
    away = np.hypot(views.distance + reach, middle[:, 2] - views.height)
    np.testing.assert_allclose(camera.mean(axis=1), np.stack([0 * away, 0 * away, away], axis=-1), atol=1e-9)
    near = np.sqrt(np.linalg.norm(camera, axis=-1) ** 2 - (root[..., 2] - views.height[:, None]) ** 2)
    assert (near.min(axis=1) > views.distance - 1e-9).all()
    np.testing.assert_allclose(screen, 2 * views.focal[:, None, None, None] * poses[..., :2] / poses[..., 2:])


def test_up_is_up_right_is_right_and_bodies_keep_their_shape(world, views):
    poses = film(world, views.but(height=1.0))[1]
    spread = world - world[:, :, :1], poses - poses[:, :, :1]
    np.testing.assert_allclose(*(np.linalg.norm(part, axis=-1) for part in spread), atol=1e-9)
    volumes = [np.linalg.det(part[:, 0, 1:4]) for part in spread]
    np.testing.assert_allclose(*volumes, atol=1e-9)
    higher = film(world + np.eye(3)[2] * 0.5 * (np.arange(17) == 5)[:, None], views.but(height=1.0))[0]
    assert (higher[:, :, 5, 1] < film(world, views.but(height=1.0))[0][:, :, 5, 1]).all()


@pytest.mark.parametrize(("name", "axis"), [("aside", 0), ("above", 1)])
def test_a_camera_that_looks_past_somebody_sees_them_off_the_middle(world, views, name, axis):
    poses = film(world, views.but(**{name: 10.0}))[1][:, :, 0].mean(axis=1)
    angles = np.degrees(np.arctan2(np.abs(poses[:, axis]), poses[:, 2]))
    np.testing.assert_allclose(angles, 10, atol=1e-6)
    np.testing.assert_allclose(poses[:, 1 - axis], 0, atol=1e-9)
