"""Cameras, projection, screen coordinates, mirroring and finite differences, for numpy arrays and torch tensors alike.

World frame: metres, right-handed, z up. Camera frame: metres, x right, y down, z forward. Behaviour followed:
VideoPose3D, whose projection made the ground-truth 2D files of the field.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from array_api_compat import array_namespace


@dataclass(frozen=True)
class Camera:
    """One calibrated camera; lengths in metres, intrinsics in pixels.

    `orientation` is the unit quaternion (w, x, y, z) that turns camera axes into world axes, `position` the camera
    centre in the world, `radial` (k1, k2, k3) and `tangential` (p1, p2) the lens distortion.
    """

    id: str
    size: tuple[int, int]
    focal: tuple[float, float]
    centre: tuple[float, float]
    radial: tuple[float, float, float]
    tangential: tuple[float, float]
    orientation: tuple[float, float, float, float]
    position: tuple[float, float, float]

    @property
    def intrinsics(self) -> tuple[float, ...]:
        """(fx, fy, cx, cy, k1, k2, k3, p1, p2) in normalised screen units: everything divided by half the width."""
        width, height = self.size
        fx, fy = (2 * f / width for f in self.focal)
        cx, cy = 2 * self.centre[0] / width - 1, 2 * self.centre[1] / width - height / width
        return (fx, fy, cx, cy, *self.radial, *self.tangential)


def rotate(quaternion, vectors):
    """Vectors turned by a unit quaternion.

    Args:
        quaternion: (..., 4) as (w, x, y, z), Hamilton convention.
        vectors: (..., 3), any unit.

    Returns:
        (..., 3), same unit, broadcast over the leading axes.
    """
    xp = array_namespace(quaternion, vectors)
    axis, w = quaternion[..., 1:], quaternion[..., :1]
    axis, vectors = xp.broadcast_arrays(axis, vectors)
    once = xp.linalg.cross(axis, vectors, axis=-1)
    return vectors + 2 * (w * once + xp.linalg.cross(axis, once, axis=-1))


def conjugate(quaternion):
    """The inverse rotation of a unit quaternion, (..., 4) as (w, x, y, z)."""
    xp = array_namespace(quaternion)
    return xp.concat((quaternion[..., :1], -quaternion[..., 1:]), axis=-1)


def world_to_camera(points: np.ndarray, camera: Camera) -> np.ndarray:
    """World points (..., 3) in metres, seen in the camera frame, metres."""
    orientation = np.asarray(camera.orientation, dtype=points.dtype)
    return rotate(conjugate(orientation), points - np.asarray(camera.position, dtype=points.dtype))


def camera_to_world(points: np.ndarray, camera: Camera) -> np.ndarray:
    """Camera-frame points (..., 3) in metres, placed in the world, metres."""
    orientation = np.asarray(camera.orientation, dtype=points.dtype)
    return rotate(orientation, points) + np.asarray(camera.position, dtype=points.dtype)


def project(points, intrinsics, *, distortion: bool = True):
    """Perspective projection of camera-frame points onto the screen.

    Args:
        points: (..., 3) camera frame, metres.
        intrinsics: 9 numbers (fx, fy, cx, cy, k1, k2, k3, p1, p2) or an array (..., 9); the unit of the first four is
            the unit of the result.
        distortion: leave the lens distortion out if false.

    Returns:
        (..., 2). The order of p1 and p2 is VideoPose3D's, which differs from older public code (D-12).
    """
    xp = array_namespace(points)
    if isinstance(intrinsics, Sequence):
        intrinsics = xp.asarray(intrinsics, dtype=points.dtype)
    focal, centre, radial, tangential = (intrinsics[..., s] for s in (slice(2), slice(2, 4), slice(4, 7), slice(7, 9)))
    plane = xp.clip(points[..., :2] / points[..., 2:], -1, 1)
    if not distortion:
        return focal * plane + centre
    r2 = xp.sum(plane * plane, axis=-1, keepdims=True)
    powers = xp.concat((r2, r2 * r2, r2 * r2 * r2), axis=-1)
    scale = 1 + xp.sum(radial * powers, axis=-1, keepdims=True) + xp.sum(tangential * plane, axis=-1, keepdims=True)
    return focal * (plane * scale + tangential * r2) + centre


def back_project(screen, depths, intrinsics):
    """Points on the rays through screen coordinates at given depths; inverse of `project` without distortion.

    Args:
        screen: (..., 2), in the unit of the intrinsics.
        depths: (..., 1) distance along the optical axis, metres.
        intrinsics: (..., 4 or more) array: fx, fy, cx, cy.

    Returns:
        (..., 3) camera frame, metres.
    """
    xp = array_namespace(screen, depths)
    return xp.concat(((screen - intrinsics[..., 2:4]) * depths / intrinsics[..., :2], depths), axis=-1)


def reproject(poses, screen, root_depth, intrinsics, root: int = 0):
    """Root-relative poses whose joints are moved onto the rays of their 2D joints; relative depths stay.

    Cai et al. (ICCV 2019), behaviour of the released code followed: the depth predicted for the root is ignored, lens
    distortion too. The published results take `root_depth` from the ground truth, at test time as well.

    Args:
        poses: (..., J, 3) root-relative, camera frame, metres.
        screen: (..., J, 2), in the unit of the intrinsics.
        root_depth: (...) distance of the root along the optical axis, metres.
        intrinsics: (..., 4 or more) array: fx, fy, cx, cy.

    Returns:
        (..., J, 3) root-relative, camera frame, metres.
    """
    xp = array_namespace(poses, screen)
    not_root = xp.asarray([[joint != root] for joint in range(poses.shape[-2])], device=poses.device)
    depths = root_depth[..., None, None] + xp.where(not_root, poses[..., 2:], 0)
    return centre_on_root(back_project(screen, depths, intrinsics[..., None, :]), root)


def normalise_screen(pixels, size: tuple[int, int]):
    """Pixels (..., 2) to screen coordinates: x in [-1, 1], y in [-h/w, h/w]; both axes are divided by the width."""
    width, height = size
    xp = array_namespace(pixels)
    return pixels * (2 / width) - xp.asarray([1, height / width], dtype=pixels.dtype)


def denormalise_screen(screen, size: tuple[int, int]):
    """Screen coordinates (..., 2) back to pixels; inverse of `normalise_screen`."""
    width, height = size
    xp = array_namespace(screen)
    return (screen + xp.asarray([1, height / width], dtype=screen.dtype)) * (width / 2)


def centre_on_root(poses, root: int = 0):
    """Poses (..., J, C) with the root joint moved to the origin, same unit."""
    return poses - poses[..., root : root + 1, :]


def mirror(poses, flip: Sequence[int]):
    """The pose of the mirrored person: x negated, left and right joints exchanged.

    Args:
        poses: (..., J, C) with x first, centred coordinates (screen or root-relative camera frame), any unit.
        flip: permutation (J,), `Skeleton.flip`.

    Returns:
        (..., J, C), same unit.
    """
    xp = array_namespace(poses)
    channels = poses.shape[-1]
    # One column per coordinate of a pose: moving these is several times faster than moving joints, then negating x.
    columns = xp.asarray([joint * channels + c for joint in flip for c in range(channels)], device=poses.device)
    signs = xp.asarray(([-1] + [1] * (channels - 1)) * len(flip), dtype=poses.dtype, device=poses.device)
    mirrored = xp.take(xp.reshape(poses, (-1, len(columns))), columns, axis=1)
    mirrored *= signs
    return xp.reshape(mirrored, poses.shape)


def velocity(positions):
    """Difference to the frame before, zero in the first frame (TMT, Eq. 1 and 3, with the time step omitted).

    Args:
        positions: (..., T, J, C), any frame, metres or screen units.

    Returns:
        (..., T, J, C), the same unit per frame.
    """
    xp = array_namespace(positions)
    moved = positions[..., 1:, :, :] - positions[..., :-1, :, :]
    return xp.concat((xp.zeros_like(positions[..., :1, :, :]), moved), axis=-3)


def acceleration(positions):
    """Difference of `velocity` to the frame before, zero in the first frame (TMT, Eq. 4).

    Args:
        positions: (..., T, J, C), any frame, metres.

    Returns:
        (..., T, J, C), metres per frame squared. Frame 1 holds its own velocity, since frame 0 has velocity zero.
    """
    return velocity(velocity(positions))
