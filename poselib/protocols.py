"""How the errors of many videos become one number: who is tested, what is excluded, and which mean is meant."""

from collections.abc import Mapping, Sequence

import numpy as np

# Human3.6M as VideoPose3D uses it; the order in which papers print the actions.
H36M_ACTIONS = (
    "Directions",
    "Discussion",
    "Eating",
    "Greeting",
    "Phoning",
    "Photo",
    "Posing",
    "Purchases",
    "Sitting",
    "SittingDown",
    "Smoking",
    "Waiting",
    "WalkDog",
    "Walking",
    "WalkTogether",
)
# As the field has them; S8 is held out below.
H36M_TRAIN = ("S1", "S5", "S6", "S7", "S8")
H36M_TEST = ("S9", "S11")
# One training subject never trains: epochs are chosen on it instead of on the test subjects (D-05).
H36M_VALIDATION = "S8"
# The video of one camera is broken, so the public preparation leaves the recording out.
H36M_EXCLUDED = (("S11", "Directions"),)

MPI_INF_3DHP_VALIDATION = "S8"
# PCK and AUC of MPI-INF-3DHP leave these out, here by Human3.6M's names; 14 of 17 joints remain.
PCK_WITHOUT = ("pelvis", "spine", "nose")
PCK_MM = 150.0

# HumanEva-I: trained on three actions, tested on two; the third one's test part, which nobody prints, chooses epochs.
HUMANEVA_ACTIONS = ("Walking", "Jog", "Box")
HUMANEVA_VALIDATION = "Box"

# Joint weights of WMPJPE by name of the joint, as MixSTE's code has them for Human3.6M (D-02, D-71).
MIXSTE_WEIGHTS = {
    **dict.fromkeys(("pelvis", "right_hip", "left_hip", "spine", "thorax", "nose", "neck"), 1.0),
    **dict.fromkeys(("head", "head_top", "left_shoulder", "right_shoulder"), 1.5),
    **dict.fromkeys(("right_knee", "right_ankle", "left_knee", "left_ankle"), 2.5),
    **dict.fromkeys(("left_elbow", "left_wrist", "right_elbow", "right_wrist"), 4.0),
}


def base_action(recording: str) -> str:
    """'Walking 1' -> 'Walking': the action is the recording's name before the first space."""
    return recording.split(" ", 1)[0]


def split_of(role: str, subject: str, action: str, split: str | None) -> str | None:
    """What a recording is used for, or None if for nothing; `split` is what the files themselves say."""
    if role == "amass":
        return split
    if role == "mpi_inf_3dhp":
        return "validation" if subject == MPI_INF_3DHP_VALIDATION else split
    if role == "humaneva":
        held_out = split == "test" and base_action(action) == HUMANEVA_VALIDATION
        return ("validation" if held_out else split) if base_action(action) in HUMANEVA_ACTIONS else None
    if (subject, action) in H36M_EXCLUDED:
        return None
    return "test" if subject in H36M_TEST else "validation" if subject == H36M_VALIDATION else "train"


def group_of(role: str, subject: str, action: str) -> str:
    """What errors are averaged within first: an action, a scene of MPI-INF-3DHP, HumanEva's action by subject."""
    return f"{base_action(action)}/{subject}" if role == "humaneva" else base_action(action)


def per_action(recordings: Sequence[str], frames: Sequence[int], errors: Sequence[float]) -> dict[str, float]:
    """Frame-weighted mean error of each action, in the papers' order where the actions are Human3.6M's.

    Args:
        recordings: (V,) recording name of every video; frames: (V,) its length; errors: (V,) its mean error, any unit.

    Returns:
        action -> mean error, same unit.
    """
    actions = np.array([base_action(name) for name in recordings])
    frames, errors = np.asarray(frames, float), np.asarray(errors, float)
    order = [a for a in H36M_ACTIONS if a in actions] + sorted(set(actions) - set(H36M_ACTIONS))
    return {a: float(np.average(errors[actions == a], weights=frames[actions == a])) for a in order}


def action_mean(by_action: Mapping[str, float]) -> float:
    """Unweighted mean over actions: the number that papers print."""
    return float(np.mean(list(by_action.values())))


def frame_mean(frames: Sequence[int], errors: Sequence[float]) -> float:
    """Mean over all frames of all videos: what training logs print; larger than the action mean in practice."""
    return float(np.average(errors, weights=frames))
