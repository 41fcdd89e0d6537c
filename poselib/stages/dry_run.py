"""Stage dry-run: one real step of every experiment at its full size, and what its whole training would cost.

A step goes through what trains and evaluates: the prepared set, the network with its start and its refinement, the
strategy's updates of a batch, the running average, and a window of the test videos lifted with flip averaging.

A network whose weights, gradients and moments exceed this machine's memory takes the same first update weight by
weight, while the gradients arrive, and keeps neither them nor the moments.
"""

import math
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from tqdm import tqdm

from poselib import checkpoints
from poselib.complexity import count, training_bytes
from poselib.experiments import Parameters, load_experiment, load_experiments, load_parameters, load_tables
from poselib.files import write_whole
from poselib.gpu_hours import Gpu, clips_of, per_table, updates_of
from poselib.inference import windows_of
from poselib.layers.lifter import Lifter
from poselib.progress import Progress
from poselib.recipe import OPTIMISERS, Recipe
from poselib.scaling import scaled
from poselib.stages import evaluate
from poselib.stages.sets import opened
from poselib.stages.settings import of_training
from poselib.stages.train import network, recipe_of
from poselib.strategies import STRATEGIES, Strategy
from poselib.training import begin, take_batch

GIB = 2**30


@dataclass(frozen=True)
class Step:
    """What came of one experiment. Loss, peak memory and seconds are of the step with `used_clips` of `source`.

    `batch_gib`, the memory of an update, and `macs`, of a forward pass, are counted for the experiment's own batch.
    `moments` says whether those of the optimiser were kept; see above.
    """

    model: str
    frames: int
    parameters: int
    batch_clips: int
    used_clips: int
    moments: bool
    loss: float
    peak_gib: float
    seconds: float
    batch_gib: float
    updates: int
    macs: int
    source: str


def run(root: Path, names: list[str], profile: str, clips: int | None, gpu: Gpu, out: Path | None) -> bool:
    """Step the named experiments, or all, and print what came of it; False if one of them failed.

    Raises:
        InputError: unknown experiment or profile.
    """
    known, seeds = load_experiments(root), load_parameters(root, profile).seeds
    chosen = {name: load_experiment(root, name) for name in names} or known
    tables = {table: [row.experiment for row in rows] for table, rows in load_tables(root).items()}
    steps, faults = _work(root, chosen, profile, clips)
    rows = []
    for name in chosen:
        row = {"experiment": name, "tables": " ".join(table for table in tables if name in tables[table])}
        row |= asdict(steps[name]) | {"gpu_hours_estimate": _hours(gpu, steps[name])} if name in steps else {}
        rows.append(row | {"fault": faults.get(name, "")})
    found = pd.DataFrame(rows).convert_dtypes()
    summed = per_table(tables, known, {name: _hours(gpu, done) for name, done in steps.items()})
    for frame in (found.drop(columns="macs", errors="ignore"), summed):
        print(frame.to_string(index=False, na_rep="-", float_format="{:,.2f}".format), end="\n\n")
    print(gpu.assumptions(sorted({chosen[name].role for name in steps})), f"params.yaml has {len(seeds)} seed(s).")
    if large := [name for name, done in steps.items() if done.batch_gib > gpu.gib]:
        print(f"At the published batch these need more memory than its {gpu.gib:g} GiB: {', '.join(large)}.")
    if bare := [name for name, done in steps.items() if not done.moments]:
        print(f"Stepped weight by weight, without the memory of a training here: {', '.join(bare)}.")
    if out is not None:
        write_whole(out, found.to_csv(index=False))
    return not faults


def _hours(gpu: Gpu, done: Step) -> float:
    return gpu.hours(done.updates, done.macs)


def _work(root: Path, names: Iterable[str], profile: str, clips: int | None) -> tuple[dict[str, Step], dict[str, str]]:
    """The steps that went well, and why the others did not.

    Each has a process of its own: the peak of its memory is its own, and one that is killed takes no other along.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    steps, faults = {}, {}
    for name in (bar := tqdm(names, unit="experiment")):
        bar.set_postfix_str(name)
        with ProcessPoolExecutor(1, context) as pool:
            try:
                steps[name] = pool.submit(step, root, name, profile, clips).result()
            except BrokenProcessPool:
                faults[name] = "its process was killed, most likely for want of memory; free some and try it again"
            except Exception as error:  # of any kind: it is reported, and the others still run
                faults[name] = f"{type(error).__name__}: {' '.join(str(error).split())}"
    return steps, faults


def step(root: Path, name: str, profile: str, clips: int | None = None) -> Step:
    """The updates of one batch of a training, then one window of each role that the experiment is tested on.

    Args:
        clips: in the batch, at most the experiment's own; None for one, or two where a batch norm needs them.

    Raises:
        InputError: a set that is not prepared or lacks something, or a start that does not fit.
        ArithmeticError: a loss or a pose is not finite, or no weight moves.
    """
    began = time.perf_counter()
    parameters, experiment = load_parameters(root, profile), load_experiment(root, name)
    if parameters.chosen.threads:
        torch.set_num_threads(parameters.chosen.threads)
    prepared, setting = opened(root, experiment), scaled(experiment, parameters.chosen, name)
    strategy, recipe = STRATEGIES[setting.strategy], recipe_of(setting, parameters.chosen, prepared.skeleton.names)
    torch.manual_seed(parameters.seeds[0])
    with TemporaryDirectory() as folder:
        start = _untrained(root, setting.start, parameters, Path(folder)) if setting.start else None
        model, _ = network(root, setting, parameters, prepared, start)
    before = _beginnings(model)
    progress, batches = begin(model, recipe, prepared, parameters.seeds[0])
    # Weights, gradients and the two moments of most optimisers.
    moments = 4 * sum(weights.nbytes for weights in model.parameters()) < _memory_bytes()
    if not moments:
        _step_while_gradients_arrive(progress, recipe)
    model.begin_epoch(0, recipe.epochs)
    wanted = clips or 1 + any(isinstance(layer, _BatchNorm) for layer in model.modules())
    numbers = batches.clips_of(0)[: min(wanted, recipe.batch_clips)]
    take_batch(progress, strategy, recipe, batches, numbers)
    if not math.isfinite(progress.loss_sum):
        raise ArithmeticError(f"the loss of the first batch is {progress.loss_sum}")
    if all(map(torch.equal, before, _beginnings(model))):
        raise ArithmeticError("the first batch moves no weight")
    for role in (None, *setting.also_on):
        tested = opened(root, experiment, role) if role else prepared
        windows = windows_of(tested.split("test"), model, setting.frame_stride).select(np.array([0]))
        if not np.isfinite(evaluate.lift(progress.judged, setting, tested, windows)[0]).all():
            raise ArithmeticError(f"a lifted pose of role {tested.role} is not finite")
    measured = {"loss": progress.loss_sum, "peak_gib": _peak_bytes() / GIB, "seconds": time.perf_counter() - began}
    counted = _size(model.to("meta"), setting.role, strategy, recipe)
    return Step(used_clips=len(numbers), moments=moments, source=prepared.source, **measured, **counted)


def _beginnings(model: Lifter) -> list[Tensor]:
    """The first values of every weight: enough to see that it moves, where a copy may not fit."""
    return [weights.detach().flatten()[:1000].clone() for weights in model.parameters()]


def _step_while_gradients_arrive(progress: Progress, recipe: Recipe) -> None:
    """Have each weight take its first update as soon as its gradient is there, by an optimiser of its own."""
    shared = progress.optimiser

    def step(weights: Tensor) -> None:
        alone = OPTIMISERS[recipe.optimiser]([weights], recipe)
        alone.param_groups[0]["lr"] = shared.param_groups[0]["lr"]
        alone.step()
        weights.grad = None

    for weights in filter(lambda weights: weights.requires_grad, progress.model.parameters()):
        weights.register_post_accumulate_grad_hook(step)


def _untrained(root: Path, name: str, parameters: Parameters, folder: Path) -> Path:
    """A checkpoint as the training of an experiment leaves one, but with random weights."""
    experiment = load_experiment(root, name)
    prepared, setting = opened(root, experiment), scaled(experiment, parameters.chosen, name)
    model, _ = network(root, setting, parameters, prepared, None)
    path = folder / f"{name}.safetensors"
    told = {"data": prepared.fingerprint, "setting": of_training(parameters, experiment, name)}
    checkpoints.save(path, model, told)
    return path


def _memory_bytes() -> int:
    """All memory of the GPU where there is one, else of the machine."""
    if torch.cuda.is_available():
        return torch.cuda.mem_get_info()[1]
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _peak_bytes() -> int:
    """The most memory that was held: on the GPU where there is one, else by the process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _size(model: Lifter, role: str, strategy: Strategy, recipe: Recipe) -> dict[str, str | int | float]:
    """What of a `Step` is counted."""
    config, per_batch = model.config, len(strategy.steps_of(0))
    batch = torch.empty(recipe.batch_clips, config.frames, config.joints, config.in_channels, device="meta")
    length = 1 if model.many_to_one else config.frames
    clips = clips_of(role, length if recipe.equal_updates else recipe.interval or length)
    batches = recipe.batches and round(recipe.batches * clips / clips_of(role, length))
    return {
        "model": model.name,
        "frames": config.frames,
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "batch_clips": recipe.batch_clips,
        "batch_gib": training_bytes(model, batch) / GIB,
        "updates": updates_of(clips, recipe.batch_clips, batches, recipe.epochs, per_batch),
        "macs": count(model, batch).macs,
    }
