"""Where in front of the camera a lifted person is: an estimate, since a lifted body's size is itself an estimate."""

import numpy as np

FEWEST_JOINTS = 4


def estimate_root_path(poses: np.ndarray, pixels: np.ndarray, weights: np.ndarray, focal: float) -> np.ndarray:
    """An estimate of the root's path in camera space, frame by frame, by least squares in closed form.

    A joint X of the pose and its place (u, v) from the image's centre agree where f (X_x + t_x) = u (X_z + t_z), and
    likewise for y: two equations each that are linear in t. A body that was lifted too large is placed too far away,
    by the same factor. Lens distortion is left out.

    Args:
        poses: (F, J, 3) metres, root-relative, camera frame.
        pixels: (F, J, 2) from the principal point, x right and y down.
        weights: (F, J) trust in each joint, 0 for one that was not seen.
        focal: focal length in pixels.

    Returns:
        (F, 3) metres, camera frame; NaN where fewer than four joints were seen.
    """
    poses, pixels = poses.astype(float), pixels.astype(float)
    matrix = np.zeros((*pixels.shape, 3))
    matrix[..., 0, 0] = matrix[..., 1, 1] = focal
    matrix[..., 2] = -pixels
    target = pixels * poses[..., 2:] - focal * poses[..., :2]
    normal = np.einsum("fjck,fjcl,fj->fkl", matrix, matrix, weights)
    side = np.einsum("fjck,fjc,fj->fk", matrix, target, weights)
    path = np.full((len(poses), 3), np.nan)
    enough = ((weights > 0).sum(axis=1) >= FEWEST_JOINTS) & (np.linalg.cond(normal) < 1e12)
    path[enough] = np.linalg.solve(normal[enough], side[enough][..., None])[..., 0]
    return path
