"""Lenses that the files of a data set leave out, found from its 3D and the 2D that was projected from it."""

from dataclasses import replace

import numpy as np
from scipy.optimize import least_squares

from poselib.errors import InputError
from poselib.geometry import Camera, project

SAMPLE = 2000
"""Points that are enough for nine numbers."""
LARGEST_MISS = 0.05
"""Share of the image width that 3D and 2D may be apart, root mean square; a body scaled to a standard one is."""


def placed(id: str, size: tuple[int, int], orientation=(1.0, 0.0, 0.0, 0.0), position=(0.0, 0.0, 0.0)) -> Camera:
    """A camera whose place is known and whose lens is not; by default the world is the camera's frame."""
    return Camera(id, size, (1.0, 1.0), (0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0), tuple(orientation), tuple(position))


def fit_lens(camera: Camera, poses_3d: np.ndarray, pixels: np.ndarray, label: str) -> Camera:
    """The camera with the focal lengths, centre and distortion through which the 3D is seen at the pixels.

    Args:
        camera: see `placed`.
        poses_3d: (F, J, 3) metres, camera frame, with the root at its place.
        pixels: (F, J, 2).
        label: names file and key.

    Raises:
        InputError: a joint behind the camera, or no lens that brings 3D and 2D together.
    """
    points, seen = (array.reshape(-1, array.shape[-1]).astype(float) for array in (poses_3d, pixels))
    if points[:, 2].min() <= 0:
        raise InputError(f"{label}: a joint is behind the camera; give camera-frame 3D, z forward, root at its place")
    some = np.linspace(0, len(points) - 1, min(len(points), SAMPLE)).astype(int)
    points, seen = points[some], seen[some]
    lines = [np.polyfit(points[:, axis] / points[:, 2], seen[:, axis], 1) for axis in range(2)]
    start = [*(line[0] for line in lines), *(line[1] for line in lines), *np.zeros(5)]
    found = least_squares(lambda lens: (project(points, lens) - seen).ravel(), start, x_scale="jac")
    miss = float(np.sqrt(2 * np.mean(found.fun**2)))
    if found.x[:2].min() <= 0 or miss > LARGEST_MISS * camera.size[0]:
        raise InputError(f"{label}: the 3D misses the 2D by {miss:.0f} pixels; check axes, unit, joint order, pairing")
    lens = [float(number) for number in found.x]
    parts = {"focal": lens[:2], "centre": lens[2:4], "radial": lens[4:7], "tangential": lens[7:]}
    return replace(camera, **{name: tuple(numbers) for name, numbers in parts.items()})
