"""Training strategies: what the network sees, and how many updates a batch makes. Independent of any model.

TMT: Wang et al., "3D Human Pose Estimation with Two-step Mixed-Training Strategy", WACV 2024, Sec. 3.1 and 4.6.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from poselib.errors import InputError
from poselib.geometry import acceleration, velocity


@dataclass(frozen=True)
class Clip:
    """What a strategy may use of a training batch.

    `poses_2d` (B, T, J, 2) is the network's own input, `truth_2d` (B, T, J, 2) the exact projection, both normalised
    screen coordinates; `truth_3d` (B, T, J, 3) metres, root-relative, camera frame, or (B, 1, J, 3) where no more than
    the middle frame is used.
    """

    poses_2d: Tensor
    truth_2d: Tensor
    truth_3d: Tensor


# Step-2 inputs by the paper's names, Table 9: channels and how they are made.
EXTRAS: Mapping[str, tuple[int, Callable[[Clip], Tensor]]] = {
    "v3": (3, lambda clip: velocity(clip.truth_3d)),  # Eq. 1
    "a3": (3, lambda clip: acceleration(clip.truth_3d)),  # Eq. 4
    "v2": (2, lambda clip: velocity(clip.truth_2d)),  # Eq. 3
}


@dataclass(frozen=True)
class Strategy:
    """A list of steps; in step 1 the extra channels are zero, in step 2 they hold the true motion.

    `extras` are joined to the 2D position in order, `scale` multiplies them (D-09). With `alternate` 'within_batch'
    every batch makes one update per step, as the paper does; with 'across_batches' the steps take turns from batch to
    batch, so that updates equal those of a plain training.
    """

    extras: tuple[str, ...] = ()
    steps: tuple[int, ...] = (1,)
    alternate: str = "within_batch"
    scale: float = 1.0

    def __post_init__(self):
        if unknown := [name for name in self.extras if name not in EXTRAS]:
            raise InputError(f"strategy: unknown extra input {unknown[0]!r}; known: {', '.join(EXTRAS)}")
        if not self.steps or set(self.steps) - {1, 2}:
            raise InputError(f"strategy: steps {self.steps} must be taken from 1 and 2")
        if self.alternate not in ("within_batch", "across_batches"):
            raise InputError(f"strategy: alternate is {self.alternate!r}, not 'within_batch' or 'across_batches'")

    @property
    def in_channels(self) -> int:
        """Channels per joint that the network must take: 2 plus the extras'."""
        return 2 + sum(EXTRAS[name][0] for name in self.extras)

    def steps_of(self, batch: int) -> tuple[int, ...]:
        """The updates that this batch, counted from 0, makes."""
        return self.steps if self.alternate == "within_batch" else (self.steps[batch % len(self.steps)],)

    def training_input(self, clip: Clip, step: int) -> Tensor:
        """(B, T, J, in_channels) for one update."""
        if step == 1 or not self.extras:
            return self.inference_input(clip.poses_2d)
        motion = [self.scale * EXTRAS[name][1](clip) for name in self.extras]
        return torch.cat([clip.poses_2d, *motion], dim=-1)

    def inference_input(self, poses_2d: Tensor) -> Tensor:
        """(B, T, J, in_channels): positions and zeros, whatever the training was; (B, T, J, 2) normalised screen."""
        zeros = poses_2d.new_zeros(*poses_2d.shape[:-1], self.in_channels - 2)
        return torch.cat([poses_2d, zeros], dim=-1)


PLAIN = Strategy()
# Human3.6M's; the paper leaves the time step out, as a scaling factor that is redundant (Sec. 3.1).
FRAMES_PER_SECOND = 50.0
STRATEGIES: Mapping[str, Strategy] = {
    "plain": PLAIN,
    "tmt": Strategy(("v3",), (1, 2)),
    "tmt_step1": Strategy(("v3",), (1,)),  # TMT_1 of Table 7
    "tmt_step2": Strategy(("v3",), (2,)),  # TMT_2 of Table 7
    "tmt_v2": Strategy(("v2",), (1, 2)),
    "tmt_a3": Strategy(("a3",), (1, 2)),
    "tmt_va3": Strategy(("v3", "a3"), (1, 2)),
    "tmt_equal_updates": Strategy(("v3",), (1, 2), "across_batches"),
    "tmt_per_second": Strategy(("v3",), (1, 2), scale=FRAMES_PER_SECOND),
    "tmt_step2_per_second": Strategy(("v3",), (2,), scale=FRAMES_PER_SECOND),
}
