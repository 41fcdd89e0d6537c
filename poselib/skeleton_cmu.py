"""Joint sets of the CMU motion capture database: its own ASF files and the two public BVH conversions of them.

Recipes name the joints from which each Human3.6M joint is made. The pelvis is the middle of the hip joints, as in
Human3.6M; the file's own root lies about 100 mm above it.
"""

from poselib.skeleton import Skeleton


def _tree(*chains: str) -> dict[str, str | None]:
    """Joint -> its parent, from chains of joints outwards; a chain begins at the root or at a joint of one before."""
    parents = {}
    for chain in chains:
        first, *others = chain.split()
        parents.setdefault(first, None)
        parents |= zip(others, [first, *others], strict=False)
    return parents


# A bone's joint is at its end: `lfemur` is the left knee. The forearm is two bones, so the wrist is at the end of
# `lwrist`.
CMU_ASF = Skeleton(
    "cmu_asf",
    _tree(
        "root lhipjoint lfemur ltibia lfoot ltoes",
        "root rhipjoint rfemur rtibia rfoot rtoes",
        "root lowerback upperback thorax lowerneck upperneck head",
        "thorax lclavicle lhumerus lradius lwrist lhand lfingers",
        "lwrist lthumb",
        "thorax rclavicle rhumerus rradius rwrist rhand rfingers",
        "rwrist rthumb",
    ),
    recipes={
        "pelvis": ("lhipjoint", "rhipjoint"),
        "right_hip": ("rhipjoint",),
        "right_knee": ("rfemur",),
        "right_ankle": ("rtibia",),
        "left_hip": ("lhipjoint",),
        "left_knee": ("lfemur",),
        "left_ankle": ("ltibia",),
        "spine": ("lowerback",),
        "nose": ("upperneck",),
        "left_shoulder": ("lclavicle",),
        "left_elbow": ("lhumerus",),
        "left_wrist": ("lwrist",),
        "right_shoulder": ("rclavicle",),
        "right_elbow": ("rhumerus",),
        "right_wrist": ("rwrist",),
    },
)

# "MotionBuilder-friendly" conversion: a joint is at the start of its bone, so the wrist is the base of the fingers.
# `HeadEnd` is the end site of `Head`.
CMU_BVH = Skeleton(
    "cmu_bvh",
    _tree(
        "Hips LHipJoint LeftUpLeg LeftLeg LeftFoot LeftToeBase",
        "Hips RHipJoint RightUpLeg RightLeg RightFoot RightToeBase",
        "Hips LowerBack Spine Spine1 Neck Neck1 Head HeadEnd",
        "Spine1 LeftShoulder LeftArm LeftForeArm LeftHand LeftFingerBase LeftHandIndex1",
        "LeftHand LThumb",
        "Spine1 RightShoulder RightArm RightForeArm RightHand RightFingerBase RightHandIndex1",
        "RightHand RThumb",
    ),
    recipes={
        "pelvis": ("LeftUpLeg", "RightUpLeg"),
        "right_hip": ("RightUpLeg",),
        "right_knee": ("RightLeg",),
        "right_ankle": ("RightFoot",),
        "left_hip": ("LeftUpLeg",),
        "left_knee": ("LeftLeg",),
        "left_ankle": ("LeftFoot",),
        "spine": ("Spine",),
        "thorax": ("Neck",),
        "nose": ("Head",),
        "head": ("HeadEnd",),
        "left_shoulder": ("LeftArm",),
        "left_elbow": ("LeftForeArm",),
        "left_wrist": ("LeftFingerBase",),
        "right_shoulder": ("RightArm",),
        "right_elbow": ("RightForeArm",),
        "right_wrist": ("RightFingerBase",),
    },
)

# "Daz-friendly" conversion: one common figure whatever the actor. No file holds `headTop`; the reader works it out
# from the eyes. Fingers are left out.
CMU_DAZ_BVH = Skeleton(
    "cmu_daz_bvh",
    _tree(
        "hip abdomen chest neck head headTop",
        "head leftEye",
        "head rightEye",
        "chest rCollar rShldr rForeArm rHand",
        "chest lCollar lShldr lForeArm lHand",
        "hip rButtock rThigh rShin rFoot",
        "hip lButtock lThigh lShin lFoot",
    ),
    recipes={
        "pelvis": ("lThigh", "rThigh"),
        "right_hip": ("rThigh",),
        "right_knee": ("rShin",),
        "right_ankle": ("rFoot",),
        "left_hip": ("lThigh",),
        "left_knee": ("lShin",),
        "left_ankle": ("lFoot",),
        "spine": ("chest",),
        "thorax": ("neck",),
        "nose": ("head",),
        "head": ("headTop",),
        "left_shoulder": ("lShldr",),
        "left_elbow": ("lForeArm",),
        "left_wrist": ("lHand",),
        "right_shoulder": ("rShldr",),
        "right_elbow": ("rForeArm",),
        "right_wrist": ("rHand",),
    },
)
