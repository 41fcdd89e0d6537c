"""Clips of one array as batches, mirrored where asked, in memory that every batch takes again."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from poselib.data.windows import Windows

# What is mirrored and stored at a time stays in a core's cache.
BYTES_AT_A_TIME = 2**19
# Of the first of two float32 in one number of 64 bits.
SIGN = np.uint64(2**31)


class Clips:
    """The clips of `windows` in poses (N, J, C), gathered by number; a number beyond the windows means a mirror image.

    Only the frames asked for are read. Numpy mirrors them in one thread: torch's others take longer than they save.

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
            self.pieces = torch.from_numpy(self.poses.reshape(-1)).unfold(0, windows.length * row, row)
            self.whole = (windows.starts >= windows.first) & (windows.starts + windows.length - 1 <= windows.last)

    def gather(self, numbers: np.ndarray) -> Tensor:
        """The clips of these numbers (B,), (B, T, J, C); valid until the next call, which writes to the same memory."""
        if len(numbers) > len(self.memory):
            self.memory = np.empty((len(numbers), *self.memory.shape[1:]), np.float32)
        batch = self.memory[: len(numbers)]
        mirrored, clips = np.divmod(numbers, len(self.windows))
        self._read(batch, clips)
        if self.root is not None:
            batch[:, :, self.root] = 0
        places, step = np.flatnonzero(mirrored), max(1, BYTES_AT_A_TIME // self.memory[:1].nbytes)
        for begin in range(0, len(places), step):
            some = places[begin : begin + step]
            batch[some] = self._mirror(batch[some].reshape(-1, len(self.columns))).reshape(-1, *batch.shape[1:])
        return torch.from_numpy(batch)

    def _read(self, batch: np.ndarray, clips: np.ndarray) -> None:
        windows, rest = self.windows, np.flatnonzero(~self.whole[clips])
        if len(rest) < len(clips):
            # What reaches beyond its video is read again.
            starts = windows.starts[clips].clip(0, len(self.pieces) - 1)
            rows = torch.from_numpy(batch.reshape(len(batch), -1))
            torch.index_select(self.pieces, 0, torch.from_numpy(starts), out=rows)
        batch[rest] = self.poses[windows.frame_numbers(clips[rest])]

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
