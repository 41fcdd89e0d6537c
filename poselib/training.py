"""The training loop: seeded, resumable to the bit, epochs chosen on held-out motion."""

import math
import pickle
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from poselib import losses
from poselib.data.prepared import PreparedSet
from poselib.data.windows import Windows, cut, training_starts
from poselib.errors import InputError
from poselib.geometry import mirror
from poselib.inference import lift_windows, targets_of, windows_of
from poselib.metrics import MILLIMETRES, mpjpe
from poselib.strategies import Clip, Strategy

# Seconds between snapshots inside an epoch; what a kill can cost.
SNAPSHOT_EVERY_S = 60.0
SELECTIONS = ("validation", "test")


@dataclass(frozen=True)
class Recipe:
    """How one training runs. `batches` bounds an epoch; None takes every clip once plain and once mirrored."""

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


@dataclass
class Progress:
    """Everything a training is made of between two updates; saving and restoring it continues to the same bits."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    epoch: int
    batch: int
    updates: int
    loss_sum: float
    log: list[dict[str, float]]
    best: dict[str, dict]
    seconds: float

    def save(self, path: Path) -> None:
        """Write a snapshot; it appears whole or not at all."""
        plain = {
            name: getattr(self, name) for name in ("epoch", "batch", "updates", "loss_sum", "log", "best", "seconds")
        }
        state = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict(), **plain}
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        random = {"cpu": torch.get_rng_state(), "cuda": torch.cuda.get_rng_state_all()}
        torch.save({**state, "random": random}, partial)
        partial.replace(path)

    def restore(self, path: Path) -> None:
        """Continue from a snapshot.

        Raises:
            InputError: the file is damaged.
        """
        try:
            state = torch.load(path, weights_only=True)
        except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise InputError(f"{path}: damaged snapshot; delete it to train from the start") from error
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["random"]["cpu"])
        torch.cuda.set_rng_state_all(state["random"]["cuda"])
        for name in ("epoch", "batch", "updates", "loss_sum", "log", "best", "seconds"):
            setattr(self, name, state[name])


def train(
    model: nn.Module, strategy: Strategy, recipe: Recipe, prepared: PreparedSet, *, seed: int, snapshot: Path, name: str
) -> Progress:
    """Train a model and keep the weights of its best epochs.

    Args:
        model: freshly built after `torch.manual_seed(seed)`; takes `strategy.in_channels` channels.
        snapshot: file that a killed training continues from; removed by nobody here.
        name: shown beside the progress bar.

    Returns:
        The finished progress: `best["validation"]` and `best["test"]` hold {"mpjpe_mm", "epoch", "weights"}, the
        second only for comparison with the field's habit of choosing on the test subjects (D-05).
    """
    optimiser = torch.optim.AdamW(model.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
    progress = Progress(model, optimiser, 0, 0, 0, 0.0, [], {}, 0.0)
    if snapshot.is_file():
        progress.restore(snapshot)
    batches = _Batches(prepared, recipe, model.config.frames, seed)
    done = progress.epoch * len(batches) + progress.batch
    total, seen = (batches.size * count for count in (recipe.epochs * len(batches), done))
    bar = tqdm(total=total, initial=seen, desc=name, unit="clip", mininterval=1.0)
    model.train()
    while progress.epoch < recipe.epochs:
        _run_epoch(progress, strategy, recipe, batches, snapshot, bar)
        _close_epoch(progress, strategy, recipe, prepared)
        progress.save(snapshot)
    bar.close()
    return progress


class _Batches:
    """The clips of an epoch in a seeded order, gathered by index from the memory-mapped set."""

    def __init__(self, prepared: PreparedSet, recipe: Recipe, length: int, seed: int):
        videos = [(video.start, video.frames) for video in prepared.split("train")]
        self.windows = cut(videos, length, training_starts)
        self.truth_2d = prepared.poses_2d("gt")
        self.poses_2d = prepared.poses_2d(recipe.detector)
        self.prepared, self.size, self.seed = prepared, recipe.batch_clips, seed
        available = math.ceil(2 * len(self.windows) / self.size)
        self.count = available if recipe.batches is None else recipe.batches

    def __len__(self) -> int:
        return self.count

    def clips_of(self, epoch: int) -> np.ndarray:
        """Clip numbers (count, size or less) of an epoch; numbers beyond the windows mean their mirror images.

        An epoch longer than the set goes through it in several orders, a shorter one takes a part of one order.
        """
        random, twice = np.random.default_rng([self.seed, epoch]), 2 * len(self.windows)
        rounds = math.ceil(self.count * self.size / twice)
        return np.concatenate([random.permutation(twice) for _ in range(rounds)])[: self.count * self.size]

    def gather(self, numbers: np.ndarray) -> Clip:
        """The batch of these clip numbers, mirrored where asked."""
        frames = self.windows.frame_numbers(numbers % len(self.windows))
        mirrored = torch.from_numpy(numbers >= len(self.windows))[:, None, None, None]
        arrays = (self.poses_2d[frames], self.truth_2d[frames], targets_of(self.prepared, frames))
        flip = self.prepared.skeleton.flip
        tensors = (torch.from_numpy(np.ascontiguousarray(array)) for array in arrays)
        return Clip(*(torch.where(mirrored, mirror(tensor, flip), tensor) for tensor in tensors))


def _run_epoch(
    progress: Progress, strategy: Strategy, recipe: Recipe, batches: _Batches, snapshot: Path, bar: tqdm
) -> None:
    device = next(progress.model.parameters()).device
    weights = torch.tensor(recipe.joint_weights, device=device)
    numbers = batches.clips_of(progress.epoch)
    since_snapshot = started = time.perf_counter()
    while progress.batch < len(batches):
        chosen = numbers[progress.batch * batches.size : (progress.batch + 1) * batches.size]
        clip = batches.gather(chosen)
        clip = Clip(clip.poses_2d.to(device), clip.truth_2d.to(device), clip.truth_3d.to(device))
        _set_learning_rate(progress, recipe, len(batches))
        steps = strategy.steps_of(progress.epoch * len(batches) + progress.batch)
        for step in steps:
            predicted = progress.model(strategy.training_input(clip, step))
            loss = losses.total(predicted, clip.truth_3d, recipe.terms, weights)
            progress.model.zero_grad()
            loss.backward()
            progress.optimiser.step()
            progress.updates += 1
            progress.loss_sum += loss.item() / len(steps)
        progress.batch += 1
        now = time.perf_counter()
        bar.set_postfix(loss=f"{progress.loss_sum / progress.batch:.4f}", refresh=False)
        bar.update(batches.size)
        if now - since_snapshot > SNAPSHOT_EVERY_S:
            progress.seconds, started = progress.seconds + now - started, now
            progress.save(snapshot)
            since_snapshot = now
    progress.seconds += time.perf_counter() - started


def _set_learning_rate(progress: Progress, recipe: Recipe, batches: int) -> None:
    """'exponential' decays by epoch, as the papers do; 'linear_tail' warms up for 5 % and falls to 0 after 60 %."""
    factor = recipe.lr_decay**progress.epoch
    if recipe.schedule == "linear_tail":
        done = (progress.epoch * batches + progress.batch) / (recipe.epochs * batches)
        factor = min(1.0, 20 * (done + 1e-3), (1 - done) / 0.4)
    for group in progress.optimiser.param_groups:
        group["lr"] = recipe.lr * factor


def _close_epoch(progress: Progress, strategy: Strategy, recipe: Recipe, prepared: PreparedSet) -> None:
    row = {"epoch": progress.epoch + 1, "loss": progress.loss_sum / progress.batch}
    for split in SELECTIONS:
        windows = windows_of(prepared.split(split), progress.model.config.frames)
        if recipe.selection_clips is not None and len(windows) > recipe.selection_clips:
            windows = windows.select(np.linspace(0, len(windows) - 1, recipe.selection_clips).astype(int))
        row[f"{split}_mpjpe_mm"] = error = _error_mm(progress.model, strategy, recipe, prepared, windows)
        if not math.isfinite(error):
            raise InputError(f"the training diverged in epoch {row['epoch']}; choose a lower rate than {recipe.lr:g}")
        if error < progress.best.get(split, {"mpjpe_mm": math.inf})["mpjpe_mm"]:
            weights = {key: value.detach().cpu().clone() for key, value in progress.model.state_dict().items()}
            progress.best[split] = {"mpjpe_mm": error, "epoch": progress.epoch + 1, "weights": weights}
    progress.log.append(row)
    progress.epoch, progress.batch, progress.loss_sum = progress.epoch + 1, 0, 0.0


def _error_mm(model: nn.Module, strategy: Strategy, recipe: Recipe, prepared: PreparedSet, windows: Windows) -> float:
    predicted, _ = lift_windows(model, strategy, prepared.poses_2d(recipe.detector), windows, prepared.skeleton.flip)
    return MILLIMETRES * float(mpjpe(predicted, targets_of(prepared, windows.frame_numbers())))
