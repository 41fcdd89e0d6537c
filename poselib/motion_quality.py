"""What an error of position does not tell: how smooth a predicted motion is, and whether its body keeps its size.

As in `metrics`: one body for numpy arrays and torch tensors, results in the unit of the poses. Poses (..., F, J, 3) are
whole videos, root-relative, camera frame; nothing is taken across videos.
"""

from array_api_compat import array_namespace

from poselib.metrics import joint_errors, mpjpe
from poselib.skeleton import Skeleton


def acceleration_error(predicted, target):
    """Mean distance of the second differences over time of prediction and truth, the poses' unit per frame squared.

    Args:
        predicted, target: (..., F, J, 3), consecutive frames, three or more.
    """
    return mpjpe(_second_differences(predicted), _second_differences(target))


def _second_differences(poses):
    return poses[..., 2:, :, :] - 2 * poses[..., 1:-1, :, :] + poses[..., :-2, :, :]


def bone_lengths(poses, skeleton: Skeleton):
    """Length of every bone, (..., F, J - 1), in the order of `skeleton.bones`."""
    children, parents = map(list, zip(*skeleton.bones, strict=True))
    return joint_errors(poses[..., children, :], poses[..., parents, :])


def bone_length_spread(poses, skeleton: Skeleton):
    """Standard deviation of a bone's length over a video's frames, mean over bones; 0 for a body that is rigid."""
    lengths = bone_lengths(poses, skeleton)
    xp = array_namespace(lengths)
    return xp.mean(xp.std(lengths, axis=-2))


def left_right_symmetry(poses, skeleton: Skeleton):
    """Mean absolute difference in length of a bone and its mirror, over frames and mirrored pairs; 0 if all agree."""
    place = {child: number for number, (child, _) in enumerate(skeleton.bones)}
    left = [child for child in place if skeleton.side(skeleton.names[child]) == "left"]
    lengths = bone_lengths(poses, skeleton)
    here, there = ([place[child] for child in side] for side in (left, [skeleton.flip[child] for child in left]))
    xp = array_namespace(lengths)
    return xp.mean(xp.abs(lengths[..., here] - lengths[..., there]))
