"""What lifting gives: one sequence for each person, and a sentence about what in it was not seen."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from poselib.data.sequences import Motion
from poselib.errors import InputError
from poselib.lifting.trained import Description
from poselib.skeleton import Skeleton


@dataclass(frozen=True)
class Person:
    """One person's sequence.

    `frames` (F,) are the input's own frame numbers, with a break where the person was not seen for long; `poses_3d` is
    (F, J, 3) float32 in metres, root-relative, camera frame (x right, y down, z forward). `filled` (F, J) is True where
    a joint was not seen in 2D and stands between or beside frames where it was; `confidence` (F, J) is 0 there, and
    else the detector's. `root_path_estimate` (F, 3) in metres, camera frame, see `root_path`; None without a focal
    length, NaN where too few joints were seen.
    """

    person: str
    frames: np.ndarray
    poses_3d: np.ndarray
    filled: np.ndarray
    confidence: np.ndarray
    root_path_estimate: np.ndarray | None = None

    @property
    def breaks(self) -> int:
        """How often frames are left out between others: too long to fill in or, with `look_ahead`, of any length."""
        return int((np.diff(self.frames) > 1).sum())


@dataclass(frozen=True, repr=False)
class Lifted:
    """The people of one input, in the order in which they appear, `fps` frames per second.

    `left_out` says of the others why; `checkpoint` and `about` name the network and what it was trained for.
    """

    people: tuple[Person, ...]
    left_out: Mapping[str, str]
    skeleton: Skeleton
    fps: float
    checkpoint: str
    about: Description

    def __repr__(self) -> str:
        return f"<Lifted by {self.checkpoint}: {self.summary}>"

    @property
    def person(self) -> Person:
        """The only person.

        Raises:
            InputError: there are several.
        """
        if len(self.people) != 1:
            names = ", ".join(one.person for one in self.people)
            raise InputError(f"{len(self.people)} people were lifted, {names}; take one of .people")
        return self.people[0]

    @property
    def poses_3d(self) -> np.ndarray:
        """(F, J, 3) metres, root-relative, camera frame, of the only person."""
        return self.person.poses_3d

    @property
    def motions(self) -> tuple[Motion, ...]:
        """Everybody on a floor, for pictures: z up is the camera's up, y away from it; the root keeps its place."""
        found = []
        for one in self.people:
            positions = one.poses_3d[..., [0, 2, 1]] * np.float32([1, 1, -1])
            positions[..., 2] -= positions[..., 2].min()
            title = (f"person {one.person}", f"lifted by {self.checkpoint} ({self.about.limits})")
            found.append(Motion(*title, self.skeleton, self.fps, positions))
        return tuple(found)

    @property
    def summary(self) -> str:
        """One sentence: who, how long, what was filled in, what is missing."""
        frames = sum(len(one.frames) for one in self.people)
        joints = sum(int(one.filled.sum()) for one in self.people)
        within = sum(int(one.filled.any(axis=1).sum()) for one in self.people)
        breaks = sum(one.breaks for one in self.people)
        parts = [f"{_count(len(self.people), 'person', 'people')}, {_count(frames, 'frame')} at {self.fps:g} fps"]
        share = joints / max(1, frames * len(self.skeleton))
        parts.append(f"{_count(joints, 'joint')} not seen and filled in ({share:.1%}) in {_count(within, 'frame')}")
        parts.append(_count(breaks, "break"))
        if self.left_out:
            person, why = next(iter(self.left_out.items()))
            parts.append(f"{_count(len(self.left_out), 'person', 'people')} left out, as person {person}: {why}")
        return "; ".join(parts)


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
