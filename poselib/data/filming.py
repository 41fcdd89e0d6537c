"""A virtual camera: a motion becomes a video's poses, exact pixels and, where asked, detections."""

from collections.abc import Callable

import numpy as np

from poselib.data.sequences import Motion, Sequence
from poselib.errors import InputError
from poselib.geometry import Camera, project, world_to_camera

# Turns exact pixels (F, J, 2) and a seed into detected pixels of the same shape.
Detector = Callable[[np.ndarray, int], np.ndarray]

NEAREST_ROOT, NEAREST_JOINT = 1.0, 0.3


def film(motion: Motion, camera: Camera, detect: Detector | None = None, seed: int = 0) -> Sequence:
    """One motion seen by one camera.

    Args:
        motion: world frame, metres.
        detect: makes the 2D of detector 'cpn'; without it the sequence holds exact 2D only.

    Returns:
        Camera-frame 3D in metres with the root's position, and 2D in pixels with lens distortion.

    Raises:
        InputError: the person comes within 1 m of the camera, a joint within 0.3 m, or is behind it.
    """
    poses_3d = world_to_camera(motion.positions, camera)
    depths = poses_3d[..., 2]
    if depths[:, motion.skeleton.root].min() <= NEAREST_ROOT or depths.min() <= NEAREST_JOINT:
        raise InputError(
            f"clip {motion.action!r} of {motion.subject} comes within {depths.min():.2f} m of camera {camera.id}; "
            "leave the clip out or cut it shorter"
        )
    pixels = project(poses_3d, (*camera.focal, *camera.centre, *camera.radial, *camera.tangential))
    poses_2d = {"gt": pixels} if detect is None else {"gt": pixels, "cpn": detect(pixels, seed)}
    return Sequence(motion.subject, motion.action, camera, motion.skeleton, motion.fps, poses_3d, poses_2d)
