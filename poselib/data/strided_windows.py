"""Windows of every fifth (or so) frame, which of these are key-frames, and the frames between them.

Uplift-and-Upsample, Sec. 3 and 4 (WACV 2023), as its released code does. A window is T tokens, `stride_out` frames
apart, with the middle one, T // 2, on the frame it stands for; a key-frame is a token that has a 2D pose, one every
`stride_in` frames. Frames are counted from 0 in every video; both strides are frames at 50 Hz.
"""

from collections.abc import Sequence

import numpy as np

from poselib.errors import InputError


def window_frames(centres: np.ndarray, tokens: int, stride_out: int, frames: int | np.ndarray) -> np.ndarray:
    """Frames of the windows around these centres, (B, T).

    Places outside the video repeat the last frame of the window's own grid that lies inside it.

    Args:
        centres: (B,) frames.
        frames: length of the video, or (B,) lengths of each centre's.
    """
    first = centres % stride_out
    last = centres + (np.asarray(frames) - 1 - centres) // stride_out * stride_out
    grid = centres[:, None] + _offsets(tokens, stride_out)
    return np.clip(grid, first[:, None], np.broadcast_to(last, centres.shape)[:, None])


def key_frame_mask(
    tokens: int, stride_out: int, stride_in: int | np.ndarray, shift: int | np.ndarray = 0
) -> np.ndarray:
    """True at the tokens that are key-frames, (B, T).

    Args:
        stride_in: one for all windows, or (B,).
        shift: frame of the middle token counted from a key-frame, one for all or (B,): the centres in evaluation, so
            that key-frames are the multiples of `stride_in` in the video.

    Raises:
        InputError: a `stride_in` that is no multiple of `stride_out`.
    """
    stride_in, shift = np.atleast_1d(stride_in), np.atleast_1d(shift)
    if (stride_in % stride_out).any():
        raise InputError(f"input stride {stride_in.max()} is not a multiple of the output stride {stride_out}")
    return (_offsets(tokens, stride_out) + shift[:, None]) % stride_in[:, None] == 0


def without_leak(key_frames: np.ndarray, frames: np.ndarray, stride_in: int) -> np.ndarray:
    """Key-frames (B, T) without those whose place holds the repeated pose of another frame.

    The released code counts multiples of `stride_in` behind the end of the video as key-frames and gives them the last
    frame's 2D pose, which a sparse detector would not have. `frames` are those of `window_frames`.
    """
    return key_frames & (frames % stride_in == 0)


def draw_key_frames(
    random: np.random.Generator, windows: int, tokens: int, stride_out: int, strides_in: Sequence[int]
) -> np.ndarray:
    """Key-frames for training, (B, T): each window draws its `stride_in` and then a phase, all equally likely.

    A window shorter than the drawn stride may hold none.
    """
    stride_in = random.choice(np.asarray(strides_in), windows)
    phases = stride_in // stride_out
    shift = stride_out * random.integers(-(phases // 2), -(phases // 2) + phases)
    return key_frame_mask(tokens, stride_out, stride_in, shift)


def interpolate(poses: np.ndarray, frames: np.ndarray, stride: int) -> np.ndarray:
    """Poses of all frames from those of every stride-th one, linear in time; the last one is held.

    Args:
        poses: (N, ...), videos behind one another; only what stands at multiples of `stride` is read.
        frames: (N,) frame numbers; a video ends where they do not grow.

    Returns:
        (N, ...), same unit.

    Raises:
        InputError: a video whose first frame is not a multiple of `stride`.
    """
    keys = np.flatnonzero(frames % stride == 0)
    starts = np.concatenate(([True], np.diff(frames) <= 0))
    if (frames[starts] % stride).any():
        raise InputError(f"a video starts at a frame that is no multiple of {stride}; keep it from frame 0")
    video = np.cumsum(starts)
    position = np.cumsum(frames % stride == 0) - 1
    before, after = keys[position], keys[np.minimum(position + 1, len(keys) - 1)]
    after = np.where(video[after] == video, after, before)
    weight = (frames - frames[before]) / np.maximum(frames[after] - frames[before], 1)
    weight = np.where(after == before, 0, weight).astype(poses.dtype).reshape(-1, *[1] * (poses.ndim - 1))
    return poses[before] + weight * (poses[after] - poses[before])


def _offsets(tokens: int, stride_out: int) -> np.ndarray:
    return (np.arange(tokens) - tokens // 2) * stride_out
