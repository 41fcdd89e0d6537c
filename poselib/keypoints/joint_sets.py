"""The joint sets of 2D detectors, and how the 17 joints of Human3.6M are made from each.

Orders: COCO (17 joints); OpenPose's output documentation (BODY_25, and COCO with a neck, 18); the Halpe-FullBody
data set (26 joints of the body); MediaPipe's Pose Landmarker (33). Sides stand first in every name, so that the joint
on the other side is found by name.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from poselib.errors import InputError
from poselib.keypoints.tracks import Track
from poselib.skeleton import COCO_17, H36M_17


def _sided(side: str, *joints: str) -> tuple[str, ...]:
    return tuple(f"{side}_{joint}" for joint in joints)


def _pairs(*joints: str) -> tuple[str, ...]:
    return tuple(f"{side}_{joint}" for joint in joints for side in ("left", "right"))


_ARM, _LEG = ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")
_OPENPOSE_TOP = ("nose", "neck", *_sided("right", *_ARM), *_sided("left", *_ARM))
_OPENPOSE_FACE = ("right_eye", "left_eye", "right_ear", "left_ear")
_FOOT = ("big_toe", "small_toe", "heel")

COCO_18 = (*_OPENPOSE_TOP, *_sided("right", *_LEG), *_sided("left", *_LEG), *_OPENPOSE_FACE)
BODY_25 = (
    *(*_OPENPOSE_TOP, "pelvis", *_sided("right", *_LEG), *_sided("left", *_LEG), *_OPENPOSE_FACE),
    *(*_sided("left", *_FOOT), *_sided("right", *_FOOT)),
)
HALPE_26 = (*COCO_17.names, "head", "neck", "pelvis", *_pairs(*_FOOT))
MEDIAPIPE_33 = (
    *("nose", *_sided("left", "eye_inner", "eye", "eye_outer"), *_sided("right", "eye_inner", "eye", "eye_outer")),
    *_pairs("ear", "mouth", *_ARM, "pinky", "index", "thumb", *_LEG, "heel", "foot_index"),
)

JOINT_SETS: Mapping[str, tuple[str, ...]] = {
    "coco_17": COCO_17.names,
    "h36m_17": H36M_17.names,
    "coco_18": COCO_18,
    "body_25": BODY_25,
    "halpe_26": HALPE_26,
    "mediapipe_33": MEDIAPIPE_33,
}
"""Name of the set -> its joints' names in storage order."""

NAMES = {"coco": "coco_17", "openpose": "body_25", "halpe": "halpe_26", "mediapipe": "mediapipe_33", "h36m": "h36m_17"}
"""Short names of joint sets; the full ones are the keys of `JOINT_SETS`."""

HIPS, SHOULDERS = _pairs("hip"), _pairs("shoulder")
H36M_RULES: Mapping[str, tuple[str, ...]] = {
    "pelvis": HIPS,
    "thorax": SHOULDERS,
    "spine": (*HIPS, *SHOULDERS),
    "head": _pairs("ear"),
}
"""Joint of Human3.6M -> the detector's joints whose mean it is; all others are the joint of the same name.

The spine is the midpoint of pelvis and thorax, which is the mean of the four. Pelvis and neck of OpenPose and Halpe
are not used, so that one rule holds for all sets. The head of Human3.6M is the top of the skull: Halpe's head is
that, the others have nothing higher than the ears.
"""


def set_of(joints: object, label: str) -> str:
    """The key in `JOINT_SETS` of a set given by its name, its short name, or the names of its joints in their order.

    Raises:
        InputError: no such set; `label` names file and key.
    """
    if isinstance(joints, str):
        name = NAMES.get(joints, joints)
    else:
        wanted = tuple(map(str, np.ravel(joints)))
        name = next((name for name, own in JOINT_SETS.items() if own == wanted), "")
    if name not in JOINT_SETS:
        found = "not named" if joints is None else f"no joint set {str(joints)[:40]!r}"
        raise InputError(f"{label}: {found}; name one of {', '.join(JOINT_SETS)}")
    return name


def mirrored(joint: str) -> str:
    """The joint's name on the other side of the body; itself on the midline."""
    side, _, rest = joint.partition("_")
    return {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, joint)


def to_h36m_17(track: Track) -> Track:
    """The track in the 17 joints of Human3.6M, by the rules of `H36M_RULES`.

    The confidence of a mean is the lowest of its joints', so it is missed (confidence 0, at 0, 0) where one of them is.
    """
    if track.joints == H36M_17.name:
        return track
    names = JOINT_SETS[set_of(track.joints, "the track")]
    rules = {joint: H36M_RULES.get(joint, (joint,)) for joint in H36M_17.names}
    if "head" in names:
        rules["head"] = ("head",)
    picks = [[names.index(joint) for joint in rule] for rule in rules.values()]
    confidence = np.stack([track.confidence[:, pick].min(axis=1) for pick in picks], axis=1)
    keypoints = np.stack([track.keypoints[:, pick].mean(axis=1) for pick in picks], axis=1)
    keypoints[confidence == 0] = 0
    return replace(track, joints=H36M_17.name, keypoints=keypoints, confidence=confidence)
