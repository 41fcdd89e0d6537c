"""Which frames form a clip: the training grid, the evaluation windows, and how windows become a sequence again.

Windows are numbers, not copies: `array[windows.frame_numbers(some)]` gathers a batch from the memory-mapped set.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Windows:
    """Clips of equal length inside the videos of a prepared set.

    `starts` (n,) may lie before a video's first frame and a clip may end behind its last one; those places repeat the
    edge frame. `first` and `last` (n,) bound the video, `video` (n,) numbers it. All count frames of the whole set.
    """

    length: int
    starts: np.ndarray
    first: np.ndarray
    last: np.ndarray
    video: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    def frame_numbers(self, clips: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Frames of the chosen clips, (B, T)."""
        grid = self.starts[clips, None] + np.arange(self.length)
        return np.clip(grid, self.first[clips, None], self.last[clips, None])

    def select(self, clips: np.ndarray) -> "Windows":
        """Only these clips."""
        return Windows(self.length, self.starts[clips], self.first[clips], self.last[clips], self.video[clips])


def training_starts(frames: int, length: int) -> np.ndarray:
    """First frames of the non-overlapping chunks that cover a video; the grid is centred and may stick out.

    MixSTE's grid: ceil(F / T) chunks, the first starting at -((ceil(F / T) T - F) // 2).
    """
    chunks = -(-frames // length)
    return np.arange(chunks) * length - (chunks * length - frames) // 2


def evaluation_starts(frames: int, length: int) -> np.ndarray:
    """First frames of the chunks that cover a video from frame 0; the last one ends with the video and may overlap.

    A video shorter than a clip gives one chunk, whose tail repeats the last frame.
    """
    regular = np.arange(0, max(frames - length, 0) + 1, length)
    return regular if frames <= length or frames % length == 0 else np.append(regular, frames - length)


def cut(videos: Iterable[tuple[int, int]], length: int, starts) -> Windows:
    """Windows over videos given as (first frame, number of frames); `starts` is one of the two functions above."""
    videos = list(videos)
    own = [starts(frames, length) for _, frames in videos]
    counts = [len(offsets) for offsets in own]
    first = np.repeat([start for start, _ in videos], counts)
    last = np.repeat([start + frames - 1 for start, frames in videos], counts)
    return Windows(length, np.concatenate(own) + first, first, last, np.repeat(np.arange(len(videos)), counts))


def stitch(clips: np.ndarray, windows: Windows) -> np.ndarray:
    """Clips put together so that every frame of every video stands exactly once; the earlier clip wins an overlap.

    Args:
        clips: (n, T, ...) values of evaluation windows, videos in order.

    Returns:
        (N, ...) with the videos' frames behind one another.
    """
    numbers = windows.starts[:, None] + np.arange(windows.length)
    taken = np.concatenate(([-1], np.maximum.accumulate(np.minimum(numbers[:, -1], windows.last))[:-1]))
    keep = (numbers > taken[:, None]) & (numbers <= windows.last[:, None])
    return clips[keep]
