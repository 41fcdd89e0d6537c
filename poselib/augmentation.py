"""Random changes of training clips."""

import math

import torch
from torch import Tensor

ANGLES = (-math.radians(5), 0.0, math.radians(5))
SCALES = (0.95, 1.0, 1.05)


def jitter_targets(targets: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Targets turned about the camera axis by -5, 0 or 5 degrees and scaled across it by 0.95, 1 or 1.05.

    GLA-GCN's released Human3.6M code does so to every training target and leaves the 2D input alone; the paper does not
    mention it. Depth is not touched; all frames of a clip are changed alike.

    Args:
        targets: (B, T, J, 3) metres, root-relative, camera frame.
        generator: on the CPU; draws both choices of every clip.

    Returns:
        (B, T, J, 3), a new tensor.
    """
    choices = torch.randint(3, (2, len(targets)), generator=generator).to(targets.device)
    turn = torch.polar(targets.new_tensor(SCALES)[choices[0]], targets.new_tensor(ANGLES)[choices[1]])
    across = torch.complex(targets[..., 0], targets[..., 1]) * turn[:, None, None]
    return torch.stack([across.real, across.imag, targets[..., 2]], dim=-1)
