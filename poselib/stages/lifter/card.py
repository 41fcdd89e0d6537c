"""Stage card: poselib/default/CARD.md, every number in it taken from what was trained and measured."""

from pathlib import Path

import pandas as pd

from poselib.data.cmu_files import CMU_CREDIT
from poselib.data.prepared import SPLITS, open_prepared
from poselib.files import write_whole
from poselib.lifting import find
from poselib.stages.lifter.measure import USUAL
from poselib.stages.lifter.settings import CURVES, LOG, PREPARED, PROJECT, SHIPPED, SPEED, Settings, read_table

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
    table, log, speed = (read_table(root / name) for name in (CURVES, LOG, SPEED))
    by = table.set_index(["curve", "value"]).sort_index()
    prepared, place = open_prepared(root / PREPARED), root / settings.checkpoint
    template = (PROJECT / TEMPLATE).read_text()
    return template.format(
        settings=settings,
        usual=by.loc["usual", ""],
        told=by.loc["focal length", "told"],
        best=log.loc[log["held_out_mpjpe_mm"].idxmin()],
        speed=speed.iloc[0],
        people={split: ", ".join(sorted({video.subject for video in prepared.split(split)})) for split in SPLITS},
        minutes=sum(video.frames for video in prepared.split("train")) / settings.fps / 60,
        parameters=sum(weights.numel() for weights in find(place).model.parameters()),
        megabytes=place.stat().st_size / 1e6,
        credit=CMU_CREDIT,
        at=USUAL,
        curves="\n\n".join(_table(curve, table) for curve in CURVES_OF),
    )


def _table(curve: str, table: pd.DataFrame) -> str:
    columns = {**COLUMNS, **EXTRA.get(curve, {})}
    lines = [f"| {CURVES_OF[curve]} | {' | '.join(columns.values())} |", "|---" * (1 + len(columns)) + "|"]
    for _, row in table[table["curve"] == curve].iterrows():
        numbers = " | ".join(f"{row[column]:.1f}" for column in columns)
        lines.append(f"| {row['value']}{'*' * row['beyond_training']} | {numbers} |")
    return "\n".join(lines)
