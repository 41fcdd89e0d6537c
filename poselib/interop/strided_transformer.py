"""The Strided Transformer's released weights: bare state dicts."""

from typing import Any

from poselib.interop.format import SplitAttention, State, blocks_of

STRIDES = {27: (3, 3, 3), 351: (3, 9, 13)}


def _config_of(state: State) -> dict[str, Any]:
    """Heads do not show in the weights, strides only as their number; those of the two released lengths are known."""
    frames = state["Transformer.pos_embedding"].shape[1]
    joints = state["fcn.1.weight"].shape[0] // 3
    known = {"strides": STRIDES[frames]} if frames in STRIDES else {}
    return known | {
        "frames": frames,
        "joints": joints,
        "in_channels": state["encoder.0.weight"].shape[1] // joints,
        "dim": state["encoder.0.weight"].shape[0],
        "hidden": state["Transformer.model.layers.0.feed_forward.w_1.weight"].shape[0],
        "depth": blocks_of(state, "Transformer.model.layers."),
    }


FORMAT = SplitAttention(
    names=(
        (r"\.norm1\.", ".sublayer.0.norm."),
        (r"\.norm2\.", ".sublayer.1.norm."),
        (r"(norm|unused_norms\.\d)\.weight$", r"\1.a_2"),
        (r"(norm|unused_norms\.\d)\.bias$", r"\1.b_2"),
        (r"\.attention\.query\.", ".self_attn.linears.0."),
        (r"\.attention\.key\.", ".self_attn.linears.1."),
        (r"\.attention\.value\.", ".self_attn.linears.2."),
        (r"\.attention\.proj\.", ".self_attn.linears.3."),
        (r"\.mlp\.fc(\d)\.", r".feed_forward.w_\1."),
        (r"^embedding\.", "encoder."),
        (r"^temporal_position$", "Transformer.pos_embedding"),
        (r"^temporal_blocks\.", "Transformer.model.layers."),
        (r"^unused_norms\.0\.", "Transformer.model.norm."),
        *((rf"^strided\.positions\.{i}$", f"Transformer_reduce.model.pos_embedding_{i + 1}") for i in range(3)),
        (r"^strided\.blocks\.", "Transformer_reduce.model.layers."),
        (r"^unused_norms\.1\.", "Transformer_reduce.model.norm."),
        (r"^head\.", "fcn."),
        (r"^sequence_head\.", "fcn_1."),
    ),
    config_of=_config_of,
)
