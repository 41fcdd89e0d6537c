"""Which motion capture clips a folder holds: files, subjects and actions, without reading any motion.

A `manifest.csv` with the columns file, subject, action, fps (and optionally frames) describes the files below it;
`file` is relative to the manifest. Files without a row are described by their names.
"""

import csv
import glob
import math
from dataclasses import dataclass
from pathlib import Path

from poselib.errors import InputError

CMU_CREDIT = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)
HDM05_CREDIT = (
    "The data used in this project was obtained from HDM05 (CC BY-SA 3.0): M. Mueller et al., Documentation Mocap "
    "Database HDM05, CG-2007-2, Universitaet Bonn, 2007."
)
MOTION_SUFFIXES = (".amc", ".bvh")
MANIFEST_COLUMNS = ("file", "subject", "action", "fps")


@dataclass(frozen=True)
class ClipFile:
    """One motion file: its skeleton file if it needs one, and what is known about it before reading.

    `fps` and `frames` are None where no manifest tells them.
    """

    path: Path
    skeleton_path: Path | None
    subject: str
    action: str
    fps: float | None
    frames: int | None

    @property
    def stem(self) -> str:
        """File name without .amc, .bvh and .gz: the trial."""
        return _stem(self.path)


def find_clips(folder: Path | str) -> list[ClipFile]:
    """The clips at any depth in `folder`, sorted by path, each subject's trial once.

    A trial (same subject and file stem) that is there in several formats is taken from ASF/AMC, then from the first
    BVH by path. Manifests are looked for beside each file, above it up to `folder`, and beside `folder` itself.

    Raises:
        InputError: the folder is missing or holds no clip, a manifest is malformed or an .amc file has no skeleton.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder; give the folder with the motion capture files")
    names = glob.glob("**/*", root_dir=folder, recursive=True)
    paths = sorted(folder / name for name in names if _suffix(Path(name)) in MOTION_SUFFIXES)
    rows: dict[Path, dict[Path, dict[str, str]]] = {}
    taken: dict[tuple[str, str], ClipFile] = {}
    for path in sorted(paths, key=lambda path: MOTION_SUFFIXES.index(_suffix(path))):
        clip = _described(path, folder, rows)
        taken.setdefault((clip.subject, clip.stem), clip)
    if not taken:
        raise InputError(
            f"{folder} holds no .bvh or .amc file (.gz allowed); put the clips there or name another folder"
        )
    return sorted(taken.values(), key=lambda clip: clip.path)


def credits(folder: Path | str) -> tuple[str, ...]:
    """The credit lines that results made from this folder's clips must show."""
    from_hdm05 = {clip.stem.startswith("HDM_") for clip in find_clips(folder)}
    return tuple(line for line, used in ((CMU_CREDIT, False in from_hdm05), (HDM05_CREDIT, True in from_hdm05)) if used)


def _bare(path: Path) -> Path:
    return path.with_suffix("") if path.suffix == ".gz" else path


def _suffix(path: Path) -> str:
    return _bare(path).suffix.lower()


def _stem(path: Path) -> str:
    return _bare(path).stem


def _described(path: Path, folder: Path, rows: dict[Path, dict[Path, dict[str, str]]]) -> ClipFile:
    parts = _stem(path).split("_")
    subject = "_".join(parts[:2]) if parts[0] == "HDM" else f"CMU_{parts[0]}"
    skeleton = _skeleton_of(path) if _suffix(path) == ".amc" else None
    levels = path.relative_to(folder).parents
    for place in (*(folder / level for level in levels), folder.parent):
        if place not in rows:
            rows[place] = _manifest(place / "manifest.csv")
        if row := rows[place].get(_bare(path)):
            # Evaluation groups recordings by the action up to the first space.
            action = "_".join(row["action"].split()) or "motion"
            frames = int(row["frames"]) if row.get("frames") else None
            return ClipFile(path, skeleton, row["subject"], action, float(row["fps"]), frames)
    return ClipFile(path, skeleton, subject, "motion", None, None)


def _skeleton_of(path: Path) -> Path:
    parts = _stem(path).split("_")
    there = sorted(file for file in path.parent.iterdir() if _suffix(file) == ".asf")
    for name in (_stem(path), "_".join(parts[:2]), parts[0]):
        if own := [file for file in there if _stem(file) == name]:
            return own[0]
    if len(there) != 1:
        raise InputError(f"{path} needs its skeleton, {parts[0]}.asf, in the same folder; fetch that file too")
    return there[0]


def _manifest(path: Path) -> dict[Path, dict[str, str]]:
    """Rows by file path, packed or not; empty where there is no manifest."""
    if not path.is_file():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a table ({error}); save it as CSV in UTF-8") from None
    if missing := [column for column in MANIFEST_COLUMNS if column not in (reader.fieldnames or ())]:
        raise InputError(f"{path} has no column {missing[0]!r}; add it or remove the manifest")
    for line, row in enumerate(rows, 2):
        if not row["file"] or not row["subject"] or not _is_rate(row["fps"]):
            raise InputError(f"{path} row {line}: needs a file, a subject and an fps above zero; correct the row")
        if Path(row["file"]).is_absolute() or ".." in Path(row["file"]).parts:
            raise InputError(f"{path} row {line}: {row['file']!r} leads out of the folder; name a file below it")
        if row.get("frames") and not row["frames"].isdecimal():
            raise InputError(f"{path} row {line}: frames is {row['frames']!r}, not a whole number; correct the row")
    return {_bare(path.parent / row["file"]): {key: value or "" for key, value in row.items() if key} for row in rows}


def _is_rate(text: str | None) -> bool:
    try:
        return 0 < float(text or "nan") < math.inf
    except ValueError:
        return False
