"""What the files of VideoPose3D's scripts have in common: nested dictionaries of recordings, 2D by camera, metadata."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from poselib.data.checks import check_array, check_pixels
from poselib.data.npz import read_npz
from poselib.errors import InputError
from poselib.skeleton import Skeleton


def mapping(value, label: str) -> Mapping:
    """The value, if it is a dictionary with names for keys.

    Raises:
        InputError: it is something else; `label` names file and key.
    """
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        found = "other keys than names" if isinstance(value, Mapping) else type(value).__name__
        raise InputError(f"{label}: expected a dictionary, found {found}; convert the data set again")
    return value


def metadata_of(skeleton: Skeleton) -> dict:
    """The metadata entry of a 2D file in this joint set."""
    sides = [
        [i for i, joint in enumerate(skeleton.names) if skeleton.side(joint) == side] for side in ("left", "right")
    ]
    return {"num_joints": len(skeleton), "keypoints_symmetry": sides}


class PointFile:
    """A file of 2D points: subject -> recording -> one array (F, joints, 2) for each camera, pixels.

    Raises:
        InputError: missing or damaged file, or another number of joints.
    """

    def __init__(self, path: Path, joints: int, cameras: int):
        content = read_npz(path, "positions_2d", "metadata")
        found = mapping(content["metadata"], f"{path}, metadata").get("num_joints")
        if found != joints:
            raise InputError(
                f"{path}, metadata: num_joints is {found}, expected {joints}; use the file of those joints"
            )
        self.path, self.joints, self.cameras = path, joints, cameras
        self.found = mapping(content["positions_2d"], f"{path}, positions_2d")

    def view(self, subject: str, action: str, camera: int, frames: int, size: tuple[int, int]) -> np.ndarray:
        """One camera's 2D of a recording, (frames, joints, 2) pixels of an image of this (width, height).

        Raises:
            InputError: no such recording, another number of cameras, too few frames, or no pixels.
        """
        label = f"{self.path}, {subject} {action}"
        try:
            views = list(self.found[subject][action])
        except (KeyError, TypeError, IndexError) as error:
            raise InputError(f"{label}: missing here, but in the 3D file; use files that match") from error
        if len(views) != self.cameras:
            raise InputError(f"{label}: {len(views)} cameras, expected {self.cameras}; convert it again")
        view = check_array(views[camera], f"{label}, camera {camera}", self.joints, 2)
        check_pixels(view, f"{label}, camera {camera}", size)
        if len(view) < frames:
            raise InputError(f"{label}, camera {camera}: {len(view)} frames of 2D for {frames} of 3D; convert it again")
        # Detections can outlast the motion capture; the surplus is at the end.
        return view[:frames]
