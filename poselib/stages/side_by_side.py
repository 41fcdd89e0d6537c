"""Bring everything up to date that tables show, several stages at a time; DVC itself runs one after the other.

Each stage does what its command in dvc.yaml does, in a process that torch need not be loaded into anew; what was made
is recorded in dvc.lock, so that a plain `dvc repro` afterwards finds nothing of it left.
"""

import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path

from tqdm import tqdm

from poselib import files, forked_kernel
from poselib.errors import InputError
from poselib.experiments import load_experiments, load_parameters
from poselib.pipeline import run_by_stages
from poselib.project import stage_of
from poselib.records import timing_of
from poselib.stages.dvc_lock import record, stale

# What a killed run has to do again at most, beside the trainings that continue from their snapshots.
RECORD_EVERY_SECONDS = 300
STAGES = ("evaluate", "fingerprint", "prepare", "settings", "synthesise", "table", "train")
# Imported once, in the process that others are forked from. The first optimiser of a process imports torch._dynamo,
# which takes seconds.
PRELOADED = [*(f"poselib.stages.{name}" for name in STAGES), "torch._dynamo", *forked_kernel.PRELOADED]


def run(root: Path, jobs: int) -> None:
    """Bring data, trainings, evaluations and notebooks up to date.

    Raises:
        InputError: another run is at it, or a stage failed on its input; what the others made is recorded. So it is
            before any other error is passed on.
    """
    with files.held(root / "work" / "side-by-side"):
        _bring_all(root, jobs)


def _bring_all(root: Path, jobs: int) -> None:
    experiments = load_experiments(root)
    crossed = any(experiment.also_on for experiment in experiments.values())
    starts = {f"train@{name}": f"train@{run.start}" for name, run in experiments.items() if run.start}
    made = _Made(root)
    try:
        _bring(made, jobs, "data", ["synthesise", "settings", "code"])
        _bring(made, jobs, "sets", ["prepare"])
        _bring(made, jobs, "experiments", ["train", "evaluate"], starts)
        if crossed:
            _bring(made, jobs, "tests on other sets", ["evaluate_on"])
        _bring(made, jobs, "notebooks", [stage_of(name) for name in run_by_stages(root)])
    finally:
        record(root, made.stages)


class _Made:
    """Stages that are done and not yet recorded: DVC writes its whole lock each time, which takes many seconds."""

    def __init__(self, root: Path):
        self.root, self.stages, self.recorded = root, [], time.monotonic()

    def record_if_due(self) -> None:
        if time.monotonic() > self.recorded + RECORD_EVERY_SECONDS:
            # Someone else may be asking DVC just now; the last time has to succeed.
            with suppress(InputError):
                record(self.root, self.stages)
                self.stages = []
            self.recorded = time.monotonic()


def _bring(made: _Made, jobs: int, title: str, targets: list[str], starts: Mapping[str, str] | None = None) -> None:
    """Run what is stale of these stages; `starts` names for a stage the one that has to be done before it."""
    root = made.root
    chains = _longest_first(root, _chains(stale(root, targets)))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    forked_kernel.prepare_environment()
    failed = {}
    bar = tqdm(total=len(chains), desc=title, disable=not chains)
    pool = ProcessPoolExecutor(jobs, context, forked_kernel.end_with_parent, max_tasks_per_child=1)
    with bar, pool:
        for first, error in _finished(pool, jobs, root, chains, starts or {}):
            bar.update(first is not None)
            done = getattr(error, "made", []) if error else chains.get(first, [])
            made.stages += done
            if isinstance(error, BrokenProcessPool):
                error = InputError("killed, most likely for want of memory; give fewer --jobs, or the command again")
            if error:
                stage = chains[first][len(done)]
                failed[stage] = error
                print(f"poselib: {stage}: {error}", file=sys.stderr)
            made.record_if_due()
    if failed:
        first, error = next(iter(failed.items()))
        if not isinstance(error, InputError):
            raise error
        raise InputError(f"{first} failed ({error}); correct it and give the command again")


def _chains(stages: list[str]) -> dict[str, list[str]]:
    """First stage -> what one process does of these: an evaluation follows its training."""
    trained = {stage.partition("@")[2] for stage in stages if stage.startswith("train@")}
    chains = {}
    for stage in stages:
        kind, _, name = stage.partition("@")
        if kind == "train":
            chains[stage] = [stage, f"evaluate@{name}"]
        elif kind != "evaluate" or name not in trained:
            chains[stage] = [stage]
    return chains


def _longest_first(root: Path, chains: dict[str, list[str]]) -> dict[str, list[str]]:
    """So that no long training is left for the end; by what the last run of it took, if there was one."""
    results = load_parameters(root).results

    def seconds(stage: str) -> float:
        try:
            return timing_of(root, results, stage.partition("@")[2])["seconds"].max()
        except InputError:
            return 0.0

    return {stage: chains[stage] for stage in sorted(chains, key=seconds, reverse=True)}


def _finished(
    pool: Executor, jobs: int, root: Path, chains: Mapping[str, list[str]], starts: Mapping[str, str]
) -> Iterator[tuple[str | None, Exception | None]]:
    """The first stage of each chain once it is done, with what made it fail; None while it is time to record."""
    waiting, running, failed = list(chains), {}, set()
    while True:
        unfinished = {*waiting, *running.values(), *failed}
        ready = [first for first in waiting if starts.get(first) not in unfinished]
        # No more than can run at once: what becomes ready may be longer than what was before.
        for first in ready[: jobs - len(running)]:
            waiting.remove(first)
            try:
                running[pool.submit(_run, root, chains[first])] = first
            except BrokenProcessPool:
                raise InputError(f"{first}: not begun, since another was killed; give the command again") from None
        if not running:
            break
        done, _ = wait(running, RECORD_EVERY_SECONDS, FIRST_COMPLETED)
        for future in done:
            first = running.pop(future)
            # Where only the evaluation failed, the weights that others start from are there.
            if (error := future.exception()) and first not in getattr(error, "made", []):
                failed.add(first)
            yield first, error
        if not done:
            yield None, None
    for first in waiting:
        yield first, InputError(f"{starts[first]}, its start, failed; correct that first")


def _run(root: Path, stages: list[str]) -> None:
    """Run these one after the other; what stops them carries in `made` those that were done."""
    for number, stage in enumerate(stages):
        try:
            _run_one(root, stage)
        except Exception as error:
            error.made = stages[:number]
            raise


def _run_one(root: Path, stage: str) -> None:
    from poselib.stages import evaluate, fingerprint, prepare, settings, synthesise, table, train

    os.chdir(root)
    # What was preloaded stays: looking through all of it for garbage takes longer than some evaluations.
    gc.freeze()
    single = {"settings": settings, "code": fingerprint}
    named = {"synthesise": synthesise, "prepare": prepare, "train": train, "evaluate": evaluate}
    kind, _, name = stage.partition("@")
    if kind in single:
        single[kind].run(root)
    elif kind in named:
        named[kind].run(root, name)
    elif kind == "evaluate_on":
        evaluate.run(root, *name.split("_on_"))
    else:
        notebook_of = {stage_of(name): name for name in run_by_stages(root)}
        forked_kernel.use_for_the_next_notebook()
        table.run(root, notebook_of[stage], [])
