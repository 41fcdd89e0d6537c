"""Train and evaluate what is stale, several experiments at a time; DVC itself runs one stage after the other.

Each experiment does what its stages in dvc.yaml do, in a process of its own that torch need not be loaded into anew;
`dvc commit` records what they made, so that a plain `dvc repro` afterwards finds nothing of it left to do.
"""

import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from poselib.errors import InputError
from poselib.experiments import load_experiments

STAGES = ("train", "evaluate")


def run(root: Path, jobs: int) -> None:
    """Bring data, trainings and evaluations up to date.

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


def _work(root: Path, wanted: dict[str, tuple[str, ...]], jobs: int) -> dict[str, Exception]:
    """The experiments that failed, with the reason."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["poselib.stages.train", "poselib.stages.evaluate"])
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
