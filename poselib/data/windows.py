"""Which frames form a clip: the training grid, the evaluation windows, and how windows become a sequence again.

Windows are numbers, not copies: `array[windows.frame_numbers(some)]` gathers a batch from the memory-mapped set.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Windows:
    """Clips of equal length inside the videos of a prepared set.

    A clip is `length` frames, `step` apart, from `starts` (n,), which may lie before a video's first frame, as the end
    may lie behind its last one; those places repeat the edge frame, the last of the clip's own grid inside the video.
    `first` and `last` (n,) bound the video, `video` (n,) numbers it. All count frames of the whole set.
    """

    length: int
    starts: np.ndarray
    first: np.ndarray
    last: np.ndarray
    video: np.ndarray
    step: int = 1

    def __len__(self) -> int:
        return len(self.starts)

    def frame_numbers(self, clips: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Frames of the chosen clips, (B, T)."""
        starts, first, last = self.starts[clips], self.first[clips], self.last[clips]
        first, last = first + (starts - first) % self.step, last - (last - starts) % self.step
        grid = starts[:, None] + np.arange(self.length) * self.step
        return np.clip(grid, first[:, None], last[:, None])

    def centres(self, clips: np.ndarray | slice = slice(None)) -> np.ndarray:
        """The middle frames of the chosen clips, counted from the beginning of their video, (B,)."""
        return self.starts[clips] + self.length // 2 * self.step - self.first[clips]

    def middles(self) -> "Windows":
        """The middle frame of every clip, as a clip of one frame."""
        return replace(self, length=1, step=1, starts=self.starts + self.length // 2 * self.step)

    def select(self, clips: np.ndarray) -> "Windows":
        """Only these clips."""
        return replace(self, **{name: getattr(self, name)[clips] for name in ("starts", "first", "last", "video")})


def training_starts(frames: int, length: int, interval: int | None = None) -> np.ndarray:
    """First frames of the chunks that cover a video, `interval` apart; the grid is centred and may stick out.

    Without an interval chunks do not overlap, which is MixSTE's grid: ceil(F / T) chunks, the first starting at
    -((ceil(F / T) T - F) // 2). With 1 there is a chunk for every place within the video (MixSTE, Fig. 8).
    """
    interval = interval or length
    chunks = 1 + max(0, -(-(frames - length) // interval))
    return np.arange(chunks) * interval - ((chunks - 1) * interval + length - frames) // 2


def evaluation_starts(frames: int, length: int) -> np.ndarray:
    """First frames of the chunks that cover a video from frame 0; the last one ends with the video and may overlap.

    A video shorter than a clip gives one chunk, whose tail repeats the last frame.
    """
    regular = np.arange(0, max(frames - length, 0) + 1, length)
    return regular if frames <= length or frames % length == 0 else np.append(regular, frames - length)


def cut(videos: Iterable[tuple[int, int]], length: int, starts) -> Windows:
    """Windows over videos given as (first frame, number of frames); `starts` is such a function as above."""
    return _windows(videos, length, lambda frames: starts(frames, length))


def centred(videos: Iterable[tuple[int, int]], length: int, step: int = 1, every: int = 1) -> Windows:
    """Windows around every frame, or `every`-th one, of videos given as (first frame, number of frames)."""
    return _windows(videos, length, lambda frames: np.arange(0, frames, every) - length // 2 * step, step)


def _windows(videos: Iterable[tuple[int, int]], length: int, starts, step: int = 1) -> Windows:
    videos = list(videos)
    own = [starts(frames) for _, frames in videos]
    counts = [len(offsets) for offsets in own]
    first = np.repeat([start for start, _ in videos], counts)
    last = np.repeat([start + frames - 1 for start, frames in videos], counts)
    video = np.repeat(np.arange(len(videos)), counts)
    return Windows(length, np.concatenate(own) + first, first, last, video, step)


def stitch(clips: np.ndarray, windows: Windows) -> np.ndarray:
    """Clips put together so that every frame of every video stands exactly once; the earlier clip wins an overlap.

    Args:
        clips: (n, T', ...) values of evaluation windows, videos in order; T' is T, or 1 for the middle frames only. The
            middle frames of windows `step` frames apart are joined by straight lines, the last one of a video is held.

    Returns:
        (N, ...) with the videos' frames behind one another.
    """
    if clips.shape[1] < windows.length or windows.length == 1:
        return _interpolated(clips[:, 0], windows)
    numbers = windows.starts[:, None] + np.arange(windows.length)
    taken = np.concatenate(([-1], np.maximum.accumulate(np.minimum(numbers[:, -1], windows.last))[:-1]))
    keep = (numbers > taken[:, None]) & (numbers <= windows.last[:, None])
    return clips[keep]


def _interpolated(values: np.ndarray, windows: Windows) -> np.ndarray:
    """Values (n, ...) at the windows' middle frames -> (N, ...) at every frame of their videos."""
    keys = windows.centres() + windows.first
    ends = np.flatnonzero(np.diff(windows.video, append=-1))
    frames = np.concatenate([np.arange(windows.first[end], windows.last[end] + 1) for end in ends])
    before = np.searchsorted(keys, frames, side="right") - 1
    after = np.minimum(before + 1, ends[windows.video[before]])
    weight = (frames - keys[before]) / np.maximum(keys[after] - keys[before], 1)
    weight = np.where(after == before, 0, weight).astype(values.dtype).reshape(-1, *[1] * (values.ndim - 1))
    earlier, poses = values[before], values[after]
    # In place: these are the predictions of a whole test set.
    poses -= earlier
    poses *= weight
    poses += earlier
    return poses
