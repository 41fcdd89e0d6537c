"""Kill stages at random moments, run them again, and compare all files with those of an undisturbed run.

    python tests/kill_at_random.py --kills 50

Each kill takes a stage in turn, with its earlier outputs in place or removed, ends its process after a time drawn
uniformly from what the stage took undisturbed, by SIGTERM and SIGKILL in turn, and runs the stage again; a kill that
comes too late is drawn anew from a shorter time. Identical means that every file below the project has the bytes of
the undisturbed run and none is left over; times that were measured apart. In training a snapshot follows every batch,
so that it is continued from many places.
"""

import csv
import hashlib
import io
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import typer

ROOT = Path(__file__).resolve().parent.parent
EXPERIMENT, TABLE, RESULTS = "tmt_d4_w64_t27_gt", "tmt/table07", "results/smoke-synthetic"
# Stage -> what it writes; in the order in which they follow from one another.
STAGES = {
    "synthesise": ["data/raw/synthetic/h36m"],
    "prepare": ["data/prepared/h36m"],
    "settings": ["data/settings"],
    "train": [f"checkpoints/{EXPERIMENT}"],
    "evaluate": ["predictions", f"{RESULTS}/metrics", f"{RESULTS}/logs"],
    "table": [f"{RESULTS}/tmt"],
    "report": [f"{RESULTS}/{name}" for name in ("site", "README.md", "divergences.md")],
}
WATCHED = ("data", "checkpoints", "predictions", "results", "work", "README.md")
# What the last stage printed.
SAID = "said"
# Where times that were measured are shown: how long the training took.
MEASURED = ("timing.csv", "site/index.html")


def run_stage(root: Path, stage: str) -> None:
    """What `python -m poselib <stage>` does."""
    from poselib import stages, training

    os.dup2(os.open(root / SAID, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(1, 2)
    training.SNAPSHOT_EVERY_S = 0.0
    given = {"train": [EXPERIMENT], "evaluate": [EXPERIMENT], "table": [TABLE, []]}
    given |= dict.fromkeys(("synthesise", "prepare"), ["h36m"])
    getattr(stages, stage).run(root, *given.get(stage, []))


def checkout(folder: Path) -> Path:
    """A copy of the project in the smoke profile, without results."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file() and not name.startswith("results/") and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    command = [sys.executable, "-m", "poselib", "select", "--profile", "smoke"]
    subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    return folder


def content(root: Path) -> dict[str, str]:
    """SHA-256 of every file, without the times measured."""
    files = [path for name in WATCHED for path in [root / name, *(root / name).rglob("*")] if path.is_file()]
    named = {path.relative_to(root).as_posix(): path for path in files}
    return {name: _digest(path) for name, path in named.items() if not name.endswith(MEASURED)}


def _digest(path: Path) -> str:
    content = path.read_bytes()
    if path.name.endswith(".log.csv"):
        rows = csv.DictReader(io.StringIO(content.decode()))
        content = repr([{**row, "seconds": None} for row in rows]).encode()
    return hashlib.sha256(content).hexdigest()


class Stages:
    """Runs stages of a checkout in processes of their own, forked from one that has loaded what they import."""

    def __init__(self, root: Path) -> None:
        self.root, self.context = root, multiprocessing.get_context("forkserver")
        # The copy's own package, in these processes and in the kernels that they start.
        os.environ["PYTHONPATH"] = str(root)
        os.chdir(root)
        self.context.set_forkserver_preload([f"poselib.stages.{name}" for name in STAGES] + ["torch._dynamo"])

    def start(self, stage: str) -> multiprocessing.Process:
        """The stage's process, begun."""
        process = self.context.Process(target=run_stage, args=(self.root, stage))
        process.start()
        return process

    def finish(self, stage: str) -> float:
        """Seconds that the stage took."""
        began, process = time.monotonic(), self.start(stage)
        process.join()
        assert process.exitcode == 0, f"{stage}: {(self.root / SAID).read_text()[-2000:]}"
        return time.monotonic() - began

    def kill(self, stage: str, after_s: float, by: signal.Signals) -> bool:
        """End the stage after so long; false if it was over before."""
        process = self.start(stage)
        process.join(after_s)
        running = process.exitcode is None
        if running:
            os.kill(process.pid, by)
        process.join()
        return running


def disturb(folder: Path, kills: int, seed: int) -> tuple[Counter, Counter]:
    """How often each stage was killed, of so many kills over all stages, and how often it then ended identically."""
    stages, random, killed, identical = Stages(checkout(folder)), np.random.default_rng(seed), Counter(), Counter()
    stages.finish("settings")  # loads what is imported
    took = {stage: stages.finish(stage) for stage in STAGES}
    undisturbed = content(folder)
    for number in range(kills):
        around, place = divmod(number, len(STAGES))
        stage, by = list(reversed(STAGES))[place], (signal.SIGTERM, signal.SIGKILL)[(around + place) % 2]
        if random.random() < 0.5:
            remove(folder, stage)
        while not stages.kill(stage, after_s := random.uniform(0, took[stage]), by):
            took[stage] = after_s
            remove(folder, stage)
        stages.finish(stage)
        ending = content(folder)
        killed[stage] += 1
        identical[stage] += ending == undisturbed
        if ending != undisturbed:
            moved = sorted(name for name in {*ending, *undisturbed} if ending.get(name) != undisturbed.get(name))
            print(f"{stage}, {by.name} after {after_s:.2f} s of {took[stage]:.2f}: {', '.join(moved)}")
    return killed, identical


def remove(folder: Path, stage: str) -> None:
    """Remove what the stage writes."""
    for path in (folder / name for name in STAGES[stage]):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def main(kills: int = 50, seed: int = 0) -> None:
    """Print a table: stage, kills, identical endings; exit code 1 if there is another ending."""
    with tempfile.TemporaryDirectory() as folder:
        killed, identical = disturb(Path(folder), kills, seed)
    print(f"{'stage':12}{'kills':>6}{'identical':>11}")
    for stage in STAGES:
        print(f"{stage:12}{killed[stage]:6}{identical[stage]:11}")
    print(f"{identical.total()} of {killed.total()} endings are those of the undisturbed run")
    raise typer.Exit(identical != killed)


if __name__ == "__main__":
    typer.run(main)
