"""Which tokens of a window are key-frames.

Uplift-and-Upsample, Sec. 3 and 4 (WACV 2023), as its released code does. A window is T tokens, `stride_out` frames
apart, with the middle one, T // 2, on the frame it stands for; a key-frame is a token that has a 2D pose, one every
`stride_in` frames. Frames are counted from 0 in every video; both strides are frames at 50 Hz.
"""

from collections.abc import Sequence

import numpy as np

from poselib.errors import InputError


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
        strides = f"input stride {stride_in.max()} is not a multiple of the output stride {stride_out}"
        raise InputError(f"{strides}; choose one that is")
    return (_offsets(tokens, stride_out) + shift[:, None]) % stride_in[:, None] == 0


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


def _offsets(tokens: int, stride_out: int) -> np.ndarray:
    return (np.arange(tokens) - tokens // 2) * stride_out
