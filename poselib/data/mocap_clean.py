"""Repair of known faults of public CMU conversions, and resampling: functions on positions or BVH offsets."""

from collections.abc import Mapping

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation

SPEED_LIMIT = 15.0
ACCELERATION_LIMIT = 1500.0
T_POSE_SPEED = 30.0
DAZ_HEAD_HEIGHT = 0.170

# The converter wrote OFFSET 0 0 0 for a joint whose bone is about as long as this share of another joint's OFFSET.
LOST_BONES: Mapping[str, tuple[str, float]] = {
    "Neck": ("Spine1", 1.0),
    "LeftShoulder": ("Spine1", 1.0),
    "RightShoulder": ("Spine1", 1.0),
    "LeftFingerBase": ("LeftHand", 0.5),
    "LThumb": ("LeftHand", 0.5),
    "RightFingerBase": ("RightHand", 0.5),
    "RThumb": ("RightHand", 0.5),
}


def restore_lost_bones(offsets: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Offsets (3,) by joint, with the bones given back that cgspeed's MotionBuilder-friendly files lost.

    Only zero offsets of joints in that naming scheme change. The thorax takes the length and direction of the bone
    below it, which is right to about 4 mm; the wrist is half as long as the radius in every CMU skeleton.
    """
    mended = dict(offsets)
    if not LOST_BONES.keys() <= offsets.keys():
        return mended
    for joint, (model, share) in LOST_BONES.items():
        if model in offsets and not np.any(offsets[joint]):
            mended[joint] = share * offsets[model]
    return mended


def without_t_pose(positions: np.ndarray, fps: float) -> np.ndarray:
    """Positions (F, J, 3) in metres, less frame 0 if a joint leaves it faster than anybody moves (a T-pose)."""
    if len(positions) < 2:
        return positions
    speeds = np.linalg.norm(positions[1] - positions[0], axis=-1) * fps
    return positions[1:] if speeds.max() > T_POSE_SPEED else positions


def longest_clean_run(positions: np.ndarray, fps: float) -> slice:
    """The longest run of frames in which no joint exceeds 15 m/s or 1500 m/s^2; the first of equals.

    A step above the speed limit parts the frames on both sides; a frame whose acceleration (second difference) is
    above the limit is left out.

    Args:
        positions: (F, J, 3) in metres, F >= 1.
        fps: frames per second of `positions`, as stored: resampling first would smear the spikes.
    """
    steps = np.diff(positions, axis=0) * fps
    too_fast = (np.linalg.norm(steps, axis=-1) > SPEED_LIMIT).any(axis=-1)
    jerked = (np.linalg.norm(np.diff(steps, axis=0) * fps, axis=-1) > ACCELERATION_LIMIT).any(axis=-1)
    parted = too_fast.copy()
    if jerked.size:
        parted[:-1] |= jerked
        parted[1:] |= jerked
    bounds = np.concatenate(([0], np.flatnonzero(parted) + 1, [len(positions)]))
    longest = int(np.argmax(np.diff(bounds)))
    return slice(int(bounds[longest]), int(bounds[longest + 1]))


def resample(positions: np.ndarray, source_fps: float, fps: float) -> np.ndarray:
    """Positions (F, J, 3) at another rate by a cubic spline in time, from the first frame on, never beyond the last.

    Needs at least 2 frames; same unit and frame.
    """
    times = np.arange(len(positions)) / source_fps
    # The slack keeps a last frame that rounding would put just behind the end.
    count = int(np.floor(times[-1] * fps + 1e-6)) + 1
    return CubicSpline(times, positions)(np.minimum(np.arange(count) / fps, times[-1]))


def daz_head_top(head: np.ndarray, left_eye: np.ndarray, right_eye: np.ndarray) -> np.ndarray:
    """The top of a Daz figure's head (F, 3), from joints (F, 3) in metres.

    The eyes lie 45 degrees before the head's own up direction, seen from the head joint; the top is 170 mm along it.
    """
    across = left_eye - right_eye
    across /= np.linalg.norm(across, axis=-1, keepdims=True)
    up = Rotation.from_rotvec(-np.pi / 4 * across).apply((left_eye + right_eye) / 2 - head)
    return head + DAZ_HEAD_HEIGHT * up / np.linalg.norm(up, axis=-1, keepdims=True)
