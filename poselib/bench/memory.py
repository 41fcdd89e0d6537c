"""Memory that preparing, training and evaluating take of a set much larger than it, each as a process of its own.

The set is of role amass in the form of converted files. The model is small and lifts middle frames, so that every frame
of the set is a clip: the most numbers that a training keeps. Linux only, whose /proc tells what is measured:

resident     VmHWM: the most that was in memory, pages of mapped files included, which the system can take back
anonymous    RssAnon, sampled: what it cannot take back
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poselib.data.amass import SPLIT
from poselib.errors import InputError

# A set so small that what is left is Python, its libraries and the model.
BASE_FRAMES = 20_000
LIMIT_MIB = 2048
HELD_OUT = 0.05
"""Share of the frames that is not trained on, about as in AMASS."""
SEQUENCE = 2000
SAMPLED_EVERY_S = 0.01
STAGES = (("prepare", "amass"), ("train", "large"), ("evaluate", "large"))
PARAMETERS = """profile: bench
results: results
seeds: [0]
roles: {amass: {source: amass, path: raw}}
profiles: {bench: {about: memory, every: 1, synthetic_seconds: 1.0, threads: 1}}
"""
EXPERIMENT = """experiments:
  large:
    {paper: uplift_upsample, model: uplift_upsample, role: amass, detector: gt, frames: 9, depth: 1, dim: 16, heads: 2,
    options: {spatial_dim: 8, strides: [3, 3], paddings: [[0, 0], [0, 0]]}, frame_stride: 5, input_strides: [5],
    losses: {position: 1.0}, epochs: 1, batches: 300, batch_clips: 64, lr: 1.0e-3}
"""


@dataclass(frozen=True)
class Usage:
    """What one stage took."""

    stage: str
    seconds: float
    resident_mib: float
    anonymous_mib: float


def measure(frames: int, place: Path) -> list[Usage]:
    """Generate a set of so many frames in a scratch folder below `place`, run every stage on it, remove it.

    Raises:
        InputError: too few frames for the data sets, no /proc, or a stage failed.
    """
    if frames < len(SPLIT) * 100:
        raise InputError(f"{frames} frames are too few for {len(SPLIT)} data sets; give {len(SPLIT) * 100} or more")
    if not Path("/proc/self/status").is_file():
        raise InputError("memory is measured by /proc, which this system does not have; run it on Linux")
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-memory-", dir=place) as name:
        _write_project(Path(name), frames)
        return [_run(Path(name), *stage) for stage in STAGES]


def report(frames: int, place: Path) -> bool:
    """Print a table of what the stages take of a large set and of hardly any; whether the difference is in bounds."""
    pairs = list(zip(measure(frames, place), measure(BASE_FRAMES, place), strict=True))
    print(f"{'stage':<10}{'frames':>12}{'seconds':>9}{'resident':>10}{'base':>7}{'anonymous':>11}{'base':>7}  MiB")
    for used, base in pairs:
        numbers = f"{used.resident_mib:>10.0f}{base.resident_mib:>7.0f}{used.anonymous_mib:>11.0f}"
        print(f"{used.stage:<10}{frames:>12}{used.seconds:>9.0f}{numbers}{base.anonymous_mib:>7.0f}")
    above = max(used.resident_mib - base.resident_mib for used, base in pairs)
    print(f"largest resident memory above the base (the same on {BASE_FRAMES} frames): {above:.0f} of {LIMIT_MIB} MiB")
    return above <= LIMIT_MIB


def growth(sizes: tuple[int, ...]) -> dict[str, tuple[tuple[int, ...], list[float]]]:
    """Resident MiB of a training and of an evaluation against the frames of the set."""
    place = Path(tempfile.gettempdir())
    found = [{used.stage: used.resident_mib for used in measure(frames, place)} for frames in sizes]
    return {stage: (sizes, [used[stage] for used in found]) for stage in ("train", "evaluate")}


def _write_project(folder: Path, frames: int) -> None:
    (folder / "dvc.yaml").write_text("stages: {}\n")
    (folder / "params.yaml").write_text(PARAMETERS)
    (folder / "experiments").mkdir()
    (folder / "experiments/recipes.yaml").write_text("{}\n")
    (folder / "experiments/uplift_upsample.yaml").write_text(EXPERIMENT)
    # A training looks for the package in its project.
    (folder / "poselib").symlink_to(Path(__file__).resolve().parent.parent)
    (folder / "raw").mkdir()
    random = np.random.default_rng(0)
    for name, split in SPLIT.items():
        share = HELD_OUT if split == "validation" else 1 - HELD_OUT
        own = round(frames * share / list(SPLIT.values()).count(split))
        content = {"1": {str(number): sequence for number, sequence in enumerate(_sequences(own, random))}}
        np.savez(folder / "raw" / f"{name}.npz", positions_3d=np.array(content, dtype=object))


def _sequences(frames: int, random: np.random.Generator) -> Iterator[dict]:
    """Somebody who sways, (F, 17, 3) metres, in sequences of at most `SEQUENCE` frames."""
    body = random.uniform(-0.4, 0.4, (17, 3)) + (0, 0, 1)
    time = np.arange(SEQUENCE)[:, None, None] / 50
    for start in range(0, frames, SEQUENCE):
        poses = body + 0.1 * np.sin(time + random.uniform(0, 6, (17, 3)))
        yield {"positions_3d": poses[: frames - start].astype(np.float32), "frame_rate": 50.0}


def _run(folder: Path, *arguments: str) -> Usage:
    environment = {**os.environ, "PYTHONPATH": ""}
    command, started = [sys.executable, "-m", "poselib", *arguments], time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    resident = anonymous = 0
    while process.poll() is None:
        now = kibibytes(process.pid)
        resident, anonymous = max(resident, now.get("VmHWM", 0)), max(anonymous, now.get("RssAnon", 0))
        time.sleep(SAMPLED_EVERY_S)
    if process.returncode:
        raise InputError(f"stage {' '.join(arguments)} failed, see above; give it more disk or memory")
    return Usage(arguments[0], time.perf_counter() - started, resident / 1024, anonymous / 1024)


def kibibytes(process: int | str) -> dict[str, int]:
    """Memory of a process in KiB, by the names in Linux's status of it; empty where there is none."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split() for line in lines if line.endswith(" kB"))
    return {name.removesuffix(":"): int(number) for name, number, _ in pairs}
