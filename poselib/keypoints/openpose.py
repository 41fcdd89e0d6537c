"""OpenPose's output: a folder with one JSON file for each frame, `people[].pose_keypoints_2d` flat, BODY_25 or COCO."""

import re
from pathlib import Path
from typing import Any

from poselib.errors import InputError
from poselib.files import check_unpacked
from poselib.keypoints.content import UNPACKED_PER_BYTE, entry, items, parse_json, read_text, triples, whole
from poselib.keypoints.tracks import Detection, Track, tracks_of

SETS = {25: "body_25", 18: "coco_18"}


def read_openpose(folder: Path) -> list[Track]:
    """The people of a folder of `<video>_<frame>_keypoints.json`; `person_id` counts where OpenPose tracked.

    Raises:
        InputError: no such files, two of the same frame, or a damaged one.
    """
    paths = sorted(folder.glob("*.json"))
    if not paths:
        raise InputError(f"{folder}: holds no JSON file; name the folder that OpenPose's --write_json wrote")
    check_unpacked(folder, UNPACKED_PER_BYTE * sum(path.stat().st_size for path in paths))
    files: dict[int, Path] = {}
    for path in paths:
        frame = frame_in(path.stem.removesuffix("_keypoints"), str(path))
        if frame in files:
            raise InputError(
                f"{path}: frame {frame} is also {files[frame].name}; keep each video in a folder of its own"
            )
        files[frame] = path
    found = [detection for frame, path in files.items() for detection in _people(path, frame)]
    return tracks_of(folder, SETS, found, every=files)


def frame_in(name: str, label: str) -> int:
    """The last number in a file's name.

    Raises:
        InputError: there is none.
    """
    digits = re.findall(r"\d+", name)
    if not digits:
        raise InputError(f"{label}: no frame number in the name {name[:40]!r}; number the frames from 0")
    return whole(digits[-1], label)


def _people(path: Path, frame: int) -> list[Detection]:
    label = f"{path}, people"
    content: Any = parse_json(read_text(path), path)
    people = items(entry(content, "people", str(path)), label)
    return [_detection(person, frame, f"{label}[{number}]") for number, person in enumerate(people)]


def _detection(person: Any, frame: int, label: str) -> Detection:
    points = triples(entry(person, "pose_keypoints_2d", label), f"{label}, pose_keypoints_2d")
    # OpenPose writes [-1] unless it was told to track.
    ids = [number for number in items(person.get("person_id"), f"{label}, person_id") if number != -1]
    return Detection(label, frame, points, str(ids[0]) if ids else None)
