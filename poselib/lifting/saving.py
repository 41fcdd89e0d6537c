"""Lifted sequences as files: arrays and tables that say joints and units, and pictures for people."""

import csv
import json
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import numpy as np

from poselib.errors import InputError
from poselib.files import room_for
from poselib.lifting.sequences import Lifted

UNITS = "metres, root-relative, camera frame: x right, y down, z away from the camera"
ESTIMATE = "an estimate, metres, camera frame, by least squares of the reprojection"
DRAWING = "poselib.figures.lifted"
PICTURES = {"html": (DRAWING,), "gif": (DRAWING,), "mp4": (DRAWING, "imageio_ffmpeg")}
KINDS = ("npz", "csv", "json", *PICTURES)
"""Endings of what can be saved; the first three hold all people, the others are one file for each."""


def save(lifted: Lifted, folder: str | Path, kinds: Iterable[str] = ("npz",), stem: str = "lifted") -> list[Path]:
    """Write <folder>/<stem>.<kind>, and <stem>_<number>.<kind> for each of several people in pictures.

    Every file appears whole or not at all.

    Raises:
        InputError: an unknown kind, one that needs an extra that is not installed, or a place that cannot be written.
    """
    kinds, folder = list(dict.fromkeys(kinds)), Path(folder)
    check_kinds(kinds)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made ({error.strerror}); name another folder") from error
    written = []
    for kind in kinds:
        if kind not in PICTURES:
            parts = [(folder / f"{stem}.{kind}", {"npz": _npz, "csv": _csv, "json": _json}[kind], lifted)]
        else:
            pictures, several = import_module(DRAWING), len(lifted.people) > 1
            draw = {"html": pictures.page, "gif": pictures.film, "mp4": pictures.film}[kind]
            names = [f"{stem}_{i}" if several else stem for i in range(1, len(lifted.people) + 1)]
            parts = [(folder / f"{name}.{kind}", draw, one) for name, one in zip(names, lifted.motions, strict=True)]
        for path, write, content in parts:
            # The ending tells some writers what to write.
            partial = path.with_name(f"{path.stem}.partial.{kind}")
            try:
                with room_for(path):
                    write(partial, content)
                    partial.replace(path)
            except OSError as error:
                raise InputError(f"{path}: cannot be written ({error.strerror}); name another place") from error
            finally:
                partial.unlink(missing_ok=True)
            written.append(path)
    return written


def check_kinds(kinds: Iterable[str]) -> None:
    """Look for what pictures need before anything is lifted or written.

    Raises:
        InputError: an unknown kind, or one that needs an extra that is not installed.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise InputError(f"save: no kind {kind!r}; choose from {', '.join(KINDS)}")
        try:
            for module in PICTURES.get(kind, ()):
                import_module(module)
        except ModuleNotFoundError as error:
            extra = "video" if error.name == "imageio_ffmpeg" else "workbook"
            remedy = f"pip install '.[{extra}]' in the project's folder, or save another"
            raise InputError(f"{kind}: needs {error.name}; {remedy}") from error


def _npz(path: Path, lifted: Lifted) -> None:
    arrays = {"joints": np.array(lifted.skeleton.names), "fps": lifted.fps, "units": UNITS}
    arrays["people"] = np.array([one.person for one in lifted.people])
    arrays |= {"checkpoint": lifted.checkpoint, "trained_on": lifted.about.trained_on, "limits": lifted.about.limits}
    for number, one in enumerate(lifted.people, start=1):
        own = {"frames": one.frames, "poses_3d": one.poses_3d, "filled": one.filled, "confidence": one.confidence}
        if one.root_path_estimate is not None:
            own["root_path_estimate"] = one.root_path_estimate
        arrays |= {f"{key}_{number}": value for key, value in own.items()}
    np.savez_compressed(path, **arrays)


def _csv(path: Path, lifted: Lifted) -> None:
    """A row for each joint of each frame of each person."""
    header = ["person", "frame", "time_s", "joint", "x_m", "y_m", "z_m", "filled", "confidence"]
    focal = lifted.people[0].root_path_estimate is not None
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(header + [f"root_{axis}_m_estimate" for axis in "xyz"] * focal)
        for one in lifted.people:
            paths = one.root_path_estimate if focal else np.zeros((len(one.frames), 0))
            per_frame = zip(one.frames, one.poses_3d, one.filled, one.confidence, paths, strict=True)
            for frame, pose, filled, confidence, place in per_frame:
                begun = [one.person, frame, f"{frame / lifted.fps:.4f}"]
                end = ["" if np.isnan(value) else f"{value:.6f}" for value in place]
                for joint, point, *seen in zip(
                    lifted.skeleton.names, pose, filled.astype(int), confidence, strict=True
                ):
                    rows.writerow(
                        [*begun, joint, *(f"{value:.6f}" for value in point), seen[0], f"{seen[1]:.4f}", *end]
                    )


def _json(path: Path, lifted: Lifted) -> None:
    people = []
    for one in lifted.people:
        own = {"person": one.person, "frames": one.frames.tolist(), "poses_3d": _rounded(one.poses_3d)}
        own |= {"filled": one.filled.astype(int).tolist(), "confidence": _rounded(one.confidence)}
        if one.root_path_estimate is not None:
            own["root_path_estimate"] = [None if None in row else row for row in _rounded(one.root_path_estimate)]
        people.append(own)
    content = {
        "units": {"poses_3d": UNITS, "root_path_estimate": ESTIMATE, "fps": "frames per second"},
        "joints": lifted.skeleton.names,
        "parents": [None if i < 0 else lifted.skeleton.names[i] for i in lifted.skeleton.parents],
        "fps": lifted.fps,
        "checkpoint": lifted.checkpoint,
        **lifted.about.model_dump(include={"trained_on", "limits"}),
        "people": people,
        "left_out": dict(lifted.left_out),
    }
    path.write_text(json.dumps(content, allow_nan=False) + "\n", encoding="utf-8")


def _rounded(values: np.ndarray) -> list:
    """To micrometres, None for NaN."""
    rounded = values.astype(float).round(6)
    return np.where(np.isnan(rounded), None, rounded).tolist()
