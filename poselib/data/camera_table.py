"""The published cameras of Human3.6M, as a table and as a pool from which virtual cameras are drawn."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from array_api_compat import array_namespace

from poselib.geometry import Camera, conjugate, project, rotate

TRAIN_RIGS = ("S1", "S5", "S6", "S7", "S8")
TEST_RIGS = ("S9", "S11")
# The released Uplift-and-Upsample draws from all 28, which shows training the cameras of the test subjects (D-80).
POOLS = {"training": TRAIN_RIGS, "all": (*TRAIN_RIGS, *TEST_RIGS)}


@cache
def cameras() -> Mapping[str, tuple[Camera, ...]]:
    """The published cameras: subject -> four cameras in the order of the files."""
    table = json.loads((Path(__file__).parent / "h36m_cameras.json").read_text())
    return {
        subject: tuple(
            Camera(
                id=inner["id"],
                **{name: tuple(inner[name]) for name in ("size", "focal", "centre", "radial", "tangential")},
                orientation=tuple(outer["orientation"]),
                position=tuple(millimetres / 1000 for millimetres in outer["position_mm"]),
            )
            for inner, outer in zip(table["intrinsics"], rig, strict=True)
        )
        for subject, rig in table["extrinsics"].items()
    }


@cache
def intrinsics() -> Mapping[str, tuple[float, ...]]:
    """The nine normalised intrinsics of each camera by its id; they are the same in all rigs."""
    return {camera.id: camera.intrinsics for rig in cameras().values() for camera in rig}


@dataclass(frozen=True)
class CameraPool:
    """Cameras as arrays, row by row: quaternions (C, 4), positions (C, 3) in metres, normalised intrinsics (C, 9)."""

    names: tuple[str, ...]
    orientations: np.ndarray
    positions: np.ndarray
    intrinsics: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def film(self, world, chosen: np.ndarray):
        """What cameras see of people, as Uplift and Upsample's released code does: exact, nobody is left out of view.

        Args:
            world: (..., J, 3) array or tensor, metres, z up.
            chosen: rows of the pool, broadcast over the leading axes of `world`.

        Returns:
            Normalised screen coordinates (..., J, 2) with lens distortion, the rays cut off at 45 degrees from the
            axis, and camera-frame positions (..., J, 3) in metres.
        """
        xp = array_namespace(world)
        rows = (self.orientations, self.positions, self.intrinsics)
        orientation, position, intrinsics = (xp.asarray(part[chosen])[..., None, :] for part in rows)
        poses = rotate(conjugate(orientation), world - position)
        return project(poses, intrinsics), poses


@cache
def camera_pool(name: str) -> CameraPool:
    """The 20 cameras of the 'training' subjects, or 'all' 28, in which those come first."""
    named = {f"{rig}/{camera.id}": camera for rig in POOLS[name] for camera in cameras()[rig]}
    columns = ([getattr(camera, key) for camera in named.values()] for key in ("orientation", "position", "intrinsics"))
    return CameraPool(tuple(named), *(np.array(column, np.float32) for column in columns))
