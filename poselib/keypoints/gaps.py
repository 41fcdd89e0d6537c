"""Joints that a detector missed, filled in from the frames around, and other frame rates.

Linear inside, held at the ends: a network that needs every joint in every frame gets one, and the mask says which of
them nobody saw.
"""

from dataclasses import replace

import numpy as np

from poselib.errors import InputError
from poselib.keypoints.tracks import Track


def fill(track: Track) -> tuple[Track, np.ndarray]:
    """The track with every frame from its first to its last, and every joint that was seen at least once.

    Returns:
        The track, T frames, and the mask (T, J) of what was filled in, whose confidence stays 0. A joint that was never
        seen stays missed (confidence 0, at 0, 0) and is not in the mask.
    """
    frames = np.arange(track.frames[0], track.frames[-1] + 1)
    rows = track.frames - track.frames[0]
    confidence = np.zeros((len(frames), track.confidence.shape[1]), np.float32)
    confidence[rows] = track.confidence
    keypoints = np.zeros((*confidence.shape, 2), np.float32)
    keypoints[rows] = track.keypoints
    seen = confidence > 0
    for joint in np.flatnonzero(seen.any(axis=0)):
        known = np.flatnonzero(seen[:, joint])
        keypoints[:, joint] = _between(keypoints[known, joint], known, np.arange(len(frames)))
    boxes = None if track.boxes is None else _between(track.boxes, rows, np.arange(len(frames)))
    filled = replace(track, frames=frames, keypoints=keypoints, confidence=confidence, boxes=boxes)
    return filled, ~seen & seen.any(axis=0)


def resample(values: np.ndarray, fps: float, new_fps: float, count: int | None = None) -> np.ndarray:
    """Values at another frame rate, linear in time; the first sample stays where it is.

    Args:
        values: (T, ...) at `fps` frames per second.
        count: number of new frames; by default as many as reach the last frame, and the old T on the way back.
            Beyond the last frame it is held.

    Returns:
        (count, ...), dtype of `values` if floating, else float64.

    Raises:
        InputError: a rate that is not above zero.
    """
    if not (np.isfinite([fps, new_fps]).all() and fps > 0 and new_fps > 0):
        raise InputError(f"frame rates {fps} and {new_fps}: expected numbers above zero; give frames per second")
    if count is None:
        count = int(np.ceil((len(values) - 1) * new_fps / fps - 1e-9)) + 1
    return _between(values, np.arange(len(values)), np.arange(count) * fps / new_fps)


def _between(values: np.ndarray, places: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Values (n, ...) at increasing places, read off at the wanted ones; held before the first and after the last."""
    after = np.clip(np.searchsorted(places, wanted), 1, max(len(places) - 1, 1))
    if len(places) == 1:
        return np.repeat(values, len(wanted), axis=0)
    share = (wanted - places[after - 1]) / (places[after] - places[after - 1])
    share = np.clip(share, 0, 1).reshape(-1, *[1] * (values.ndim - 1))
    dtype = values.dtype if values.dtype.kind == "f" else float
    return (values[after - 1] * (1 - share) + values[after] * share).astype(dtype)
