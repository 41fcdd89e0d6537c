"""A simulated 2D detector, the stand-in for a network such as CPN where there are no images.

It is a noise model, not a detector: it knows nothing of occlusion or clothes. What it keeps of a real one: limb ends
and fast joints are worse, errors last over frames, a few are gross, and left and right are at times exchanged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.signal import lfilter

from poselib.errors import InputError
from poselib.skeleton import H36M_17, Skeleton

SPREAD = {
    "pelvis": 3.2,
    "hip": 3.6,
    "knee": 4.0,
    "ankle": 5.2,
    "spine": 3.2,
    "thorax": 3.0,
    "nose": 3.0,
    "head": 3.2,
    "shoulder": 3.4,
    "elbow": 4.4,
    "wrist": 5.6,
}
CHAINS = (("hip", "knee", "ankle"), ("elbow", "wrist"))
"""Joints that are exchanged together when left is taken for right."""


@dataclass(frozen=True)
class DetectorNoise:
    """How a simulated detector errs; lengths are pixels of an image 1000 pixels wide."""

    spread: Mapping[str, float] = field(default_factory=lambda: SPREAD)
    """Standard deviation of x and of y for a joint at rest, by joint name without its side."""
    blur: float = 0.04
    """Growth of the standard deviation, as a share, per pixel per frame of the joint's speed."""
    correlation: float = 0.95
    """Correlation of the lasting part of the error with that of the frame before: an AR(1) process."""
    jitter: float = 0.2
    """Share of the variance that is drawn anew in every frame; lag-1 correlation is (1 - jitter) x correlation."""
    outliers: float = 0.0015
    """Probability, per joint and frame, that a gross error begins; twice that for ankles, elbows and wrists."""
    outlier_spread: float = 40.0
    """Standard deviation of x and of y of a gross error."""
    outlier_frames: float = 6.0
    """Mean length of a gross error in frames (geometric)."""
    swaps: float = 0.0008
    """Probability, per frame and pair of limbs, that left and right are exchanged from here on."""
    swap_frames: float = 5.0
    """Mean length of an exchange in frames (geometric)."""


def simulate_detections(
    pixels: np.ndarray,
    *,
    seed: int | np.random.Generator,
    noise: DetectorNoise | None = None,
    skeleton: Skeleton = H36M_17,
    width: float = 1000.0,
) -> np.ndarray:
    """What a detector might have seen.

    Args:
        pixels: (F, J, 2) true joint places in the image, pixels.
        seed: an integer or a generator; equal seeds give equal detections.
        noise: the error model; the default errs by 5 to 8 pixels on average on images 1000 pixels wide, the order
            of a CPN fine-tuned on Human3.6M.
        skeleton: names of the joints, by which spread and exchanges are found.
        width: of the image in pixels; all errors scale with it.

    Returns:
        (F, J, 2) pixels, dtype of `pixels`.

    Raises:
        InputError: the array is not (F, J, 2) with the skeleton's joints, or holds no finite numbers.
    """
    noise = noise or DetectorNoise()
    if pixels.ndim != 3 or pixels.shape[1:] != (len(skeleton), 2):
        raise InputError(
            f"detections need pixels of shape (F, {len(skeleton)}, 2), not {pixels.shape}; check the joint set"
        )
    if not np.isfinite(pixels).all():
        raise InputError("the pixels hold NaN or infinite numbers; remove those frames before simulating a detector")
    rng = np.random.default_rng(seed)
    unit = width / 1000
    seen = _swapped(pixels / unit, skeleton, noise, rng)
    error = _lasting(seen.shape, noise, rng) * _spread(pixels / unit, skeleton, noise)[..., None]
    return ((seen + error + _gross(seen.shape, skeleton, noise, rng)) * unit).astype(pixels.dtype)


def _kind(skeleton: Skeleton, joint: str) -> str:
    side = skeleton.side(joint)
    return joint if side == "centre" else joint.removeprefix(f"{side}_")


def _spread(pixels: np.ndarray, skeleton: Skeleton, noise: DetectorNoise) -> np.ndarray:
    """Standard deviation of the ordinary error, (F, J): the joint's own, more where it moves fast."""
    still = np.array([noise.spread[_kind(skeleton, joint)] for joint in skeleton.names])
    if len(pixels) < 2:
        return np.tile(still, (len(pixels), 1))
    return still * (1 + noise.blur * np.linalg.norm(np.gradient(pixels, axis=0), axis=-1))


def _lasting(shape: tuple[int, ...], noise: DetectorNoise, rng: np.random.Generator) -> np.ndarray:
    """Errors of unit variance, (F, J, 2): AR(1), started in its steady state, plus jitter."""
    rho = noise.correlation
    drive = rng.standard_normal(shape) * np.sqrt(1 - rho**2)
    drive[0] /= np.sqrt(1 - rho**2)
    slow = lfilter([1], [1, -rho], drive, axis=0)
    return np.sqrt(1 - noise.jitter) * slow + np.sqrt(noise.jitter) * rng.standard_normal(shape)


def _spells(frames: int, rate: np.ndarray, mean: float, rng: np.random.Generator) -> list[tuple[int, int, slice]]:
    """Spells that begin at random: (number, column, frames covered), for rates (N,) per frame."""
    starts = np.argwhere(rng.random((frames, len(rate))) < rate)
    lengths = rng.geometric(1 / mean, len(starts))
    return [
        (i, column, slice(frame, frame + n)) for i, ((frame, column), n) in enumerate(zip(starts, lengths, strict=True))
    ]


def _gross(shape: tuple[int, ...], skeleton: Skeleton, noise: DetectorNoise, rng: np.random.Generator) -> np.ndarray:
    """Gross errors, (F, J, 2), that stay put for a few frames."""
    distal = np.array([_kind(skeleton, joint) in ("ankle", "elbow", "wrist") for joint in skeleton.names])
    spells = _spells(shape[0], noise.outliers * (1 + distal), noise.outlier_frames, rng)
    offsets = noise.outlier_spread * rng.standard_normal((len(spells), 2))
    error = np.zeros(shape)
    for number, joint, frames in spells:
        error[frames, joint] = offsets[number]
    return error


def _swapped(pixels: np.ndarray, skeleton: Skeleton, noise: DetectorNoise, rng: np.random.Generator) -> np.ndarray:
    """The joints with left and right limbs exchanged for a few frames now and then, (F, J, 2)."""
    seen = pixels.astype(float)
    for _, chain, frames in _spells(len(pixels), np.full(len(CHAINS), noise.swaps), noise.swap_frames, rng):
        left, right = ([skeleton.index[f"{side}_{joint}"] for joint in CHAINS[chain]] for side in ("left", "right"))
        seen[frames, left], seen[frames, right] = pixels[frames, right], pixels[frames, left]
    return seen
