"""What must be true of pose arrays before anything is computed from them; each failure is one sentence."""

import numpy as np

from poselib.errors import InputError

# A pelvis is 0.1 to 0.2 m from a hip; a person fits in a room of 50 m.
LARGEST_METRES = 50.0
SMALLEST_BODY_METRES = 0.2


def check_array(array, label: str, joints: int, channels: int) -> np.ndarray:
    """The array as float32 (F, joints, channels), or a sentence about what it is instead.

    Raises:
        InputError: not a numeric array, wrong shape, no frames, NaN or infinity. `label` names file and key.
    """
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise InputError(f"{label}: expected numbers, found {kind}; convert the file again")
    if array.ndim != 3 or array.shape[2] != channels:
        raise InputError(f"{label}: shape {array.shape}, expected (frames, {joints}, {channels}); convert it again")
    if array.shape[1] != joints:
        raise InputError(f"{label}: {array.shape[1]} joints, expected {joints}; convert it to that joint set")
    if not len(array):
        raise InputError(f"{label}: no frames; remove the recording or convert it again")
    if not np.isfinite(array).all():
        frame = int(np.argmin(np.isfinite(array).all(axis=(1, 2))))
        raise InputError(f"{label}: NaN or infinity in frame {frame}; repair or remove the recording")
    return array.astype(np.float32, copy=False)


def check_metres(positions: np.ndarray, label: str) -> None:
    """Refuse 3D positions (F, J, 3) that cannot be metres by their size.

    Raises:
        InputError: coordinates beyond a room, or a body smaller than a hand.
    """
    largest = float(np.abs(positions).max())
    body = float(np.linalg.norm(np.ptp(positions, axis=1), axis=-1).max())
    if largest > LARGEST_METRES:
        raise InputError(f"{label}: coordinates up to {largest:.0f} are not metres; divide by 1000 if millimetres")
    if body < SMALLEST_BODY_METRES:
        raise InputError(f"{label}: a body of {body:.4f} is too small for metres; multiply by the unit of the file")


def check_pixels(points: np.ndarray, label: str, size: tuple[int, int]) -> None:
    """Refuse 2D points (F, J, 2) that cannot be pixels of an image of this (width, height).

    Raises:
        InputError: all coordinates within two units (already normalised), or far outside the image.
    """
    largest = float(np.abs(points).max())
    if largest <= 2:
        raise InputError(f"{label}: coordinates up to {largest:.2f} look normalised, pixels are expected; undo it")
    if largest > 20 * max(size):
        image = f"an image of {size[0]}x{size[1]}"
        raise InputError(f"{label}: coordinates up to {largest:.0f} do not fit {image}; convert it to pixels")


def check_screen(points: np.ndarray, label: str) -> None:
    """Refuse network input (..., 2) that cannot be normalised screen coordinates.

    Raises:
        InputError: coordinates far outside [-1, 1], as pixels are; NaN or infinity.
    """
    largest = float(np.abs(points).max())
    if not np.isfinite(largest):
        raise InputError(f"{label}: NaN or infinity; fill the gaps first")
    if largest > 10:
        raise InputError(f"{label}: coordinates up to {largest:.0f} look like pixels; use normalise_screen first")
