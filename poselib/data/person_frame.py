"""A person as a camera would see them that points at them and fills its image with them.

What a network learns in this frame holds wherever in the image a person stands and however large: their place and size
there are taken out of the 2D pose, and the pose that comes out is turned back to the camera that filmed. For numpy
arrays and torch tensors alike.
"""

from array_api_compat import array_namespace

# Joints that all fall on one point have no size to divide by.
SMALLEST_SPREAD = 1e-4


def of_person(screen):
    """2D poses (..., J, 2) with the mean of the joints at the origin and a mean squared coordinate of 1.

    Args:
        screen: normalised screen coordinates.
    """
    xp = array_namespace(screen)
    moved = screen - xp.mean(screen, axis=-2, keepdims=True)
    spread = xp.sqrt(xp.mean(moved**2, axis=(-2, -1), keepdims=True))
    return moved / xp.clip(spread, min=SMALLEST_SPREAD)


def towards_person(screen, focal):
    """Rotations (..., 3, 3) from the camera's frame to that of a camera that points at the mean of the joints.

    Rows are the axes of the latter: x stays in the camera's horizontal plane, z goes through the mean of the joints.

    Args:
        screen: (..., J, 2) normalised screen coordinates, the principal point at the origin.
        focal: focal length in the same unit, a number or (...).
    """
    xp = array_namespace(screen)
    place = xp.mean(screen, axis=-2)
    u, v = place[..., 0] / focal, place[..., 1] / focal
    zero, one = xp.zeros_like(u), xp.ones_like(u)
    across, length = xp.sqrt(1 + u**2), xp.sqrt(1 + u**2 + v**2)
    rows = [[one / across, zero, -u / across]]
    rows.append([-u * v / (across * length), across / length, -v / (across * length)])
    rows.append([u / length, v / length, one / length])
    return xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2)


def to_person(poses, screen, focal):
    """Root-relative poses (..., J, 3) of the camera's frame in that of the person; see `towards_person`."""
    xp = array_namespace(poses, screen)
    return poses @ xp.matrix_transpose(towards_person(screen, focal))


def from_person(poses, screen, focal):
    """The inverse of `to_person`."""
    return poses @ towards_person(screen, focal)
