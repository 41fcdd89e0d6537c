"""Lists of people as the COCO challenge takes them, which AlphaPose writes too, and COCO's own annotation files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from poselib.errors import InputError
from poselib.keypoints.content import entry, items, numbers, size_of, triples, whole
from poselib.keypoints.openpose import frame_in
from poselib.keypoints.tracks import Detection, Track, tracks_of

SETS = {17: "coco_17", 26: "halpe_26"}


def read_coco(path: Path, content: Any) -> list[Track]:
    """The people of a result list, or of an object with `annotations`.

    `image_id` is the frame number, or a file's name that ends in it; boxes are x, y, width, height. AlphaPose's `idx`
    and the `track_id` of annotations are ids.

    Raises:
        InputError: a person without one of the keys, or with other content than numbers.
    """
    size, key = None, path
    if isinstance(content, Mapping):
        images = items(content.get("images"), f"{path}, images")
        size = size_of(images[0], f"{path}, images[0]") if images and isinstance(images[0], Mapping) else None
        content, key = entry(content, "annotations", str(path)), f"{path}, annotations"
    found = [_detection(person, f"{key}[{number}]") for number, person in enumerate(items(content, str(key)))]
    return tracks_of(path, SETS, found, size=size)


def _detection(person: Any, label: str) -> Detection:
    image = entry(person, "image_id", label)
    frame = frame_in(Path(image).stem, label) if isinstance(image, str) else whole(image, f"{label}, image_id")
    points = triples(entry(person, "keypoints", label), f"{label}, keypoints")
    person_id = next((person[key] for key in ("idx", "track_id") if person.get(key) is not None), None)
    box = next((numbers(person[key], f"{label}, {key}") for key in ("box", "bbox") if key in person), None)
    if box is not None and box.shape == (4,):
        box[2:] += box[:2]
    return Detection(label, frame, points, _name(person_id, label), box)


def _name(value: Any, label: str) -> str | None:
    """An id as text; AlphaPose writes 3, 3.0 or [3.0] for the same person."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None or isinstance(value, str):
        return value
    number = numbers(value, f"{label}, idx")
    if number.ndim or not np.isfinite(number):
        raise InputError(f"{label}, idx: is not one number; give each person one id")
    return str(int(number)) if number == int(number) else str(number)
