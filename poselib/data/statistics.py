"""How people in a set of motions move: speeds by joint, bone lengths, joint angles, distance from the floor."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from poselib.data.sequences import Motion
from poselib.errors import InputError

REFERENCE_FPS = 50.0
"""Speeds are given per frame of this rate, whatever the motion's own."""
FACING_KNEE = 20.0
"""Below this bend, in degrees, the side to which a knee bends is not well defined."""


def _common(motions: Iterable[Motion]) -> list[Motion]:
    """The motions as a list, checked to be of one skeleton and two frames at least."""
    motions = list(motions)
    if not motions:
        raise InputError("there are no motions to measure; give at least one")
    for motion in motions:
        if motion.skeleton.names != motions[0].skeleton.names:
            raise InputError(f"{motion.subject} {motion.action} has other joints than the first; take sets one by one")
        if len(motion.positions) < 2:
            raise InputError(f"{motion.subject} {motion.action} has one frame, speeds need two; leave it out")
    return motions


def speeds_mm(motion: Motion, *, relative: bool) -> np.ndarray:
    """Joint speeds between successive frames, (F - 1, J), millimetres per frame at 50 Hz.

    `relative` first subtracts the root joint; otherwise the speeds are those in the room.
    """
    places = np.asarray(motion.positions, dtype=np.float64)
    if relative:
        places = places - places[:, motion.skeleton.root, None]
    return np.linalg.norm(np.diff(places, axis=0), axis=-1) * 1000 * motion.fps / REFERENCE_FPS


def speed_table(motions: Iterable[Motion]) -> pd.DataFrame:
    """Speeds by joint, pooled over all frames, millimetres per frame at 50 Hz.

    Columns `world_mean`, `world_median`, `world_p95`, `relative_mean`, `relative_median`, `relative_p95`; index joints.

    Raises:
        InputError: no motion, motions of several skeletons, or of a single frame.
    """
    motions = _common(motions)
    columns = {}
    for label, relative in (("world", False), ("relative", True)):
        speeds = np.concatenate([speeds_mm(motion, relative=relative) for motion in motions])
        columns[f"{label}_mean"] = speeds.mean(axis=0)
        columns[f"{label}_median"], columns[f"{label}_p95"] = np.percentile(speeds, (50, 95), axis=0)
    return pd.DataFrame(columns, index=pd.Index(motions[0].skeleton.names, name="joint"))


def peaks(motions: Iterable[Motion]) -> tuple[float, float]:
    """Largest speed in m/s and largest acceleration in m/s^2 of any joint in the room."""
    motions = _common(motions)
    speed = max(speeds_mm(motion, relative=False).max() for motion in motions) * REFERENCE_FPS / 1000
    bends = (np.diff(m.positions.astype(np.float64), 2, axis=0) * m.fps**2 for m in motions if len(m.positions) > 2)
    return float(speed), float(max((np.linalg.norm(bend, axis=-1).max() for bend in bends), default=0.0))


def bone_lengths(motion: Motion) -> np.ndarray:
    """Lengths of `skeleton.bones` in every frame, (F, B) metres."""
    child, parent = np.array(motion.skeleton.bones).T
    places = np.asarray(motion.positions, dtype=np.float64)
    return np.linalg.norm(places[:, child] - places[:, parent], axis=-1)


def bone_table(motions: Iterable[Motion]) -> pd.DataFrame:
    """Bone lengths, millimetres, a row for each bone, named by its far joint.

    Columns `mean`, `lowest` and `highest` over the motions, and `spread`: the largest change within one motion.
    """
    motions = _common(motions)
    lengths = [bone_lengths(motion) * 1000 for motion in motions]
    means = np.array([each.mean(axis=0) for each in lengths])
    spread = np.max([np.ptp(each, axis=0) for each in lengths], axis=0)
    skeleton = motions[0].skeleton
    names = pd.Index([skeleton.names[child] for child, _ in skeleton.bones], name="bone")
    columns = {"mean": means.mean(axis=0), "lowest": means.min(axis=0), "highest": means.max(axis=0), "spread": spread}
    return pd.DataFrame(columns, index=names)


def floor_table(motions: Iterable[Motion]) -> pd.DataFrame:
    """Height above the floor by joint in millimetres, columns `lowest` and `median` over all frames."""
    motions = _common(motions)
    heights = np.concatenate([motion.positions[..., 2] for motion in motions]).astype(np.float64) * 1000
    names = pd.Index(motions[0].skeleton.names, name="joint")
    return pd.DataFrame({"lowest": heights.min(axis=0), "median": np.median(heights, axis=0)}, index=names)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _degrees(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Angle between vectors (F, 3), degrees."""
    cross = np.linalg.norm(np.cross(first, second), axis=-1)
    return np.degrees(np.arctan2(cross, np.sum(first * second, axis=-1)))


def joint_angles(motion: Motion) -> dict[str, np.ndarray]:
    """Angles in degrees, (F,) each, of the joints that have limits; needs the joint names of `H36M_17`.

    `left_knee`, `left_elbow` and their mirrors: 0 straight. `left_hip`: thigh against the pelvis' downward axis.
    `left_shoulder`: upper arm against the spine's downward axis. `spine`: the two trunk bones against each other.
    `neck`: the bone to the nose against the upper trunk. `left_knee_side`: positive where the knee bends the human way
    (shin backwards), zero where it is bent by less than 20 degrees, otherwise the cosine between its axis and the axis
    a hinge without splay would have.
    """
    places = np.asarray(motion.positions, dtype=np.float64)
    at = {name: places[:, number] for name, number in motion.skeleton.index.items()}
    trunk, up = at["thorax"] - at["spine"], _unit(at["spine"] - at["pelvis"])
    across = _unit(at["left_hip"] - at["right_hip"])
    angles = {"spine": _degrees(at["spine"] - at["pelvis"], trunk), "neck": _degrees(trunk, at["nose"] - at["thorax"])}
    for side in ("left", "right"):
        thigh, shin = at[f"{side}_knee"] - at[f"{side}_hip"], at[f"{side}_ankle"] - at[f"{side}_knee"]
        upper, fore = at[f"{side}_elbow"] - at[f"{side}_shoulder"], at[f"{side}_wrist"] - at[f"{side}_elbow"]
        angles[f"{side}_hip"], angles[f"{side}_shoulder"] = _degrees(-up, thigh), _degrees(-trunk, upper)
        angles[f"{side}_knee"], angles[f"{side}_elbow"] = _degrees(thigh, shin), _degrees(upper, fore)
        hinge = np.sum(_unit(np.cross(thigh, shin) + 1e-12) * across, axis=-1)
        angles[f"{side}_knee_side"] = np.where(angles[f"{side}_knee"] > FACING_KNEE, hinge, 0)
    return angles


def angle_table(motions: Iterable[Motion]) -> pd.DataFrame:
    """Lowest, median and highest joint angle over all frames, degrees, a row for each entry of `joint_angles`."""
    measured = [joint_angles(motion) for motion in _common(motions)]
    pooled = {name: np.concatenate([angles[name] for angles in measured]) for name in measured[0]}
    rows = {name: (values.min(), np.median(values), values.max()) for name, values in pooled.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["lowest", "median", "highest"]).rename_axis("angle")
