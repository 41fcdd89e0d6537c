"""The training loop: seeded, resumable to the bit, epochs chosen on held-out motion."""

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from poselib import losses
from poselib.augmentation import jitter_targets
from poselib.averaging import averaged
from poselib.data.camera_table import camera_pool
from poselib.data.clips import Clips
from poselib.data.key_frames import draw_key_frames
from poselib.data.prepared import PreparedSet, WorldSet
from poselib.data.windows import centred, cut, training_starts
from poselib.distributed import Alone
from poselib.errors import InputError
from poselib.geometry import centre_on_root
from poselib.inference import lift_set, lifted_frames, targets_of, windows_of
from poselib.layers.lifter import Lifter
from poselib.metrics import MILLIMETRES, mpjpe
from poselib.models.refinement import Refined
from poselib.progress import Progress
from poselib.recipe import OPTIMISERS, SCHEDULES, Recipe
from poselib.strategies import Clip, Strategy

# Seconds between snapshots inside an epoch; what a kill can cost.
SNAPSHOT_EVERY_S = 60.0
# Batches between letting go of the pages of the set.
FORGET_EVERY = 4
SELECTIONS = ("validation", "test")


def train(
    model: Lifter,
    strategy: Strategy,
    recipe: Recipe,
    prepared: PreparedSet,
    *,
    seed: int,
    snapshot: Path,
    name: str,
    group: Alone | None = None,
) -> Progress:
    """Train a model and keep the weights of its best epochs.

    Args:
        model: freshly built after `torch.manual_seed(seed)`; takes `strategy.in_channels` channels.
        snapshot: file that a killed training continues from; removed by nobody here.
        name: shown beside the progress bar.
        group: the processes that train together; this one alone if not given.

    Returns:
        The finished progress: `best["validation"]` and `best["test"]` hold {"mpjpe_mm", "epoch", "weights"}, the
        second only for comparison with the field's habit of choosing on the test subjects (D-05).
    """
    progress, batches = begin(model, recipe, prepared, seed)
    progress.group = group or progress.group
    errors = partial(_errors_mm, progress, strategy, recipe, prepared)
    return finish(progress, strategy, recipe, batches, errors, snapshot=snapshot, name=name)


def finish(
    progress: Progress,
    strategy: Strategy,
    recipe: Recipe,
    batches: "_Batches",
    errors: Callable[[], Mapping[str, float]],
    *,
    snapshot: Path,
    name: str,
) -> Progress:
    """Run all epochs, or those that a killed training left, and return the finished progress.

    `errors` is called after each epoch and tells the millimetres by which epochs are chosen; for the rest see `train`.
    """
    if snapshot.is_file():
        progress.restore(snapshot)
    progress.group.start(progress.model, progress.updates)
    done = progress.epoch * len(batches) + progress.batch
    total, seen = (batches.size * count for count in (recipe.epochs * len(batches), done))
    progress.model.train()
    silent = not progress.group.writes
    with tqdm(total=total, initial=seen, desc=name, unit="clip", mininterval=1.0, disable=silent) as bar:
        while progress.epoch < recipe.epochs:
            progress.model.begin_epoch(progress.epoch, recipe.epochs)
            _run_epoch(progress, strategy, recipe, batches, snapshot, bar)
            progress.close_epoch(errors(), recipe.lr)
            progress.save(snapshot)
    return progress


def begin(model: Lifter, recipe: Recipe, prepared: PreparedSet, seed: int) -> tuple[Progress, "_Batches"]:
    """What a training starts with: the model in training mode, its optimiser and its average; and the batches."""
    optimiser = OPTIMISERS[recipe.optimiser](model.parameters(), recipe)
    progress = Progress(model.train(), optimiser, averaged(model) if recipe.average else None)
    kind = _FilmedBatches if isinstance(prepared, WorldSet) else _Batches
    return progress, kind(prepared, recipe, model, seed)


class _Batches:
    """The clips of an epoch in a seeded order, gathered by index from the memory-mapped set.

    A batch is valid until the next is asked for, which takes its memory: whoever needs it longer copies it.
    """

    def __init__(self, prepared: PreparedSet, recipe: Recipe, model: Lifter, seed: int):
        videos, length = [(video.start, video.frames) for video in prepared.split("train")], model.config.frames
        if model.many_to_one:
            self.windows = apart = centred(videos, length, recipe.frame_stride)
        else:
            self.windows = cut(videos, length, partial(training_starts, interval=recipe.interval))
            apart = cut(videos, length, training_starts)
        flip, root = prepared.skeleton.flip, prepared.skeleton.root
        self.seen = self.truth_2d = Clips(prepared.poses_2d("gt"), self.windows, flip)
        if recipe.detector != "gt":
            self.seen = Clips(prepared.poses_2d(recipe.detector), self.windows, flip)
        # Further channels of the input are the true motion of whole clips.
        alone = model.middle_alone and model.config.in_channels == 2
        self.target = Clips(prepared.poses_3d, self.windows.middles() if alone else self.windows, flip, root)
        self.prepared, self.size, self.seed = prepared, recipe.batch_clips, seed
        self.input_strides = recipe.input_strides
        # A bound is that of an epoch of clips that do not overlap.
        clips, bound = len(apart if recipe.equal_updates else self.windows), recipe.batches
        self.count = math.ceil(2 * clips / self.size) if bound is None else round(bound * clips / len(apart))

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
        """The batch of these clip numbers, mirrored where asked.

        Raises:
            InputError: NaN or infinity in their 3D.
        """
        target = self.target.gather(numbers)
        # The sum tells whether all are finite, and takes no array of answers; numpy's, as in `Clips`.
        with np.errstate(invalid="ignore"):
            if not math.isfinite(target.numpy().sum()):
                raise InputError(f"{self.prepared.folder}, 3D: NaN or infinity; prepare the role again")
        seen = self.seen.gather(numbers)
        return Clip(seen, seen if self.truth_2d is self.seen else self.truth_2d.gather(numbers), target)

    def rays(self, numbers: np.ndarray, model: Lifter) -> dict[str, Tensor]:
        """What refinement is told of the frames of these clips that the model lifts; see `PreparedSet.rays`."""
        rays = self.prepared.rays(lifted_frames(model, self.windows.select(numbers % len(self.windows))))
        # In a mirrored image the principal point lies on the other side.
        rays["intrinsics"][numbers >= len(self.windows), :, 2] *= -1
        return {name: torch.from_numpy(part) for name, part in rays.items()}

    def sparse(self, epoch: int, batch: int, clips: int) -> dict[str, Tensor]:
        """What a model that upsamples is told besides its input: key-frames drawn anew for every batch."""
        if not self.input_strides:
            return {}
        random = np.random.default_rng([self.seed, epoch, batch])
        windows = self.windows
        drawn = draw_key_frames(random, clips, windows.length, windows.step, self.input_strides)
        return {"key_frames": torch.from_numpy(drawn)}


class _FilmedBatches(_Batches):
    """Clips of motions: each is filmed by a camera of the pool, drawn anew in every epoch.

    A mirrored clip shows the mirrored person to the same camera, as in the released Uplift and Upsample; for videos
    it is the image that is mirrored.
    """

    def __init__(self, prepared: WorldSet, recipe: Recipe, model: Lifter, seed: int):
        super().__init__(prepared, recipe, model, seed)
        self.pool = camera_pool(recipe.camera_pool)
        self.world = Clips(prepared.poses_world, self.windows, prepared.skeleton.flip)

    def clips_of(self, epoch: int) -> np.ndarray:
        """Numbers as of `_Batches`, plus the camera's row in the pool times the number of clips and mirror images."""
        numbers, clips = super().clips_of(epoch), len(self.windows)
        drawn = np.random.default_rng([self.seed, epoch, len(self.pool)]).integers(len(self.pool), size=clips)
        return numbers + 2 * clips * drawn[numbers % clips]

    def gather(self, numbers: np.ndarray) -> Clip:
        """The batch of these clip numbers, filmed, mirrored where asked."""
        cameras, numbers = np.divmod(numbers, 2 * len(self.windows))
        screen, poses = self.pool.film(self.world.gather(numbers), cameras[:, None])
        return Clip(screen, screen, centre_on_root(poses, self.prepared.skeleton.root))


def _run_epoch(
    progress: Progress, strategy: Strategy, recipe: Recipe, batches: _Batches, snapshot: Path, bar: tqdm
) -> None:
    numbers = batches.clips_of(progress.epoch)
    since_snapshot = started = time.perf_counter()
    while progress.batch < len(batches):
        take_batch(progress, strategy, recipe, batches, numbers[progress.batch * batches.size :][: batches.size])
        if progress.batch % FORGET_EVERY == 0:
            batches.prepared.forget()
        now = time.perf_counter()
        bar.set_postfix(loss=f"{progress.loss_sum / progress.batch:.4f}", refresh=False)
        bar.update(batches.size)
        if now - since_snapshot > SNAPSHOT_EVERY_S:
            progress.seconds, started = progress.seconds + now - started, now
            progress.save(snapshot)
            since_snapshot = now
    progress.seconds += time.perf_counter() - started


def take_batch(progress: Progress, strategy: Strategy, recipe: Recipe, batches: _Batches, chosen: np.ndarray) -> None:
    """Make the updates of the next batch, which holds the clips of the numbers `chosen` (B,); see `clips_of`."""
    device = next(progress.model.parameters()).device
    weights = torch.tensor(recipe.joint_weights, device=device)
    group, clips = progress.group, len(chosen)
    own = group.share(clips, batches.seed, progress.epoch, progress.batch)
    clip = batches.gather(chosen[own])
    clip = Clip(clip.poses_2d.to(device), clip.truth_2d.to(device), clip.truth_3d.to(device))
    drawn = batches.sparse(progress.epoch, progress.batch, clips)
    sparse = {name: part[own] for name, part in drawn.items()}
    if isinstance(progress.model, Refined):
        sparse |= {name: part.to(device) for name, part in batches.rays(chosen[own], progress.model).items()}
    _set_learning_rate(progress, recipe, len(batches))
    steps = strategy.steps_of(progress.epoch * len(batches) + progress.batch)
    for step in steps:
        predicted = group.supervised(progress.model, strategy.training_input(clip, step), **sparse)
        loss = _loss(predicted, jitter_targets(clip.truth_3d) if recipe.jitter else clip.truth_3d, recipe, weights)
        progress.optimiser.zero_grad()
        mean = group.backward(loss, clips)
        progress.optimiser.step()
        if progress.average is not None:
            progress.average.update_parameters(progress.model)
        progress.updates += 1
        progress.loss_sum += mean / len(steps)
    progress.batch += 1


def _loss(predicted: Mapping[str, Tensor], target: Tensor, recipe: Recipe, weights: Tensor) -> Tensor:
    """Sum over what the model is supervised by; an output of one frame is compared with the middle one."""
    middle = target.shape[1] // 2
    return sum(
        recipe.outputs.get(name, 1.0)
        * losses.total(
            output,
            target if output.shape[1] == target.shape[1] else target[:, middle : middle + 1],
            recipe.terms,
            weights,
        )
        for name, output in predicted.items()
    )


def _set_learning_rate(progress: Progress, recipe: Recipe, batches: int) -> None:
    done = (progress.epoch * batches + progress.batch) / (recipe.epochs * batches)
    for group in progress.optimiser.param_groups:
        group["lr"] = recipe.lr * SCHEDULES[recipe.schedule](recipe, progress.epoch, done)


def _errors_mm(progress: Progress, strategy: Strategy, recipe: Recipe, prepared: PreparedSet) -> dict[str, float]:
    errors, model, stride = {}, progress.judged, max(recipe.input_strides, default=None)
    for split in SELECTIONS:
        windows = windows_of(prepared.split(split), model, recipe.frame_stride)
        if recipe.selection_clips is not None and len(windows) > recipe.selection_clips:
            windows = windows.select(np.linspace(0, len(windows) - 1, recipe.selection_clips).astype(int))
        predicted, _ = lift_set(model, strategy, prepared, recipe.detector, windows, stride)
        errors[split] = MILLIMETRES * float(mpjpe(predicted, targets_of(prepared, lifted_frames(model, windows))))
    return errors
