"""Training losses on (B, T, J, 3) tensors in metres, root-relative, camera frame; each returns a scalar.

An experiment names its terms with their weights, for example {"weighted_position": 1, "velocity": 2}.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

# Frame distances of the motion encoding; a longer one than the clip is shortened to fit (D-16).
MOTION_INTERVALS = (8, 12, 16, 24)


def position(predicted: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Mean joint distance, MPJPE as a loss; `weights` are not used."""
    return torch.linalg.vector_norm(predicted - target, dim=-1).mean()


def squared_position(predicted: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Mean squared joint distance, metres squared (AMPose, Eq. 11); `weights` are not used."""
    return (predicted - target).square().sum(dim=-1).mean()


def weighted_position(predicted: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """WMPJPE: mean of weight times joint distance (MixSTE, Eq. 10; distance not squared, as the code does: D-01)."""
    return (weights * torch.linalg.vector_norm(predicted - target, dim=-1)).mean()


def temporal_consistency(predicted: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """TCLoss: mean weighted square of the prediction's own frame differences, metres squared.

    MixSTE, supplement, Eq. 3; joint-weighted and averaged over coordinates as the code does (D-03). `target` is not
    used: the term only asks for smoothness.
    """
    return (weights[:, None] * predicted.diff(dim=1).square()).mean()


def velocity(predicted: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """MPJVE as a loss: mean distance of frame differences, metres per frame (MixSTE, Sec. 3.3)."""
    return torch.linalg.vector_norm(predicted.diff(dim=1) - target.diff(dim=1), dim=-1).mean()


def motion(predicted: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """Motion loss of Wang et al. (ECCV 2020), which MixSTE Table 6 compares: metres squared.

    Joint positions some frames apart are joined by a cross product; the mean absolute difference of these codes
    between prediction and target is averaged over the intervals. A clip needs two frames.
    """
    intervals = {min(interval, predicted.shape[1] - 1) for interval in MOTION_INTERVALS}
    terms = [(_cross(predicted, i) - _cross(target, i)).abs().mean() for i in sorted(intervals)]
    return torch.stack(terms).mean()


def _cross(poses: Tensor, interval: int) -> Tensor:
    return torch.linalg.cross(poses[:, :-interval], poses[:, interval:], dim=-1)


TERMS: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    term.__name__: term
    for term in (position, squared_position, weighted_position, temporal_consistency, velocity, motion)
}


def total(predicted: Tensor, target: Tensor, terms: Mapping[str, float], weights: Tensor) -> Tensor:
    """Weighted sum of the named terms.

    Args:
        predicted, target: (B, T, J, 3) metres, root-relative, camera frame.
        terms: term name -> its factor (lambda).
        weights: (J,) joint weights of the terms that use them.
    """
    return sum(factor * TERMS[name](predicted, target, weights) for name, factor in terms.items())
