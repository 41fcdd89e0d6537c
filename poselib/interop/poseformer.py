"""PoseFormer's released weights."""

from poselib.interop.format import OfficialFormat, State, blocks_of


def _config_of(state: State) -> dict[str, int]:
    """Heads do not show in the weights."""
    return {
        "frames": state["weighted_mean.weight"].shape[1],
        "joints": state["Spatial_pos_embed"].shape[1],
        "in_channels": state["Spatial_patch_to_embedding.weight"].shape[1],
        "dim": state["Spatial_patch_to_embedding.weight"].shape[0],
        "depth": blocks_of(state, "blocks."),
    }


FORMAT = OfficialFormat(
    names=(
        (r"^embedding\.", "Spatial_patch_to_embedding."),
        (r"^spatial_position$", "Spatial_pos_embed"),
        (r"^temporal_position$", "Temporal_pos_embed"),
        (r"^spatial_blocks\.", "Spatial_blocks."),
        (r"^temporal_blocks\.", "blocks."),
        (r"^spatial_norm\.", "Spatial_norm."),
        (r"^temporal_norm\.", "Temporal_norm."),
        (r"\.attention\.", ".attn."),
    ),
    config_of=_config_of,
    wrapping_keys=("model_pos",),
)
