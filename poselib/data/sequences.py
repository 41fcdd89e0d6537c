"""The one record that every reader returns: a whole recording by one camera, with named joints and units."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from poselib.geometry import Camera
from poselib.skeleton import Skeleton


@dataclass(frozen=True)
class Motion:
    """One recorded movement before any camera looks at it.

    `positions` is (F, J, 3) in metres, world frame, z up, floor at z = 0; `split` as for `Sequence`.
    """

    subject: str
    action: str
    skeleton: Skeleton
    fps: float
    positions: np.ndarray
    split: str | None = None

    def thinned(self, every: int) -> "Motion":
        """With only every so many frames, at the lower rate."""
        return replace(self, fps=self.fps / every, positions=self.positions[::every])


@dataclass(frozen=True)
class Sequence:
    """One video: a movement seen by one camera.

    `poses_3d` is (F, J, 3) in metres, camera frame, with the root at its true position; `poses_2d` maps each detector
    ('gt', 'cpn') to (F, J, 2) in pixels of `camera.size`. `action` is the name of the recording, trial included.
    `split` is 'train' or 'test' where the files themselves say it; `valid` (F,) says which frames count in a test, all
    of them if None.
    """

    subject: str
    action: str
    camera: Camera
    skeleton: Skeleton
    fps: float
    poses_3d: np.ndarray
    poses_2d: Mapping[str, np.ndarray]
    split: str | None = None
    valid: np.ndarray | None = None

    def thinned(self, every: int) -> "Sequence":
        """With only every so many frames, at the lower rate."""
        return replace(
            self,
            fps=self.fps / every,
            poses_3d=self.poses_3d[::every],
            poses_2d={detector: poses[::every] for detector, poses in self.poses_2d.items()},
            valid=None if self.valid is None else self.valid[::every],
        )
