"""MixSTE's released weights, and the names that PoseFormer's share with them."""

from collections.abc import Callable

from poselib.interop.format import OfficialFormat, State, blocks_of


def format_of(spatial: str, temporal: str, frames_of: Callable[[State], int]) -> OfficialFormat:
    """The format of a network with these names of its blocks; heads do not show in the weights."""

    def config_of(state: State) -> dict[str, int]:
        width, channels = state["Spatial_patch_to_embedding.weight"].shape
        sizes = {"frames": frames_of(state), "joints": state["Spatial_pos_embed"].shape[1], "in_channels": channels}
        return {**sizes, "dim": width, "depth": blocks_of(state, temporal)}

    names = (
        (r"^embedding\.", "Spatial_patch_to_embedding."),
        (r"^spatial_position$", "Spatial_pos_embed"),
        (r"^temporal_position$", "Temporal_pos_embed"),
        (r"^spatial_blocks\.", spatial),
        (r"^temporal_blocks\.", temporal),
        (r"^spatial_norm\.", "Spatial_norm."),
        (r"^temporal_norm\.", "Temporal_norm."),
        (r"\.attention\.", ".attn."),
    )
    return OfficialFormat(names=names, config_of=config_of, wrapping_keys=("model_pos",))


FORMAT = format_of("STEblocks.", "TTEblocks.", lambda state: state["Temporal_pos_embed"].shape[1])
