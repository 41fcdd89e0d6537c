"""Clips of one array as batches, mirrored where asked, in memory that every batch takes again."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from poselib.data.windows import Windows

# What is copied, mirrored and stored at a time stays in a core's cache.
BYTES_AT_A_TIME = 2**19
# Of the first of two float32 in one number of 64 bits.
SIGN = np.uint64(2**31)


class Clips:
    """The clips of `windows` in poses (N, J, C), gathered by number; a number beyond the windows means a mirror image.

    Only the frames asked for are read. Numpy does it all in one thread: torch's others take longer than they save.

    Args:
        poses: an array of float32, or `Derived` from some.
        flip: `Skeleton.flip`.
        root: the joint that is set to the origin, if any.
    """

    def __init__(self, poses, windows: Windows, flip: Sequence[int], root: int | None = None):
        self.poses, self.windows, self.root = poses, windows, root
        frames, joints, self.channels = poses.shape
        self.flip = np.array(flip)
        self.columns = np.array([joint * self.channels + c for joint in flip for c in range(self.channels)])
        self.memory = np.empty((0, windows.length, joints, self.channels), np.float32)
        self.whole = np.zeros(len(windows), bool)
        if isinstance(poses, np.ndarray) and windows.step == 1 and frames >= windows.length:
            # A clip inside its video is one piece of the array.
            self.poses, row = np.asarray(poses), joints * self.channels
            self.pieces = np.lib.stride_tricks.sliding_window_view(self.poses.reshape(-1), windows.length * row)[::row]
            self.whole = (windows.starts >= windows.first) & (windows.starts + windows.length - 1 <= windows.last)

    def gather(self, numbers: np.ndarray) -> Tensor:
        """The clips of these numbers (B,), (B, T, J, C); valid until the next call, which writes to the same memory."""
        if len(numbers) > len(self.memory):
            self.memory = np.empty((len(numbers), *self.memory.shape[1:]), np.float32)
        batch = self.memory[: len(numbers)]
        mirrored, clips = np.divmod(numbers, len(self.windows))
        kinds, rows = 2 * mirrored + self.whole[clips], batch.reshape(len(batch), -1)
        step = max(1, BYTES_AT_A_TIME // self.memory[:1].nbytes)
        for kind in np.unique(kinds):
            places = np.flatnonzero(kinds == kind)
            for begin in range(0, len(places), step):
                some = places[begin : begin + step]
                copies = self._copies(clips[some], whole=kind % 2)
                rows[some] = (self._mirror(copies) if kind >= 2 else copies).reshape(len(some), -1)
        return torch.from_numpy(batch)

    def _copies(self, clips: np.ndarray, whole: bool) -> np.ndarray:
        windows = self.windows
        poses = self.pieces[windows.starts[clips]] if whole else self.poses[windows.frame_numbers(clips)]
        poses = poses.reshape(-1, len(self.columns))
        if self.root is not None:
            poses[:, self.root * self.channels : (self.root + 1) * self.channels] = 0
        return poses

    def _mirror(self, poses: np.ndarray) -> np.ndarray:
        # As `geometry.mirror`; two coordinates move as one number in half of the time.
        if self.channels == 2:
            pairs = np.take(poses.view(np.uint64), self.flip, axis=1)
            pairs ^= SIGN
            return pairs.view(np.float32)
        mirrored = np.take(poses, self.columns, axis=1)
        x = mirrored.reshape(-1)[:: self.channels]
        np.negative(x, out=x)
        return mirrored
