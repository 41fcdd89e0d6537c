"""PoseFormer's released weights."""

from poselib.interop.mixste import format_of

FORMAT = format_of("Spatial_blocks.", "blocks.", lambda state: state["weighted_mean.weight"].shape[1])
