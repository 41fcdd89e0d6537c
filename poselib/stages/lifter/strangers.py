"""What a stranger's video may give a lifter, drawn at random: any camera, any body, and a detector that errs.

Clips for training by motions without a camera: each is filmed, spoiled and filled in anew in every epoch.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from poselib.data.detections import DetectorNoise, simulate_detections
from poselib.data.person_frame import of_person, to_person
from poselib.data.prepared import PreparedSet
from poselib.data.virtual_cameras import draw, film
from poselib.data.windows import centred
from poselib.geometry import centre_on_root, mirror
from poselib.keypoints.joint_sets import H36M_RULES
from poselib.skeleton import H36M_17
from poselib.stages.lifter.settings import Film
from poselib.strategies import Clip

# The simulated detector is that of 50 frames per second and of a person so many pixels high.
DETECTOR_FPS, DETECTOR_HEIGHT = 50.0, 400.0
# Mean number of seconds for which a joint is missing.
MISSING_S = 0.3
# Frames from the middle of one training clip to that of the next.
EVERY = 4
# No ear is recorded; between nose and top of the head is where they are.
COARSE = {**H36M_RULES, "head": ("nose", "head")}


def detector(level: float, fps: float) -> DetectorNoise:
    """The simulated detector with errors `level` times as large, as often and as long at another frame rate."""
    usual, rate = DetectorNoise(), DETECTOR_FPS / fps
    return replace(
        usual,
        spread={joint: level * spread for joint, spread in usual.spread.items()},
        blur=usual.blur / rate,
        correlation=usual.correlation**rate,
        outliers=min(1.0, rate * usual.outliers) * bool(level),
        outlier_spread=level * usual.outlier_spread,
        outlier_frames=max(1.0, usual.outlier_frames / rate),
        swaps=min(1.0, rate * usual.swaps) * bool(level),
        swap_frames=max(1.0, usual.swap_frames / rate),
    )


def missed(random: np.random.Generator, frames: int, share: float, fps: float) -> np.ndarray:
    """Which joints (F, 17) a detector lost: about a share of them, in spells; every joint is seen at least once."""
    length = max(1.0, MISSING_S * fps)
    # Spells may have begun before the first frame.
    before = round(5 * length)
    begins = random.random((before + frames, len(H36M_17))) < -np.log1p(-share) / length
    lost = np.zeros_like(begins)
    for frame, joint in np.argwhere(begins):
        lost[frame : frame + random.geometric(1 / length), joint] = True
    lost[before + random.integers(frames, size=len(H36M_17)), np.arange(len(H36M_17))] = False
    return lost[before:]


def filled(points: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Points (F, J, 2) with lost joints (F, J) put on straight lines between the frames where they were seen."""
    points, frames = points.copy(), np.arange(len(points))
    for joint in np.flatnonzero(lost.any(axis=0)):
        seen = ~lost[:, joint]
        for axis in range(2):
            points[:, joint, axis] = np.interp(frames, frames[seen], points[seen, joint, axis])
    return points


def coarse(points: np.ndarray) -> np.ndarray:
    """Points (..., 17, 2) whose pelvis, spine, thorax and head are means of others, as from joints of COCO."""
    made, at = points.copy(), H36M_17.index
    for joint, parts in COARSE.items():
        made[..., at[joint], :] = points[..., [at[part] for part in parts], :].mean(axis=-2)
    return made


class StrangersClips:
    """The clips of an epoch, as `training.take_batch` takes them, with 2D and 3D in the person's frame."""

    def __init__(self, prepared: PreparedSet, split: str, film: Film, frames: int, clips: int, count: int, seed: int):
        """`clips` in a batch, `count` batches in an epoch; motions of this split."""
        videos = [(video.start, video.frames) for video in prepared.split(split)]
        self.windows, self.fps = centred(videos, frames, 1, EVERY), prepared.videos[0].fps
        self.prepared, self.film, self.size, self.count, self.seed = prepared, film, clips, count, seed

    def __len__(self) -> int:
        return self.count

    def clips_of(self, epoch: int) -> np.ndarray:
        """Numbers (count * size,) of an epoch's clips; each is a window, or its mirror image, and a seed."""
        random, twice = np.random.default_rng([self.seed, epoch]), 2 * len(self.windows)
        numbers, seeds = (random.integers(most, size=self.count * self.size) for most in (twice, 2**32))
        return numbers + twice * seeds

    def gather(self, numbers: np.ndarray) -> Clip:
        """The batch of these clip numbers."""
        seeds, numbers = np.divmod(numbers, 2 * len(self.windows))
        random, drawn = np.random.default_rng(seeds), self.film
        world = self.prepared.poses_world[self.windows.frame_numbers(numbers % len(self.windows))].astype(float)
        world = np.where((numbers >= len(self.windows))[:, None, None, None], mirror(world, H36M_17.flip), world)
        world *= random.uniform(*drawn.body, len(world))[:, None, None, None]
        views = draw(random, len(world), drawn.cameras)
        exact, poses = film(world, views)
        seen = np.stack([self._seen(points, random) for points in exact])
        target = to_person(centre_on_root(poses), seen, views.screen_focal[:, None])
        parts = of_person(seen), of_person(exact), target
        return Clip(*(torch.from_numpy(part.astype(np.float32)) for part in parts))

    def _seen(self, points: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """What a detector gives of one clip (T, 17, 2), filled in."""
        drawn = self.film
        # Errors are shares of the person's size: detectors look at people, not at images.
        width = 1000 * np.ptp(points, axis=1).max(axis=-1).mean() / DETECTOR_HEIGHT
        noise = detector(random.uniform(*drawn.noise), self.fps)
        points = simulate_detections(points, seed=random, noise=noise, width=width)
        points = coarse(points) if random.random() < drawn.coarse_joints else points
        share = random.uniform(*drawn.missing)
        if random.random() < drawn.complete:
            return points
        return filled(points, missed(random, len(points), share, self.fps))

    def sparse(self, epoch: int, batch: int, clips: int) -> Mapping[str, Tensor]:
        """Nothing: the network does not upsample."""
        return {}
