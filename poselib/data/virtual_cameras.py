"""Cameras made up at random around a person: any side, height, distance and focal length, pointing past them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from poselib.geometry import project

Range = tuple[float, float]


@dataclass(frozen=True)
class Views:
    """Where cameras stand and how they look, one number (N,) each.

    `distance` is how near the person's root may come to the camera on the floor, `height` is above the floor, both in
    metres; `azimuth` the side they stand on, `roll` and `aside`, `above` by how much the axis misses the person, in
    degrees; `focal` is in widths of the image. No lens distortion, principal point in the middle.
    """

    distance: np.ndarray
    height: np.ndarray
    azimuth: np.ndarray
    roll: np.ndarray
    aside: np.ndarray
    above: np.ndarray
    focal: np.ndarray

    def but(self, **fixed: float) -> "Views":
        """The same cameras but for what is given, which is one number for all."""
        return replace(self, **{name: np.full_like(self.azimuth, value) for name, value in fixed.items()})

    @property
    def screen_focal(self) -> np.ndarray:
        """Focal lengths (N,) in the unit of normalised screen coordinates, half the width."""
        return 2 * self.focal


def draw(random: np.random.Generator, count: int, ranges: Mapping[str, Range]) -> Views:
    """Cameras on every side; the rest is drawn evenly from its range, distance and focal length by their logarithm."""
    drawn = {name: random.uniform(*ends, count) for name, ends in ranges.items() if name not in ("distance", "focal")}
    for name in ("distance", "focal"):
        drawn[name] = np.exp(random.uniform(*np.log(ranges[name]), count))
    return Views(azimuth=random.uniform(0, 360, count), **drawn)


def film(world: np.ndarray, views: Views) -> tuple[np.ndarray, np.ndarray]:
    """What every camera sees of its own clip.

    Args:
        world: (N, T, J, 3) metres, z up, floor at z = 0, the root first.

    Returns:
        Normalised screen coordinates (N, T, J, 2), and positions (N, T, J, 3) in metres, camera frame.
    """
    root = world[:, :, 0]
    middle = root.mean(axis=1)
    reach = np.linalg.norm((root - middle[:, None])[..., :2], axis=-1).max(axis=1)
    azimuth = np.radians(views.azimuth)
    away = np.stack([np.cos(azimuth), np.sin(azimuth)], axis=-1) * (views.distance + reach)[:, None]
    place = np.concatenate([middle[:, :2] + away, views.height[:, None]], axis=-1)
    # Rows are the camera's axes: x right, y down, z forward.
    forward = middle - place
    forward /= np.linalg.norm(forward, axis=-1, keepdims=True)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    axes = np.stack([right, np.cross(forward, right), forward], axis=-2)
    past = Rotation.from_euler("zxy", np.stack([views.roll, views.above, views.aside], axis=-1), degrees=True)
    poses = (world - place[:, None, None]) @ np.swapaxes(past.as_matrix() @ axes, -1, -2)[:, None]
    intrinsics = np.zeros((len(world), 1, 1, 9))
    intrinsics[..., :2] = views.screen_focal[:, None, None, None]
    return project(poses, intrinsics), poses
