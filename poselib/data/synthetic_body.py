"""An articulated body: bone lengths, a rest pose, joint limits, and the way from joint angles to positions.

Body axes: x forward, y left, z up. Angles are radians; pitch leans forward, yaw turns left, roll drops the right side.
Arms are driven forwards by angles; legs backwards, by two-bone inverse kinematics from planted ankles, so that feet
neither slide nor sink.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from poselib.data.synthetic_goals import soft_clip
from poselib.skeleton import H36M_17

MEAN_LENGTHS = {
    "hip": 0.134,
    "lower_spine": 0.236,
    "upper_spine": 0.254,
    "neck": 0.116,
    "head": 0.115,
    "collar": 0.151,
    "upper_arm": 0.277,
    "forearm": 0.248,
    "thigh": 0.443,
    "shin": 0.443,
}
"""Mean bone lengths of Human3.6M in metres."""

LIMITS = {
    "knee": (0, 150),
    "elbow": (0, 155),
    "hip": (0, 160),
    "shoulder": (0, 170),
    "spine": (0, 50),
    "neck": (0, 70),
}
"""Degrees every generated frame stays within, as `statistics.joint_angles` measures them."""

REST = {"lower_spine": (0.04, 0, 1), "upper_spine": (-0.08, 0, 1), "neck": (0.42, 0, 0.9), "head": (-0.12, 0, 1)}
SIDES = np.array([1.0, -1.0])
ANKLE = 0.08


@dataclass(frozen=True)
class Body:
    """One subject: bone lengths in metres, the height of the ankle above the sole, and the manner of moving."""

    lengths: dict[str, float]
    ankle: float
    tempo: float
    amplitude: float

    @property
    def leg(self) -> float:
        """Hip to ankle with the knee straight, metres."""
        return self.lengths["thigh"] + self.lengths["shin"]

    @property
    def arm(self) -> float:
        """Shoulder to wrist with the elbow straight, metres."""
        return self.lengths["upper_arm"] + self.lengths["forearm"]


@dataclass(frozen=True)
class Angles:
    """What the body does in F frames; pairs are (left, right), and the right is written as if it were a left.

    `pelvis` (F, 3) metres, world; `heading` (F,); `tilt`, `spine`, `neck` (F, 3) as roll, pitch, yaw, the pelvis
    against the heading and the others against the part below; `arms` (F, 2, 4) as the upper arm's rotation vector
    from hanging, and elbow flexion; `ankles` (F, 2, 3) metres, world, wished for; `splay` (F, 2), knees outwards.
    """

    pelvis: np.ndarray
    heading: np.ndarray
    tilt: np.ndarray
    spine: np.ndarray
    neck: np.ndarray
    arms: np.ndarray
    ankles: np.ndarray
    splay: np.ndarray


def draw_body(rng: np.random.Generator) -> Body:
    """A person: all bones scaled together by up to 7 %, each bone by up to 3 % more."""
    scale = rng.uniform(0.93, 1.07)
    lengths = {bone: length * scale * rng.uniform(0.97, 1.03) for bone, length in MEAN_LENGTHS.items()}
    return Body(lengths, ANKLE * scale, tempo=rng.uniform(0.92, 1.08), amplitude=rng.uniform(0.92, 1.08))


def turn(angles: np.ndarray) -> Rotation:
    """Rotation of (F, 3) roll, pitch, yaw in radians: yaw first, then pitch, then roll, about the turned axes."""
    return Rotation.from_euler("ZYX", angles[:, ::-1])


def pelvis_rotation(heading: np.ndarray, tilt: np.ndarray) -> Rotation:
    """Orientation of the pelvis in the world from heading (F,) and tilt (F, 3), radians."""
    return Rotation.from_euler("Z", heading[:, None]) * turn(tilt)


def hips(body: Body, rotation: Rotation) -> np.ndarray:
    """Both hip joints relative to the pelvis, (F, 2, 3) metres, world axes."""
    across = rotation.apply([0, body.lengths["hip"], 0])
    return SIDES[:, None] * across[:, None]


def two_bones(
    span: np.ndarray, pole: np.ndarray, upper: float, lower: float, flexion: float
) -> tuple[np.ndarray, np.ndarray]:
    """Middle joint and end of a two-bone limb that reaches along `span`.

    Args:
        span: (..., 3) from the limb's root to the wished end, metres; shortened or stretched if out of reach.
        pole: (..., 3) the side to which the middle joint points.
        upper: length of the first bone, metres.
        lower: length of the second bone, metres.
        flexion: largest bend in radians.

    Returns:
        Middle and end, (..., 3) each, relative to the limb's root.
    """
    shortest = np.sqrt(upper**2 + lower**2 + 2 * upper * lower * np.cos(flexion))
    wished = np.linalg.norm(span, axis=-1, keepdims=True)
    along = span / wished
    reach = soft_clip(wished, shortest, 0.9995 * (upper + lower), 0.013 * (upper + lower))
    aside = pole - along * np.sum(pole * along, axis=-1, keepdims=True)
    aside /= np.linalg.norm(aside, axis=-1, keepdims=True)
    foot = (reach**2 + upper**2 - lower**2) / (2 * reach)
    return foot * along + np.sqrt(upper**2 - foot**2) * aside, reach * along


def _legs(body: Body, hip: np.ndarray, angles: Angles) -> tuple[np.ndarray, np.ndarray]:
    """Knees and ankles in the world, (F, 2, 3) each. Knees point ahead, turned outwards by the splay."""
    span = angles.ankles - hip
    along = span / np.linalg.norm(span, axis=-1, keepdims=True)
    ahead = np.stack([np.cos(angles.heading), np.sin(angles.heading), np.zeros_like(angles.heading)], axis=-1)[:, None]
    # the smallest rotation that takes "down" to the leg carries "ahead" to the front of the knee
    axis = np.cross([0, 0, -1], along)
    once = np.cross(axis, ahead)
    front = ahead + once + np.cross(axis, once) / (1 - along[..., 2:])
    outside = SIDES[:, None] * np.cross(front, along)
    splay = angles.splay[..., None]
    flexion = np.deg2rad(LIMITS["knee"][1] - 2)
    pole = np.cos(splay) * front + np.sin(splay) * outside
    knee, ankle = two_bones(span, pole, body.lengths["thigh"], body.lengths["shin"], flexion)
    return hip + knee, hip + ankle


def _arms(body: Body, thorax: np.ndarray, chest: Rotation, arms: np.ndarray, side: int) -> tuple[np.ndarray, ...]:
    """Shoulder, elbow and wrist of one side, (F, 3) each, world. The collar follows the raised or stretched arm."""
    mirror = np.array([1, SIDES[side], 1])
    pseudo = np.array([SIDES[side], 1, SIDES[side]])
    swing = Rotation.from_rotvec(arms[:, :3] * pseudo)
    upper = swing.apply([0, 0, -1])
    lift = 0.10 * (1 + upper[:, 2]) ** 2
    reach = 0.18 * upper[:, 0]
    collar = np.stack(
        [np.sin(reach), np.cos(reach) * np.cos(lift - 0.22), np.cos(reach) * np.sin(lift - 0.22)], axis=-1
    )
    bend = arms[:, 3:]
    lower = swing.apply(np.concatenate([np.sin(bend), np.zeros_like(bend), -np.cos(bend)], axis=-1))
    shoulder = thorax + body.lengths["collar"] * chest.apply(collar * mirror)
    elbow = shoulder + body.lengths["upper_arm"] * chest.apply(upper)
    return shoulder, elbow, elbow + body.lengths["forearm"] * chest.apply(lower)


def _bone(body: Body, name: str, rotation: Rotation) -> np.ndarray:
    direction = np.array(REST[name]) / np.linalg.norm(REST[name])
    return rotation.apply(body.lengths[name] * direction)


def positions(body: Body, angles: Angles) -> np.ndarray:
    """Joint positions of `H36M_17` in F frames, (F, 17, 3) metres, world."""
    rotation = pelvis_rotation(angles.heading, angles.tilt)
    chest = rotation * turn(angles.spine)
    hip = angles.pelvis[:, None] + hips(body, rotation)
    knee, ankle = _legs(body, hip, angles)
    spine = angles.pelvis + _bone(body, "lower_spine", rotation * turn(0.45 * angles.spine))
    thorax = spine + _bone(body, "upper_spine", chest)
    nose = thorax + _bone(body, "neck", chest * turn(0.5 * angles.neck))
    joints = {
        "pelvis": angles.pelvis,
        "spine": spine,
        "thorax": thorax,
        "nose": nose,
        "head": nose + _bone(body, "head", chest * turn(angles.neck)),
    }
    for side, prefix in enumerate(("left_", "right_")):
        limbs = hip[:, side], knee[:, side], ankle[:, side], *_arms(body, thorax, chest, angles.arms[:, side], side)
        names = ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
        joints |= {prefix + name: values for name, values in zip(names, limbs, strict=True)}
    return np.stack([joints[name] for name in H36M_17.names], axis=1)
