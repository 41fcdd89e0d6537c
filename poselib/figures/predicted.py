"""What stages predicted of the test videos, beside the truth, for exploring."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from poselib.data.prepared import PreparedSet, Video, open_prepared
from poselib.errors import InputError
from poselib.experiments import load_experiments
from poselib.metrics import MILLIMETRES, joint_errors
from poselib.records import predictions_of
from poselib.skeleton import Skeleton


@dataclass(frozen=True)
class Predicted:
    """Predictions of one experiment: `poses` (N, J, 3) metres, root-relative, camera frame, of these `frames` (N,)."""

    prepared: PreparedSet
    poses: np.ndarray
    frames: np.ndarray

    @property
    def skeleton(self) -> Skeleton:
        """The joints of poses and truth."""
        return self.prepared.skeleton

    @cached_property
    def truth(self) -> np.ndarray:
        """(N, J, 3) metres, root-relative, camera frame."""
        poses = np.array(self.prepared.poses_3d[self.frames])
        poses[:, self.skeleton.root] = 0
        return poses

    @cached_property
    def errors_mm(self) -> np.ndarray:
        """(N, J)."""
        return MILLIMETRES * joint_errors(self.poses, self.truth)

    @cached_property
    def speeds_mm(self) -> np.ndarray:
        """(N, J) true root-relative speeds, mm per frame; NaN in the first frame of a video."""
        speeds = np.full(self.truth.shape[:2], np.nan, np.float32)
        speeds[1:] = MILLIMETRES * joint_errors(self.truth[1:], self.truth[:-1])
        starts = [video.start for video in self.prepared.videos]
        speeds[np.isin(self.frames, starts)] = np.nan
        return speeds

    @cached_property
    def videos(self) -> dict[str, Video]:
        """The test videos by name."""
        return {f"{v.subject} {v.action}, camera {v.camera}": v for v in self.prepared.split("test")}

    def rows(self, video: Video) -> np.ndarray:
        """Where the video's frames stand among the predicted ones."""
        return np.flatnonzero((self.frames >= video.start) & (self.frames < video.start + video.frames))

    def video_at(self, row: int) -> str:
        """Name of the video that a predicted frame is of."""
        frame = self.frames[row]
        return next(name for name, video in self.videos.items() if 0 <= frame - video.start < video.frames)


def available(root: Path, role: str) -> list[str]:
    """Experiments on a role, in its own joints, whose predictions are in predictions/.

    Raises:
        InputError: none, with what to run.
    """
    runs = load_experiments(root).items()
    own = [name for name, run in runs if run.role == role and not run.joints]
    found = [name for name in own if (root / "predictions" / f"{name}.npz").is_file()]
    if not found:
        raise InputError(f"no predictions for role {role} in predictions/ yet; run 'make repro' once, then this again")
    return found


def opened(root: Path, name: str) -> Predicted:
    """The predictions of an experiment and the set they are of.

    Raises:
        InputError: no predictions or no prepared set here, or they are not of one another.
    """
    found: Mapping = predictions_of(root, name)
    prepared = open_prepared(root / "data/prepared" / load_experiments(root)[name].role)
    poses, frames = found["poses_3d"], found["frames"]
    if frames.max() >= len(prepared.poses_3d) or poses.shape[1] != len(prepared.skeleton):
        raise InputError(f"predictions/{name}.npz is not of {prepared.folder}; run 'dvc repro' again")
    return Predicted(prepared, poses, frames)
