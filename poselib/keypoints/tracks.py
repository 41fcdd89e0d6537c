"""One person seen over time in pixels, the form that every reader ends in, and how it is made of single detections."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from poselib.errors import InputError
from poselib.keypoints.linking import link

# Detectors that do not squash their scores reach about 6; more is another unit, such as percent.
LARGEST_CONFIDENCE = 10
FAR = 1e9
# Linking takes memory by the square of it, and time by the cube.
LARGEST_CROWD = 500


@dataclass(frozen=True)
class Track:
    """One person in one video.

    `joints` names the set in `joint_sets.JOINT_SETS`; `frames` (n,) are the file's own frame numbers, increasing, with
    gaps where the person was not seen; `keypoints` is (n, J, 2) float32 in pixels, x right and y down; `confidence` is
    (n, J) float32 in [0, 1], and 0 says that the joint was missed and its place, (0, 0), means nothing. `boxes` is
    (n, 4) float32, x1, y1, x2, y2 in pixels; `size` is the image's (width, height); both, and `fps`, are None where
    the file does not say them.
    """

    person: str
    joints: str
    frames: np.ndarray
    keypoints: np.ndarray
    confidence: np.ndarray
    boxes: np.ndarray | None = None
    fps: float | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Detection:
    """One person in one frame: `points` (J, 3) x, y, confidence; `box` x1, y1, x2, y2; `label` names file and key."""

    label: str
    frame: int
    points: np.ndarray
    person: str | None = None
    box: np.ndarray | None = None


def tracks_of(
    path: Path,
    sets: Mapping[int, str],
    detections: Sequence[Detection],
    *,
    every: Iterable[int] = (),
    fps: float | None = None,
    size: tuple[int, int] | None = None,
) -> list[Track]:
    """The detections by person, in the order of appearance; people without ids are linked by their boxes.

    Args:
        sets: number of joints -> name of the joint set.
        every: the frames of the file, those in which nobody was seen among them.

    Raises:
        InputError: nobody seen, another number of joints, ids for some only, a crowd of more than 500 without ids,
            somebody twice in a frame, or numbers that are no pixels or no confidences.
    """
    if not detections:
        raise InputError(f"{path}: nobody is seen in it; check that the detector saw the video")
    joints = len(detections[0].points)
    for detection in detections:
        _check(detection, sets, joints)
    points = _cleaned(np.stack([detection.points for detection in detections]))
    _check_pixels(path, points, size)
    people = [detection.person for detection in detections]
    if None in people:
        if unlike := next((d for d in detections if d.person is not None), None):
            raise InputError(f"{unlike.label}: has an id, but others have none; give all people ids or nobody")
        seen = [i for i in range(len(points)) if points[i, :, 2].any()]
        detections, points = [detections[i] for i in seen], points[seen]
        frames = [detection.frame for detection in detections]
        frame, crowd = Counter(frames).most_common(1)[0]
        if crowd > LARGEST_CROWD:
            raise InputError(f"{path}: {crowd} people without ids in frame {frame}; write the ids of a tracker")
        people = link(frames, np.stack([_box(d, p) for d, p in zip(detections, points, strict=True)]), every)
    rows: dict[str, list[int]] = {}
    for i in sorted(range(len(people)), key=lambda i: detections[i].frame):
        rows.setdefault(people[i], []).append(i)
    return [_track(person, sets[joints], detections, points, own, fps, size) for person, own in rows.items()]


def _check(detection: Detection, sets: Mapping[int, str], joints: int) -> None:
    points, label = detection.points, detection.label
    if len(points) not in sets:
        known = " or ".join(f"{count} ({name})" for count, name in sets.items())
        raise InputError(f"{label}: {len(points)} joints, expected {known}; use a detector of those joints")
    if len(points) != joints:
        raise InputError(f"{label}: {len(points)} joints, but {joints} before; keep joint sets in files of their own")
    box = detection.box
    if box is not None and not (box.shape == (4,) and (np.abs(box) < FAR).all() and (box[2:] >= box[:2]).all()):
        raise InputError(f"{label}: its box is not four numbers that span an area; correct or remove it")
    if (np.abs(points) >= FAR).any():
        raise InputError(f"{label}: holds a number beyond {FAR:.0e}; write NaN or confidence 0 for a missed joint")
    if (largest := np.nan_to_num(points[:, 2]).max()) > LARGEST_CONFIDENCE:
        raise InputError(f"{label}: confidence {largest:.6g} is not in [0, 1]; scale it to that")


def _cleaned(points: np.ndarray) -> np.ndarray:
    """With all of a missed joint 0, and confidences in [0, 1], (N, J, 3)."""
    missed = np.isnan(points).any(axis=-1) | (points[..., 2] <= 0)
    points = np.where(missed[..., None], 0, points)
    points[..., 2] = np.minimum(points[..., 2], 1)
    return points


def _check_pixels(path: Path, points: np.ndarray, size: tuple[int, int] | None) -> None:
    if not points[..., 2].any():
        raise InputError(f"{path}: every joint is missed; check the confidences that the detector wrote")
    largest, limit = float(np.abs(points[..., :2]).max()), 20 * max(size or (5000,))
    if largest <= 2:
        raise InputError(f"{path}: coordinates up to {largest:.2f} look normalised; multiply by the image's size")
    if largest > limit:
        raise InputError(f"{path}: coordinates up to {largest:.6g} are no pixels of the image; convert them to pixels")


def _box(detection: Detection, points: np.ndarray) -> np.ndarray:
    """The detector's box, or the one around the joints that were seen."""
    if detection.box is not None:
        return detection.box
    seen = points[points[:, 2] > 0, :2]
    return np.concatenate([seen.min(axis=0), seen.max(axis=0)])


def _track(person, joints, detections, points, rows, fps, size) -> Track:
    own = [detections[i] for i in rows]
    frames = np.array([detection.frame for detection in own])
    if len(twice := np.flatnonzero(np.diff(frames) == 0)):
        raise InputError(f"{own[twice[0] + 1].label}: person {person} is twice in frame {frames[twice[0]]}; remove one")
    keypoints, confidence = np.split(points[rows].astype(np.float32), [2], axis=-1)
    boxes = None if any(d.box is None for d in own) else np.stack([d.box for d in own]).astype(np.float32)
    return Track(person, joints, frames, keypoints, confidence[..., 0], boxes, fps, size)
