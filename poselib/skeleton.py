"""Joint sets as named values; conversion between them and mirroring go by name, never by a typed-in index.

Joint orders and parents: Human3.6M, HumanEva-I and MPI-INF-3DHP as the public conversion scripts of VideoPose3D and
P-STMO write them; CMU as its ASF files and the two public BVH conversions name them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from poselib.errors import InputError

SIDE_PREFIXES = (("left_", "right_"), ("Left", "Right"), ("left", "right"), ("L", "R"), ("l", "r"))


@dataclass(frozen=True)
class Skeleton:
    """An ordered joint set.

    `joints` maps each joint to its parent's name (None for the root), in storage order. `recipes` says how joints of
    other sets are made from this one: canonical name -> the joints whose mean it is.
    """

    name: str
    joints: Mapping[str, str | None]
    recipes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Joint names in storage order, (J,)."""
        return tuple(self.joints)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Name -> position in storage order."""
        return {joint: i for i, joint in enumerate(self.names)}

    @cached_property
    def parents(self) -> tuple[int, ...]:
        """Index of each joint's parent, -1 for the root, (J,)."""
        return tuple(-1 if parent is None else self.index[parent] for parent in self.joints.values())

    @property
    def root(self) -> int:
        """Index of the joint without parent."""
        return self.parents.index(-1)

    @property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """(child, parent) index pairs of every joint but the root."""
        return tuple((child, parent) for child, parent in enumerate(self.parents) if parent >= 0)

    def __len__(self) -> int:
        return len(self.names)

    def side(self, joint: str) -> str:
        """'left', 'right' or 'centre', read from the joint's name and its mirror."""
        for left, right in SIDE_PREFIXES:
            if joint.startswith(left) and right + joint[len(left) :] in self.index:
                return "left"
            if joint.startswith(right) and left + joint[len(right) :] in self.index:
                return "right"
        return "centre"

    def mirror(self, joint: str) -> str:
        """The same joint on the other side of the body; itself on the midline."""
        for pair in SIDE_PREFIXES:
            for own, other in (pair, pair[::-1]):
                if joint.startswith(own) and other + joint[len(own) :] in self.index:
                    return other + joint[len(own) :]
        return joint

    @cached_property
    def flip(self) -> tuple[int, ...]:
        """Permutation (J,) that exchanges left and right: `poses[..., list(flip), :]`."""
        return tuple(self.index[self.mirror(joint)] for joint in self.names)

    @cached_property
    def depth(self) -> tuple[int, ...]:
        """Number of bones between the root and each joint, (J,)."""
        return tuple(0 if parent < 0 else self._depth_of(parent) + 1 for parent in self.parents)

    def _depth_of(self, joint: int) -> int:
        return 0 if self.parents[joint] < 0 else self._depth_of(self.parents[joint]) + 1

    def sources(self, joint: str) -> tuple[int, ...]:
        """Indices of this set's joints whose mean is the canonical `joint`.

        Raises:
            InputError: this set neither has the joint nor a recipe for it.
        """
        own = self.recipes.get(joint, (joint,))
        if missing := [name for name in own if name not in self.index]:
            raise InputError(f"skeleton {self.name!r} has no joint {missing[0]!r}; it has: {', '.join(self.names)}")
        return tuple(self.index[name] for name in own)


def convert(poses: np.ndarray, source: Skeleton, target: Skeleton, aliases: Mapping | None = None) -> np.ndarray:
    """Poses of one joint set re-ordered into another, joint by joint name.

    Args:
        poses: (..., J_source, C), any unit and frame; positions are averaged where a recipe names several joints.
        aliases: target joint -> the joint that stands for it.

    Returns:
        (..., J_target, C), same unit, frame and dtype.

    Raises:
        InputError: the joint count is not the source's, or a target joint cannot be made from the source.
    """
    if poses.shape[-2] != len(source):
        raise InputError(f"skeleton {source.name!r} has {len(source)} joints, the poses have {poses.shape[-2]}")
    picks = [source.sources((aliases or {}).get(joint, joint)) for joint in target.names]
    return np.stack([poses[..., list(pick), :].mean(axis=-2, dtype=poses.dtype) for pick in picks], axis=-2)


def _without(skeleton: Skeleton, name: str, *dropped: str) -> Skeleton:
    """The set less some joints; children of a dropped joint hang on its parent."""
    joints = {}
    for joint, parent in skeleton.joints.items():
        while parent in dropped:
            parent = skeleton.joints[parent]
        if joint not in dropped:
            joints[joint] = parent
    return Skeleton(name, joints)


H36M_17 = Skeleton(
    "h36m_17",
    {
        "pelvis": None,
        "right_hip": "pelvis",
        "right_knee": "right_hip",
        "right_ankle": "right_knee",
        "left_hip": "pelvis",
        "left_knee": "left_hip",
        "left_ankle": "left_knee",
        "spine": "pelvis",
        "thorax": "spine",
        "nose": "thorax",
        "head": "nose",
        "left_shoulder": "thorax",
        "left_elbow": "left_shoulder",
        "left_wrist": "left_elbow",
        "right_shoulder": "thorax",
        "right_elbow": "right_shoulder",
        "right_wrist": "right_elbow",
    },
)
H36M_16 = _without(H36M_17, "h36m_16", "nose")

# As the joint regressor that SPIN publishes gives them, and with it the converted AMASS: the left leg comes first.
SPIN_17 = Skeleton(
    "spin_17",
    {
        joint: H36M_17.joints[joint]
        for joint in (
            *("pelvis", "left_hip", "left_knee", "left_ankle", "right_hip", "right_knee", "right_ankle"),
            *H36M_17.names[7:],
        )
    },
)

HUMANEVA_15 = Skeleton(
    "humaneva_15",
    {
        "pelvis": None,
        "thorax": "pelvis",
        "left_shoulder": "thorax",
        "left_elbow": "left_shoulder",
        "left_wrist": "left_elbow",
        "right_shoulder": "thorax",
        "right_elbow": "right_shoulder",
        "right_wrist": "right_elbow",
        "left_hip": "pelvis",
        "left_knee": "left_hip",
        "left_ankle": "left_knee",
        "right_hip": "pelvis",
        "right_knee": "right_hip",
        "right_ankle": "right_knee",
        "head": "thorax",
    },
)

MPI_INF_3DHP_17 = Skeleton(
    "mpi_inf_3dhp_17",
    {
        "head_top": "head",
        "neck": "spine",
        "right_shoulder": "neck",
        "right_elbow": "right_shoulder",
        "right_wrist": "right_elbow",
        "left_shoulder": "neck",
        "left_elbow": "left_shoulder",
        "left_wrist": "left_elbow",
        "right_hip": "pelvis",
        "right_knee": "right_hip",
        "right_ankle": "right_knee",
        "left_hip": "pelvis",
        "left_knee": "left_hip",
        "left_ankle": "left_knee",
        "pelvis": None,
        "spine": "pelvis",
        "head": "neck",
    },
    recipes={"thorax": ("neck",), "nose": ("head",), "head": ("head_top",)},
)

H36M_32 = Skeleton(
    "h36m_32",
    {
        "pelvis": None,
        "right_hip": "pelvis",
        "right_knee": "right_hip",
        "right_ankle": "right_knee",
        "right_foot": "right_ankle",
        "right_toes": "right_foot",
        "left_hip": "pelvis",
        "left_knee": "left_hip",
        "left_ankle": "left_knee",
        "left_foot": "left_ankle",
        "left_toes": "left_foot",
        "lower_spine": "pelvis",
        "spine": "lower_spine",
        "thorax": "spine",
        "nose": "thorax",
        "head": "nose",
        "left_collar": "spine",
        "left_shoulder": "left_collar",
        "left_elbow": "left_shoulder",
        "left_wrist": "left_elbow",
        "left_palm": "left_wrist",
        "left_thumb": "left_palm",
        "left_hand": "left_wrist",
        "left_fingers": "left_hand",
        "right_collar": "spine",
        "right_shoulder": "right_collar",
        "right_elbow": "right_shoulder",
        "right_wrist": "right_elbow",
        "right_palm": "right_wrist",
        "right_thumb": "right_palm",
        "right_hand": "right_wrist",
        "right_fingers": "right_hand",
    },
)

_COCO_PAIRS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_COCO_LIMBS = {"elbow": "shoulder", "wrist": "elbow", "knee": "hip", "ankle": "knee"}
_SIDED = [(f"{side}_", joint) for joint in _COCO_PAIRS for side in ("left", "right")]
COCO_17 = Skeleton(
    "coco_17",
    {"nose": None} | {s + joint: s + _COCO_LIMBS[joint] if joint in _COCO_LIMBS else "nose" for s, joint in _SIDED},
    recipes={
        "pelvis": ("left_hip", "right_hip"),
        "thorax": ("left_shoulder", "right_shoulder"),
        "head": ("left_ear", "right_ear"),
    },
)

SKELETONS: Mapping[str, Skeleton] = {s.name: s for s in (H36M_17, H36M_16, HUMANEVA_15, MPI_INF_3DHP_17, H36M_32)}
