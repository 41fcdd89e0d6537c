"""Who is who from frame to frame, by the overlap of boxes, for files that give people no ids."""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

SMALLEST_OVERLAP = 0.3


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (N, 4) with boxes (M, 4), each x1, y1, x2, y2: (N, M)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    area = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1) for boxes in (first, second)]
    union = area[0][:, None] + area[1][None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def link(frames: Sequence[int], boxes: np.ndarray, every: Iterable[int] = ()) -> list[str]:
    """An id for each detection, "1" for the first person to appear.

    People of a frame take over the ids of the frame before such that the boxes overlap most in all; below an overlap
    of 0.3, or after a frame of the file in which they were not seen, they are new people.

    Args:
        frames: frame number of each of the N detections.
        boxes: (N, 4) x1, y1, x2, y2 in pixels.
        every: the frames of the file, those in which nobody was seen among them.

    Returns:
        (N,) ids.
    """
    frames, ids, last, known = np.asarray(frames), np.zeros(len(frames), int), np.zeros(0, int), 0
    order = np.argsort(frames, kind="stable")
    numbers = np.union1d(frames, np.fromiter(every, int))
    bounds = np.searchsorted(frames[order], [*numbers, numbers[-1] + 1])
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        here = order[start:stop]
        overlap = overlaps(boxes[here], boxes[last])
        overlap[overlap < SMALLEST_OVERLAP] = 0
        for own, other in zip(*linear_sum_assignment(overlap, maximize=True), strict=True):
            if overlap[own, other]:
                ids[here[own]] = ids[last[other]]
        for new in here[ids[here] == 0]:
            ids[new] = known = known + 1
        last = here
    return [str(number) for number in ids]
