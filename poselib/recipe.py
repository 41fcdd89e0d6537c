"""How a training runs: its numbers, its optimisers and the rules of its learning rate."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor

from poselib.optimisers import Ranger


@dataclass(frozen=True)
class Recipe:
    """How one training runs. `batches` bounds an epoch; None takes every clip once plain and once mirrored.

    `outputs` weighs what a model is supervised by (`Lifter.supervised`), all alike if empty; `frame_stride` frames
    lie between those of a many-to-one model's clip, and `input_strides` are drawn from for a model that upsamples;
    with `average` the running average of the weights is what is evaluated and kept. `camera_pool` films the motions
    of a set without videos. `betas` of None are the optimiser's usual. Clips of a sequence-to-sequence model lie
    `interval` frames apart; where they overlap for that, an epoch has as many times more batches, unless
    `equal_updates`.
    """

    detector: str
    terms: Mapping[str, float]
    joint_weights: tuple[float, ...]
    epochs: int
    batch_clips: int
    lr: float
    schedule: str
    lr_decay: float
    weight_decay: float
    batches: int | None = None
    selection_clips: int | None = None
    optimiser: str = "adamw"
    betas: Sequence[float] | None = None
    outputs: Mapping[str, float] = field(default_factory=dict)
    frame_stride: int = 1
    interval: int | None = None
    equal_updates: bool = False
    input_strides: tuple[int, ...] = ()
    average: bool = False
    jitter: bool = False
    camera_pool: str = "training"


def _rate(recipe: Recipe) -> dict:
    return {"lr": recipe.lr} | ({"betas": recipe.betas} if recipe.betas else {})


def _adamw(weights: Iterable[Tensor], recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.AdamW(weights, weight_decay=recipe.weight_decay, fused=True, **_rate(recipe))


def _adam_amsgrad(weights: Iterable[Tensor], recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.Adam(weights, amsgrad=True, fused=True, **_rate(recipe))


def _ranger(weights: Iterable[Tensor], recipe: Recipe) -> torch.optim.Optimizer:
    return Ranger(weights, **_rate(recipe))


OPTIMISERS = MappingProxyType({"adamw": _adamw, "adam_amsgrad": _adam_amsgrad, "ranger": _ranger})


def _exponential(recipe: Recipe, epoch: int, done: float) -> float:
    return recipe.lr_decay**epoch


def _halving(recipe: Recipe, epoch: int, done: float) -> float:
    """MHFormer's and the Strided Transformer's: decays by epoch, but every fifth time by half."""
    return 0.5 ** (epoch // 5) * recipe.lr_decay ** (epoch - epoch // 5)


def _cosine(recipe: Recipe, epoch: int, done: float) -> float:
    """GLA-GCN's: a cosine by epoch, down to 1e-5."""
    least = 1e-5 / recipe.lr
    return least + (1 - least) * (1 + math.cos(math.pi * epoch / recipe.epochs)) / 2


def _linear_tail(recipe: Recipe, epoch: int, done: float) -> float:
    """The small profiles': warms up for 5 % of the training and falls to 0 after 60 %."""
    return min(1.0, 20 * (done + 1e-3), (1 - done) / 0.4)


# Factor of the learning rate: epochs done, part of the whole training done.
SCHEDULES = MappingProxyType(
    {"exponential": _exponential, "halving": _halving, "cosine": _cosine, "linear_tail": _linear_tail}
)
