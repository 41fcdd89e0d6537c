"""A start from which short trainings get going."""

import torch

from poselib.layers.lifter import Lifter

POSITION_STD, INPUT_GAIN, LOGIT_GAIN = 1.0, 3.0, 2.5


@torch.no_grad()
def set_joints_apart(model: Lifter) -> None:
    """Let the joints of a fresh transformer differ from the first update on; other networks stay as they are.

    The papers' networks begin with all joints alike (positions of zero) and with attention that is nearly the mean of
    all joints; hundreds of updates pass before that changes, which is nothing in a training of published length and
    most of one in minutes. Spatial positions become random, the input weighs more, and spatial attention is sharp.
    """
    for name, weights in model.named_parameters():
        if name == "spatial_position":
            weights.normal_(std=POSITION_STD)
        elif name == "embedding.weight":
            weights *= INPUT_GAIN
        elif name.startswith("spatial") and name.endswith("qkv.weight"):
            queries_and_keys = 2 * len(weights) // 3
            weights[:queries_and_keys] *= LOGIT_GAIN
