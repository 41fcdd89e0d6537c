"""What a detector saw of one person, made ready for lifting: one head from one ear, and no gaps."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from poselib.errors import InputError
from poselib.keypoints import Track
from poselib.keypoints.content import numbers
from poselib.keypoints.gaps import fill
from poselib.keypoints.joint_sets import JOINT_SETS, set_of
from poselib.keypoints.tracks import Detection, tracks_of
from poselib.skeleton import H36M_17


def track_of(points: np.ndarray, joints: str | None) -> Track:
    """One person's track from pixels (F, J, 2), or 3 with confidence; NaN or confidence 0 for a missed joint.

    Raises:
        InputError: an unknown joint set, another shape, or numbers that are no pixels.
    """
    name = set_of(joints, "joints")
    count, points = len(JOINT_SETS[name]), numbers(points, "keypoints")
    if points.ndim != 3 or points.shape[1] != count or points.shape[2] not in (2, 3):
        expected = f"(frames, {count}, 2 or 3) of {name}"
        raise InputError(f"keypoints: shape {points.shape}, expected {expected}; give that or name its joint set")
    if points.shape[2] == 2:
        points = np.concatenate([points, np.ones_like(points[..., :1])], axis=-1)
    found = [Detection(f"keypoints, frame {i}", i, one, "1") for i, one in enumerate(points)]
    return tracks_of(Path("keypoints"), {count: name}, found)[0]


def where_seen(track: Track) -> Track:
    """The track without the frames in which no joint was seen, which are there in files of one fixed shape."""
    rows = track.confidence.any(axis=1)
    boxes = None if track.boxes is None else track.boxes[rows]
    own = {"keypoints": track.keypoints[rows], "confidence": track.confidence[rows]}
    return replace(track, frames=track.frames[rows], boxes=boxes, **own)


def one_ear_for_both(track: Track) -> tuple[Track, np.ndarray]:
    """The track with a missed ear where the other one is, and (n,) in which frames that was done.

    Of a person seen from the side detectors lose the far ear for as long, and both are needed to place the head.
    """
    names, keypoints, confidence = JOINT_SETS[track.joints], track.keypoints.copy(), track.confidence.copy()
    guessed = np.zeros(len(keypoints), bool)
    if "head" not in names:
        ears = [names.index(f"{side}_ear") for side in ("left", "right")]
        seen = confidence[:, ears] > 0
        for column in (0, 1):
            rows, ear, other = ~seen[:, column] & seen[:, 1 - column], ears[column], ears[1 - column]
            keypoints[rows, ear], confidence[rows, ear] = keypoints[rows, other], confidence[rows, other]
            guessed |= rows
    return replace(track, keypoints=keypoints, confidence=confidence), guessed


def without_gaps(track: Track, guessed: np.ndarray, causal: bool) -> tuple[Track, np.ndarray]:
    """The track of Human3.6M's joints with every joint in every frame, and the mask (F, J) of those that were not seen.

    Args:
        guessed: (n,) frames whose head is made from one ear; it counts as not seen.
        causal: hold what was seen last, from the first frame by which all joints were seen; else as `fill` does.
    """
    filled, mask = _held(track) if causal else fill(track)
    rows = track.frames[guessed] - filled.frames[0]
    rows, head = rows[rows >= 0], H36M_17.index["head"]
    mask[rows, head], filled.confidence[rows, head] = True, 0
    return filled, mask


def _held(track: Track) -> tuple[Track, np.ndarray]:
    filled, mask = fill(track)
    seen = ~mask
    last = np.maximum.accumulate(np.where(seen, np.arange(len(seen))[:, None], -1), axis=0)
    begin = int(np.argmax((last >= 0).all(axis=1)))
    keypoints = np.take_along_axis(filled.keypoints, last[begin:, :, None], axis=0)
    return (
        replace(filled, frames=filled.frames[begin:], keypoints=keypoints, confidence=filled.confidence[begin:]),
        mask[begin:],
    )
