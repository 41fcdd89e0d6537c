"""Stage card: poselib/default/CARD.md, every number in it taken from what was trained and measured."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from poselib.data.cmu_files import CMU_CREDIT
from poselib.data.prepared import open_prepared
from poselib.errors import InputError
from poselib.files import write_whole
from poselib.lifting import find
from poselib.stages.lifter.measure import USUAL, USUAL_FPS
from poselib.stages.lifter.settings import CURVES, LOG, PREPARED, PROJECT, SHIPPED, SPEED, Settings

Row = Mapping[str, str]
CURVES_OF = {
    "any camera": "cameras",
    "joints": "joints of the detector",
    "focal length": "focal length (`focal`)",
    "noise": "factor of the detector's errors",
    "missing": "share of joints not seen",
    "fps": "frames per second",
    "height": "camera's height (m)",
    "distance": "camera's distance (m), focal length told",
}
COLUMNS = {"mpjpe_mm": "MPJPE", "p_mpjpe_mm": "P-MPJPE", "n_mpjpe_mm": "N-MPJPE"}
EXTRA = {"noise": {"noise_px": "2D error (px)"}, "distance": {"root_path_mm": "root path"}}
TEMPLATE = "lifter/card.md"


def run(root: Path, settings: Settings) -> None:
    """Write poselib/default/CARD.md.

    Raises:
        InputError: nothing is trained and measured yet.
    """
    write_whole(root / SHIPPED / "CARD.md", text(root, settings))


def text(root: Path, settings: Settings) -> str:
    """The card of what lies below `root`."""
    rows, log, speed = (_read(root / name) for name in (CURVES, LOG, SPEED))
    usual = next(row for row in rows if row["curve"] == "usual")
    told = next(row for row in rows if (row["curve"], row["value"]) == ("focal length", "told"))
    best = min(log, key=lambda row: float(row["held_out_mpjpe_mm"]))
    prepared, place = open_prepared(root / PREPARED), root / settings.checkpoint
    people = {
        split: sorted({video.subject for video in prepared.split(split)}) for split in ("train", "validation", "test")
    }
    drawn, network = settings.film, settings.network
    template = (PROJECT / TEMPLATE).read_text()
    return template.format(
        **network.model_dump(include={"depth", "dim", "frames"}),
        **{split: ", ".join(subjects) for split, subjects in people.items()},
        **{name: _range(drawn.cameras[name]) for name in ("distance", "height", "focal")},
        **{name: f"{float(usual[name]):.1f}" for name in (*COLUMNS, "mean_pose_mm", "noise_px")},
        **{name: f"{float(told[name]):.1f}" for name in ("root_path_mm", "root_path_percent")},
        **{f"speed_{name}": speed[0][name] for name in ("frames", "fps", "seconds")},
        name=settings.name,
        fps=settings.fps,
        parameters=sum(weights.numel() for weights in find(place).model.parameters()),
        megabytes=place.stat().st_size / 1e6,
        minutes=round(sum(video.frames for video in prepared.split("train")) / settings.fps / 60),
        epochs=settings.training.epochs,
        body=_range(drawn.body),
        noise=f"{drawn.noise[1]:g}",
        missing=f"{drawn.missing[1]:.0%}",
        coarse=f"{drawn.coarse_joints:.0%}",
        epoch=best["epoch"],
        held_out=f"{float(best['held_out_mpjpe_mm']):.1f}",
        credit=CMU_CREDIT,
        seconds=settings.measuring.seconds,
        pieces=usual["pieces"],
        count=usual["frames"],
        usual_height=USUAL["height"],
        usual_distance=USUAL["distance"],
        usual_fps=USUAL_FPS,
        assumed=settings.assumed_focal,
        threads=speed[0]["threads"],
        times=speed[0]["times_real_time"],
        curves="\n\n".join(_table(curve, rows) for curve in CURVES_OF),
    )


def _table(curve: str, rows: Iterable[Row]) -> str:
    columns = {**COLUMNS, **EXTRA.get(curve, {})}
    lines = [f"| {CURVES_OF[curve]} | {' | '.join(columns.values())} |", "|---" * (1 + len(columns)) + "|"]
    for row in rows:
        if row["curve"] == curve:
            star = "*" * int(row["beyond_training"])
            numbers = " | ".join(f"{float(row[column]):.1f}" for column in columns)
            lines.append(f"| {row['value']}{star} | {numbers} |")
    return "\n".join(lines)


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:g} to {ends[1]:g}"


def _read(path: Path) -> list[Row]:
    if not path.is_file():
        raise InputError(f"{path}: no such file; train and measure first: dvc repro lifter/dvc.yaml")
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
