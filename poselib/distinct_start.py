"""A start from which short trainings get going."""

import torch

from poselib.layers.lifter import Lifter

POSITION_STD, INPUT_GAIN, LOGIT_GAIN = 1.0, 3.0, 2.5
# How the parameters begin that tell joints apart, and those of attention over joints.
OVER_JOINTS = {
    **dict.fromkeys(("mixste", "poseformer", "uplift_upsample"), ("spatial_position", "spatial_blocks.")),
    "ampose": ("positions.", "encoders."),
}


@torch.no_grad()
def set_joints_apart(model: Lifter) -> None:
    """Let the joints of a fresh transformer differ from the first update on; other networks stay as they are.

    The papers' networks begin with all joints alike (positions of zero) and with attention that is nearly the mean of
    all joints; hundreds of updates pass before that changes, which is nothing in a training of published length and
    most of one in minutes. Positions become random, the input weighs more, and attention over joints is sharp.
    """
    if model.name not in OVER_JOINTS:
        return
    positions, blocks = OVER_JOINTS[model.name]
    for name, weights in model.named_parameters():
        if name.startswith(positions):
            weights.normal_(std=POSITION_STD)
        elif name == "embedding.weight":
            weights *= INPUT_GAIN
        elif name.startswith(blocks) and name.endswith("qkv.weight"):
            queries_and_keys = 2 * len(weights) // 3
            weights[:queries_and_keys] *= LOGIT_GAIN
