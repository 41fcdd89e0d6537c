"""A running average of the weights beside the training."""

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from poselib.layers.lifter import Lifter

LIMIT = 0.999


def averaged(model: Lifter, limit: float = LIMIT) -> AveragedModel:
    """A copy of the model whose weights follow it: call `update_parameters(model)` after every optimiser step.

    After step s, counted from 0, the average keeps the part min(limit, (1 + s) / (10 + s)) of itself; it starts as a
    copy of the start weights (Uplift-and-Upsample's released code, setting N = 81). The averaged model is `.module`.
    """

    def follow(averages: list[Tensor], weights: list[Tensor], updates: Tensor) -> None:
        kept = min(limit, float(updates / (9 + updates)))
        torch._foreach_lerp_(averages, weights, 1 - kept)

    average = AveragedModel(model, multi_avg_fn=follow)
    # The first update only copies: the start weights.
    average.update_parameters(model)
    return average
