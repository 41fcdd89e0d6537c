"""MMPose's predictions: `instance_info`, or just its list, of frames with `instances` of keypoints and their scores."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from poselib.errors import InputError
from poselib.keypoints.content import entry, items, numbers, whole
from poselib.keypoints.joint_sets import JOINT_SETS
from poselib.keypoints.tracks import Detection, Track, tracks_of

SETS = {17: "coco_17", 26: "halpe_26"}


def read_mmpose(path: Path, content: Any) -> list[Track]:
    """The people of a prediction file; the joints' names, if the file gives them, have to be those of the set.

    Raises:
        InputError: a frame or person without one of the keys, other content than numbers, or joints of other names.
    """
    if isinstance(content, Mapping):
        _check_names(content.get("meta_info"), path)
        content = entry(content, "instance_info", str(path))
    found, every = [], []
    for number, shot in enumerate(items(content, f"{path}, instance_info")):
        label = f"{path}, instance_info[{number}]"
        every.append(whole(entry(shot, "frame_id", label), f"{label}, frame_id"))
        people = items(entry(shot, "instances", label), f"{label}, instances")
        found += [_detection(one, every[-1], f"{label}, instances[{i}]") for i, one in enumerate(people)]
    return tracks_of(path, SETS, found, every=every)


def _detection(person: Any, frame: int, label: str) -> Detection:
    places = numbers(entry(person, "keypoints", label), f"{label}, keypoints")
    scores = numbers(entry(person, "keypoint_scores", label), f"{label}, keypoint_scores")
    if places.ndim != 2 or places.shape[1] != 2 or scores.shape != places.shape[:1]:
        shapes = f"keypoints {places.shape} with scores {scores.shape}"
        raise InputError(f"{label}: {shapes}, expected (joints, 2) with (joints,); export it again")
    # Some of MMPose's versions write the box as a list that holds it.
    box = numbers(person["bbox"], f"{label}, bbox").reshape(-1) if "bbox" in person else None
    track = person.get("track_id")
    return Detection(label, frame, np.c_[places, scores], None if track is None else str(track), box)


def _check_names(meta: Any, path: Path) -> None:
    names = meta.get("keypoint_id2name") if isinstance(meta, Mapping) else None
    if not isinstance(names, Mapping):
        return
    label = f"{path}, meta_info, keypoint_id2name"
    if len(names) not in SETS:
        raise InputError(f"{label}: {len(names)} joints, expected {' or '.join(map(str, SETS))}; use such a model")
    for number, expected in enumerate(JOINT_SETS[SETS[len(names)]]):
        # MMPose calls the middle of the hips a hip.
        if (found := str(entry(names, str(number), label))[:40]) != ("hip" if expected == "pelvis" else expected):
            raise InputError(f"{label}: joint {number} is {found}, expected {expected}; use a model of COCO or Halpe")
