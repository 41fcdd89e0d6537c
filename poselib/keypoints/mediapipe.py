"""MediaPipe's 33 landmarks by frame, as JSON or CSV; MediaPipe writes no files, so these are the usual dumps of it.

JSON: an object with `frames`, `width` and `height` (and `fps`), or just the list of frames. A frame is a list of 33
landmarks, or an object with `landmarks` (of one person) or `pose_landmarks` (a list of people), and its `frame`
number. CSV: columns frame, landmark (number or name), x, y, visibility, and person if there are several.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from poselib.errors import InputError
from poselib.keypoints.content import entry, items, numbers, positive, size_of, whole
from poselib.keypoints.joint_sets import MEDIAPIPE_33
from poselib.keypoints.table import PersonTable
from poselib.keypoints.tracks import Detection, Track, tracks_of

SETS = {33: "mediapipe_33"}
FIELDS = ("x", "y", "visibility")


def read_mediapipe_json(path: Path, content: Any, size: tuple[int, int] | None) -> list[Track]:
    """The people of a JSON file of normalised landmarks, in the pixels of an image of this (width, height).

    Raises:
        InputError: no image size, or a frame or landmark without one of the keys.
    """
    fps = None
    if isinstance(content, Mapping):
        size = size_of(content, str(path)) or size
        fps = positive(content["fps"], f"{path}, fps") if "fps" in content else None
        content = entry(content, "frames", str(path))
    found, every = [], []
    for number, shot in enumerate(items(content, f"{path}, frames")):
        label = f"{path}, frames[{number}]"
        every.append(whole(shot.get("frame", number), f"{label}, frame") if isinstance(shot, Mapping) else number)
        for i, landmarks in enumerate(_people(shot, label)):
            points = np.stack([_point(mark, f"{label}, landmarks[{j}]") for j, mark in enumerate(landmarks)])
            found.append(Detection(f"{label}, person {i}", every[-1], points))
    return tracks_of(path, SETS, _in_pixels(path, found, size), every=every, fps=fps, size=size)


def read_mediapipe_csv(path: Path, table: PersonTable, size: tuple[int, int] | None) -> list[Track]:
    """The same from a CSV file.

    Raises:
        InputError: no image size, an unknown landmark, or a cell that is no number.
    """
    marks = {str(number): name for number, name in enumerate(MEDIAPIPE_33)}
    marks |= {name: name for name in MEDIAPIPE_33} | {f"mouth_{side}": f"{side}_mouth" for side in ("left", "right")}
    found = table.detections(MEDIAPIPE_33, marks, "landmark", FIELDS)
    return tracks_of(path, SETS, _in_pixels(path, found, size), size=size)


def _people(shot: Any, label: str) -> list[list]:
    if isinstance(shot, Mapping) and "pose_landmarks" in shot:
        people = items(shot["pose_landmarks"], f"{label}, pose_landmarks")
        people = people if people and isinstance(people[0], list) else [people]
    else:
        people = [entry(shot, "landmarks", label) if isinstance(shot, Mapping) else shot]
    return [landmarks for one in people if (landmarks := items(one, f"{label}, landmarks"))]


def _point(mark: Any, label: str) -> np.ndarray:
    point = numbers([entry(mark, key, label) for key in FIELDS], label)
    if point.shape != (3,):
        raise InputError(f"{label}: {', '.join(FIELDS)} are not one number each; export it again")
    return point


def _in_pixels(path: Path, found: list[Detection], size: tuple[int, int] | None) -> list[Detection]:
    if size is None:
        raise InputError(f"{path}: landmarks are shares of an image of unknown size; give image_size=(width, height)")
    # What is too large for a number is too large for an image, and refused as that.
    with np.errstate(over="ignore"):
        return [replace(one, points=one.points * [*size, 1]) for one in found]
