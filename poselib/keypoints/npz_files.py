"""Files of numpy: the detections of VideoPose3D's scripts (Detectron), and plain arrays."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from poselib.data.npz import read_npz
from poselib.errors import InputError
from poselib.keypoints.content import entry, numbers, positive, size_of
from poselib.keypoints.joint_sets import JOINT_SETS, set_of
from poselib.keypoints.tracks import Detection, Track, tracks_of

SETS = {17: "coco_17"}


def entries_of(path: Path) -> set[str]:
    """The names of the file's arrays.

    Raises:
        InputError: no such file, or no archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputError(f"{path}: damaged or not an .npz file; get it again") from error


def read_detectron(path: Path) -> list[Track]:
    """The people of a file with `boxes`, `keypoints` and `metadata`.

    Of each frame the file holds a list by class, of which the second is people: boxes (N, 5) x1, y1, x2, y2, score,
    and keypoints (N, 4, 17), whose rows are x, y, logit and probability.

    Raises:
        InputError: as `read_npz`, or other content.
    """
    content = read_npz(path, "boxes", "keypoints", "metadata")
    entry(content["metadata"], "w", f"{path}, metadata")
    size = size_of(content["metadata"], f"{path}, metadata", "w", "h")
    boxes, keypoints = (_by_frame(content[key], f"{path}, {key}") for key in ("boxes", "keypoints"))
    if len(boxes) != len(keypoints):
        raise InputError(f"{path}: boxes of {len(boxes)} frames, keypoints of {len(keypoints)}; detect again")
    found = []
    for frame, (corners, points) in enumerate(zip(boxes, keypoints, strict=True)):
        label = f"{path}, frame {frame}"
        corners, points = numbers(corners, f"{label}, boxes"), numbers(points, f"{label}, keypoints")
        if not corners.size and not points.size:
            continue
        if corners.ndim != 2 or points.shape != (len(corners), 4, 17):
            shapes = f"boxes {corners.shape} with keypoints {points.shape}"
            raise InputError(f"{label}: {shapes}, expected (people, 5) with (people, 4, 17); detect again")
        for person, (corner, point) in enumerate(zip(corners, points, strict=True)):
            found.append(Detection(f"{label}, person {person}", frame, point[[0, 1, 3]].T, box=corner[:4]))
    return tracks_of(path, SETS, found, every=range(len(boxes)), size=size)


def read_plain(path: Path, joints: str | None) -> list[Track]:
    """The one person of an `.npz` file with `keypoints` (F, J, 2), or 3 with confidence, or of an `.npy` file of these.

    `joints`, the name of their set or their own names, may be told instead; `fps` and `image_size`, or `width` and
    `height`, are optional. Without confidences all joints count as seen, but those that are NaN.

    Raises:
        InputError: as `read_npz`, an unknown joint set, or another shape.
    """
    content = _plain(path)
    if "image_size" in content:
        content |= zip(("width", "height"), np.ravel(content["image_size"]), strict=False)
    told = np.asarray(content.get("joints", joints))
    name = set_of(told.item() if told.size == 1 else told, f"{path}, joints")
    joints = JOINT_SETS[name]
    points = numbers(content["keypoints"], f"{path}, keypoints")
    if points.ndim != 3 or points.shape[1] != len(joints) or points.shape[2] not in (2, 3):
        raise InputError(
            f"{path}, keypoints: shape {points.shape}, expected (frames, {len(joints)}, 2 or 3); convert it again"
        )
    if points.shape[2] == 2:
        points = np.concatenate([points, np.ones_like(points[..., :1])], axis=-1)
    fps = positive(content["fps"], f"{path}, fps") if "fps" in content else None
    found = [Detection(f"{path}, keypoints, frame {frame}", frame, one, "1") for frame, one in enumerate(points)]
    return tracks_of(path, {len(joints): name}, found, fps=fps, size=size_of(content, str(path)))


def _plain(path: Path) -> dict[str, Any]:
    """What of the entries of a plain file is there."""
    if zipfile.is_zipfile(path):
        known = {"joints", "fps", "image_size", "width", "height"} & entries_of(path)
        return read_npz(path, "keypoints", *sorted(known))
    try:
        return {"keypoints": np.load(path, mmap_mode="r", allow_pickle=False)}
    except (ValueError, EOFError, OSError, SyntaxError) as error:
        raise InputError(f"{path}: damaged or no array of numbers; save it again") from error


def _by_frame(value: Any, label: str) -> list:
    """What the file holds of the class of people, frame by frame."""
    try:
        return [by_class[1] for by_class in value]
    except (TypeError, IndexError, KeyError) as error:
        raise InputError(f"{label}: expected a list of two classes for each frame; detect again") from error
