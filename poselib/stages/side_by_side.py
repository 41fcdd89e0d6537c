"""Train, evaluate and show what is stale, several at a time; DVC itself runs one stage after the other.

Each experiment and each notebook does what its stages in dvc.yaml do, in a process of its own that torch need not be
loaded into anew; `dvc commit` records what they made, so that a plain `dvc repro` afterwards finds nothing of it left.
"""

import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from poselib.errors import InputError
from poselib.experiments import load_experiments
from poselib.project import notebooks

STAGES = ("train", "evaluate")


def run(root: Path, jobs: int) -> None:
    """Bring data, trainings, evaluations and notebooks up to date.

    Raises:
        InputError: an experiment failed on its input; what the others made is recorded. So it is before any other
            error is passed on.
    """
    _dvc(root, "repro", "-q", "prepare", "code")
    stale = json.loads(_dvc(root, "status", "--json", capture=True) or "{}")
    wanted = {name: STAGES[1:] for stage, name in map(_split, stale) if stage == "evaluate"}
    wanted |= {name: STAGES for stage, name in map(_split, stale) if stage == "train"}
    failed = _work(root, wanted, jobs)
    made = [f"{stage}@{name}" for name in wanted if name not in failed for stage in wanted[name]]
    if made:
        # DVC rewrites its lock once per target; groups are one target each, however many experiments they hold.
        _dvc(root, "commit", "-q", "-f", *(made if failed else STAGES))
    if failed:
        name, error = next(iter(failed.items()))
        if not isinstance(error, InputError):
            raise error
        raise InputError(f"experiment {name!r} failed ({error}); correct it and give the command again")
    if any(experiment.also_on for experiment in load_experiments(root).values()):
        _dvc(root, "repro", "-q", "evaluate_on")
    _show(root, jobs)


def _show(root: Path, jobs: int) -> None:
    stages = {f"table-{name.replace('/', '-')}": name for name in notebooks(root)}
    stale = json.loads(_dvc(root, "status", "--json", capture=True) or "{}")
    wanted = [stage for stage in stages if stage in stale]
    with ProcessPoolExecutor(jobs, _context("poselib.stages.table"), max_tasks_per_child=1) as pool:
        shown = {pool.submit(_run_notebook, root, stages[stage]): stage for stage in wanted}
        failed = {}
        for done in tqdm(as_completed(shown), total=len(shown), desc="notebooks"):
            if error := done.exception():
                failed[shown[done]] = error
    if made := [stage for stage in wanted if stage not in failed]:
        _dvc(root, "commit", "-q", "-f", *made)
    if failed:
        raise next(iter(failed.values()))


def _work(root: Path, wanted: dict[str, tuple[str, ...]], jobs: int) -> dict[str, Exception]:
    """The experiments that failed, with the reason."""
    # The last of these takes seconds, and the first optimiser of a process imports it.
    context = _context("poselib.stages.train", "poselib.stages.evaluate", "torch._dynamo")
    failed, waiting, running = {}, dict(wanted), {}
    starts = {name: experiment.start for name, experiment in load_experiments(root).items()}
    with ProcessPoolExecutor(jobs, context, max_tasks_per_child=1) as pool:
        while True:
            unfinished = {*waiting, *running.values(), *failed}
            for name in [name for name in waiting if starts[name] not in unfinished]:
                running[pool.submit(_bring, root, name, waiting.pop(name))] = name
            if not running:
                return failed | {
                    name: InputError(f"{starts[name]!r}, its start, failed; correct that first") for name in waiting
                }
            done = next(as_completed(running))
            name = running.pop(done)
            if error := done.exception():
                failed[name] = error
                print(f"poselib: {name}: {error}", file=sys.stderr)


def _context(*modules: str) -> multiprocessing.context.BaseContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(modules))
    return context


def _run_notebook(root: Path, name: str) -> None:
    from poselib.stages import table

    os.chdir(root)
    table.run(root, name, [])


def _bring(root: Path, name: str, stages: tuple[str, ...]) -> None:
    from poselib.stages import evaluate, train

    os.chdir(root)
    for stage in stages:
        {"train": train, "evaluate": evaluate}[stage].run(root, name)


def _split(stage: str) -> tuple[str, str]:
    kind, _, name = stage.partition("@")
    return kind, name


def _dvc(root: Path, *arguments: str, capture: bool = False) -> str:
    done = subprocess.run(["dvc", *arguments], cwd=root, capture_output=capture, text=True)
    if done.returncode:
        raise InputError(f"dvc {' '.join(arguments[:2])} failed, see above; correct it and give the command again")
    return done.stdout or ""
