"""Lifting while the camera runs: frame by frame in, poses out after a bounded number of frames, in bounded memory."""

from math import lcm

import numpy as np

from poselib.data.checks import check_pixels
from poselib.errors import InputError
from poselib.geometry import normalise_screen
from poselib.keypoints import Track, to_h36m_17
from poselib.keypoints.joint_sets import JOINT_SETS, set_of
from poselib.lifting.detections import one_ear_for_both
from poselib.lifting.passes import ahead_at_the_network, lift_some, plan
from poselib.lifting.trained import Trained
from poselib.skeleton import H36M_17, convert

Poses = tuple[np.ndarray, np.ndarray]


class Live:
    """One person, filmed at the network's frame rate; gives what `passes` gives with the same `look_ahead`.

    Raises:
        InputError: an unknown joint set, or a `look_ahead` that the network cannot keep.
    """

    def __init__(self, trained: Trained, joints: str, image_size: tuple[int, int], look_ahead: int = 0):
        self.trained, self.size, self.joints = trained, image_size, set_of(joints, "joints")
        self._count = len(JOINT_SETS[self.joints])
        about, length = trained.about, trained.model.config.frames
        self._ahead = ahead_at_the_network(trained, look_ahead, about.fps)
        # What is let go of is a multiple of this, so that windows stand in the buffer as they do in the sequence.
        phase = lcm(about.frame_stride, about.input_stride or 1, min(self._ahead + 1, length))
        self._reach = -(-(length * about.frame_stride + self._ahead + 1) // phase) * phase
        self._last = np.full((len(H36M_17), 2), np.nan, np.float32)
        self._buffer: list[np.ndarray] = []
        self._pushed, self._done = 0, -1

    def push(self, points: np.ndarray) -> Poses:
        """The poses that one more frame makes known.

        Args:
            points: (J, 2) pixels, or 3 with confidence; NaN, infinity or confidence 0 for a missed joint, which is held
                from before. Nothing is lifted until all joints were seen.

        Returns:
            Numbers (n,) of the frames pushed, from 0, and their poses (n, J, 3) metres, root-relative, camera frame.

        Raises:
            InputError: another shape, a joint far outside of the image, or all seen ones within two pixels of its
                corner, as in normalised coordinates; the frame is then left out.
        """
        if points.ndim != 2 or points.shape[0] != self._count or points.shape[1] not in (2, 3):
            raise InputError(f"keypoints: shape {points.shape}, expected ({self._count}, 2 or 3); push single frames")
        confidence = points[:, 2] if points.shape[1] == 3 else np.ones(self._count)
        missed = ~np.isfinite(points).all(axis=1) | ~(confidence > 0)
        places = np.where(missed[:, None], 0, points[:, :2]).astype(np.float32)
        if not missed.all():
            check_pixels(places, "keypoints", self.size)
        track = Track("", self.joints, np.zeros(1, int), places[None], (~missed).astype(np.float32)[None])
        track = to_h36m_17(one_ear_for_both(track)[0])
        self._last = np.where(track.confidence[0][:, None] > 0, track.keypoints[0], self._last)
        self._pushed += 1
        if not np.isnan(self._last).any():
            self._buffer.append(convert(normalise_screen(self._last, self.size), H36M_17, self.trained.skeleton))
        return self._due()

    def close(self) -> Poses:
        """The poses of the last frames, for which no further ones are waited; as `push`."""
        return self._due(closed=True)

    def _due(self, closed: bool = False) -> Poses:
        count = len(self._buffer)
        if not count:
            return np.zeros(0, int), np.zeros((0, len(self.trained.skeleton), 3), np.float32)
        windows, kept = plan(self.trained, count, self._ahead)
        last = windows.starts + kept[-1] * windows.step
        known = last + (self._ahead if self.trained.model.many_to_one else 0) < count
        windows = windows.select((last > self._done) & (known | closed))
        numbers, poses = lift_some(self.trained, np.stack(self._buffer), windows, kept)
        new = (numbers > self._done) & (numbers < count)
        self._done = int(numbers.max(initial=self._done))
        found = numbers[new] + self._pushed - count, poses[new]
        if count > 2 * self._reach:
            del self._buffer[: self._reach]
            self._done -= self._reach
        return found
