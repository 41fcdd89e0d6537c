"""What the trainings of the published experiments would cost on a GPU: estimates, made of stated assumptions."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from poselib.experiments import Experiment

# Frames and videos to train on, all cameras, of the published data sets; data/README.md has them by subject or
# recording. Of AMASS only the hours are known, and not how many motions.
PUBLISHED = {
    "h36m": (1_559_752, 600),
    "mpi_inf_3dhp": (1_052_736, 128),
    "humaneva": (12_054, 27),
    "amass": (10_800_000, 0),
}
# An update is a forward pass and a backward pass, which costs two of them.
PASSES_PER_UPDATE = 3


@dataclass(frozen=True)
class Gpu:
    """What hours are estimated for: 10^12 FLOPs per second in float32, the part of them that is reached, and memory."""

    name: str
    tflops: float
    utilisation: float
    gib: float

    def hours(self, updates: int, macs: int) -> float:
        """Time of so many updates by batches whose forward pass takes `macs` multiply-accumulates."""
        return 2 * PASSES_PER_UPDATE * updates * macs / (self.tflops * 1e12 * self.utilisation) / 3600

    def assumptions(self, roles: Iterable[str]) -> str:
        """In words, for trainings on these roles."""
        sizes = ", ".join(f"{role} {PUBLISHED[role][0]:,}" for role in roles)
        return (
            f"GPU hours are estimates of one seed, nothing of them is measured: {self.name} with {self.tflops:g} "
            f"TFLOP/s in float32, of which {self.utilisation:.0%} are reached; an update takes "
            f"{PASSES_PER_UPDATE} forward passes of the published batch, 2 FLOPs per multiply-accumulate. Frames to "
            f"train on as published: {sizes}. The held-out subject counts as if it trained, and lifting the held-out "
            "and the test videos after every epoch does not count; of Human3.6M the two nearly cancel."
        )


def clips_of(role: str, length: int) -> float:
    """Clips of `length` frames that cover a published data set, without mirror images; 1 for a clip around each frame.

    The last clip of a video is, on average, half empty: 6 717.5 clips of 243 frames of Human3.6M, where MixSTE's code
    counts 6 716.
    """
    frames, videos = PUBLISHED[role]
    return frames / length + videos * (length - 1) / (2 * length)


def updates_of(clips: float, batch_clips: int, batches: int | None, epochs: int, updates_per_batch: int) -> int:
    """Updates of a training; `batches` bounds an epoch, which else takes every clip once plain and once mirrored."""
    return epochs * (batches or math.ceil(2 * clips / batch_clips)) * updates_per_batch


def per_table(
    tables: Mapping[str, Iterable[str]], experiments: Mapping[str, Experiment], hours: Mapping[str, float]
) -> pd.DataFrame:
    """Hours of each table and of all together, the trainings that others start from included.

    A training counts once in a table, and once in all, however often it is used; 'estimated' is for how many of a
    table's trainings `hours` has a number.
    """
    rows = []
    for table, names in tables.items():
        needed = {begun for name in names for begun in _with_starts(name, experiments)}
        rows.append((table, len(needed), len(needed & set(hours)), sum(hours[name] for name in needed & set(hours))))
    found = pd.DataFrame(
        [row for row in rows if row[2]], columns=["table", "trainings", "estimated", "gpu_hours_estimate"]
    )
    found.loc[len(found)] = ("all", len(hours), len(hours), sum(hours.values()))
    return found


def _with_starts(name: str | None, experiments: Mapping[str, Experiment]) -> list[str]:
    return [name, *_with_starts(experiments[name].start, experiments)] if name else []
