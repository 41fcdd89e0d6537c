"""The field's error measures, one body for numpy arrays and torch tensors; per-joint distances come first.

Functions take poses (..., J, 3), root-relative, camera frame, and return lengths in the unit they were given, unless
they say otherwise.
Behaviour followed: the evaluation code of VideoPose3D and MixSTE; PCK and AUC as the MPI-INF-3DHP test kit.
"""

from array_api_compat import array_namespace

from poselib.procrustes import best_rotation

# Arrays hold metres, records and tables millimetres.
MILLIMETRES = 1000.0


def joint_errors(predicted, target):
    """Euclidean distance of every joint, (..., J), same unit as the poses."""
    xp = array_namespace(predicted, target)
    squared = (predicted - target) ** 2
    # The same numbers as a sum over the last axis, which is slow because it is short.
    return xp.sqrt(squared[..., 0] + squared[..., 1] + squared[..., 2])


def mpjpe(predicted, target):
    """Mean per-joint position error over everything (protocol 1), the unit of the poses."""
    xp = array_namespace(predicted, target)
    return xp.mean(joint_errors(predicted, target))


def weighted_mpjpe(predicted, target, weights):
    """Mean of joint distance times joint weight; weights (J,) are not normalised (MixSTE, Sec. 3.3)."""
    xp = array_namespace(predicted, target)
    return xp.mean(weights * joint_errors(predicted, target))


def align_similarity(predicted, target):
    """Predicted poses after the best rotation, scale and translation onto the target, frame by frame.

    Least squares by Procrustes analysis; mirror images are not allowed, so a left/right swap keeps its error.

    Args:
        predicted: (..., J, 3), any unit.
        target: (..., J, 3), the unit of the result.

    Returns:
        (..., J, 3).
    """
    moved, fixed, target_mean = _superposed(predicted, target)
    return moved + target_mean


def _superposed(predicted, target):
    """Predicted poses turned and scaled onto the target, the target, both around their centres, and its centre."""
    xp = array_namespace(predicted, target)
    mean = xp.full((1, target.shape[-2]), 1 / target.shape[-2], dtype=target.dtype, device=target.device)
    target_mean = mean @ target
    moved, fixed = predicted - mean @ predicted, target - target_mean
    moved_norm, fixed_norm = (xp.linalg.vector_norm(part, axis=(-2, -1), keepdims=True) for part in (moved, fixed))
    correlation = xp.matrix_transpose(moved) @ fixed / (moved_norm * fixed_norm)
    rotation, trace = best_rotation(xp.astype(correlation, xp.float64))
    turn = rotation * (trace[..., None, None] * fixed_norm / moved_norm)
    return moved @ xp.astype(turn, moved.dtype), fixed, target_mean


def p_mpjpe(predicted, target):
    """MPJPE after rigid alignment with scale per frame (protocol 2, reflections forbidden), unit of the target."""
    moved, fixed, _ = _superposed(predicted, target)
    return mpjpe(moved, fixed)


def align_scale(predicted, target):
    """Predicted poses times the one scale per frame that fits the target best, (..., J, 3)."""
    xp = array_namespace(predicted, target)
    dot = xp.sum(predicted * target, axis=(-2, -1), keepdims=True)
    return predicted * dot / xp.sum(predicted**2, axis=(-2, -1), keepdims=True)


def n_mpjpe(predicted, target):
    """MPJPE after one scale per frame (protocol 3); no rotation, no translation; unit of the target."""
    return mpjpe(align_scale(predicted, target), target)


def mpjve(predicted, target):
    """Mean per-joint velocity error: distance of frame-to-frame differences, the poses' unit per frame.

    Args:
        predicted, target: (..., F, J, 3), whole recordings; differences are never taken across recordings.
    """
    return mpjpe(_differences(predicted), _differences(target))


def _differences(poses):
    return poses[..., 1:, :, :] - poses[..., :-1, :, :]


def pck(predicted, target, *, threshold: float = 0.150):
    """Percentage of joints strictly closer than `threshold`, which has the unit of the poses (metres by default)."""
    xp = array_namespace(predicted, target)
    return xp.mean(frame_pck(joint_errors(predicted, target), threshold))


def auc(predicted, target, *, limit: float = 0.150):
    """Mean PCK over 31 thresholds from 0 to `limit`, in percent; zero is among them, so a perfect score is 96.774.

    `limit` has the unit of the poses. Behaviour followed: the MPI-INF-3DHP test kit.
    """
    xp = array_namespace(predicted, target)
    return xp.mean(frame_auc(joint_errors(predicted, target), limit))


def frame_pck(errors, threshold: float):
    """`pck` of each frame from its joint errors (..., J), (...) percent."""
    xp = array_namespace(errors)
    return 100 * xp.mean(xp.astype(errors < threshold, errors.dtype), axis=-1)


def frame_auc(errors, limit: float):
    """`auc` of each frame from its joint errors (..., J), (...) percent."""
    return sum(frame_pck(errors, limit * step / 30) for step in range(31)) / 31
