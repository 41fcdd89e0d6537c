"""Uplift-and-Upsample's released weights: Keras files, whose arrays are known by layer and by order within it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from poselib.interop import keras_file
from poselib.interop.format import SplitAttention, State

# Ours to theirs, in the order of their files; theirs goes on with _1, _2 where ours is numbered from 0.
LAYERS = {
    "embedding": "keypoint_embedding",
    "spatial_position": "spatial_pe",
    "temporal_position": "temporal_pe",
    "strided.positions": "strided_temporal_pe",
    "upsampling_token": "strided_input_token_layer",
    "spatial_blocks": "spatial_block",
    "spatial_norm": "spatial_norm",
    "condensation": "spatial_to_temporal_fc",
    "temporal_blocks": "temporal_block",
    "strided.blocks": "strided_temporal_block",
    "sequence_head": "temporal_fc",
    "head": "strided_temporal_fc",
}
ATTENTION = ("query", "key", "value", "proj")
PARTS = ("norm1", *(f"attention.{part}" for part in ATTENTION), "norm2", "mlp.fc1", "mlp.fc2")

# Strides and paddings by the lengths that show in the weights.
PUBLISHED: Mapping[tuple[int, ...], dict[str, Any]] = {
    (71, 23, 3): {"strides": (3, 10, 3), "paddings": ((0, 0), (0, 0), (0, 0))},
    (41, 11, 3): {"strides": (4, 4, 3), "paddings": ((1, 1), (0, 0), (0, 0))},
}


def _config_of(state: State) -> dict[str, Any]:
    """Heads do not show in the weights, strides and paddings only as lengths; those of the released files are known."""
    lengths = [value.shape[0] for key, value in state.items() if key.startswith("strided_temporal_pe_")]
    dim = state["temporal_pe/0"].shape[1]
    return PUBLISHED.get(tuple(sorted(lengths, reverse=True)), {}) | {
        "frames": state["temporal_pe/0"].shape[0],
        "joints": state["spatial_pe/0"].shape[0],
        "in_channels": state["keypoint_embedding/0"].shape[0],
        "spatial_dim": state["spatial_pe/0"].shape[1],
        "dim": dim,
        "depth": sum(re.fullmatch(r"temporal_block_\d+/0", key) is not None for key in state),
        "mlp_ratio": state["temporal_block_1/12"].shape[1] / dim,
        "upsampling_token": "strided_input_token_layer/0" in state,
        "sequence_head": "temporal_fc/0" in state,
    }


class KerasFormat(SplitAttention):
    """Arrays named 'layer/number' in Keras' layout, whose weights have all axes in the opposite order to torch's."""

    def read(self, path: str | Path) -> State:
        """The arrays of one of their files."""
        return keras_file.read(path)

    def to_theirs(self, ours: State) -> dict[str, Tensor]:
        """Our state dict under their names and in their layout, in the order of their files."""
        return dict(sorted(super().to_theirs(ours).items(), key=lambda item: _place(item[0])))

    def _renamed(self, name: str) -> str:
        layer = next(layer for layer in LAYERS if re.match(rf"{re.escape(layer)}(\.|$)", name))
        number, part = re.fullmatch(r"(?:\.(\d+))?(?:\.(.+))?", name.removeprefix(layer)).groups()
        theirs = LAYERS[layer] + ("" if number is None else f"_{int(number) + 1}")
        if part is None:
            return f"{theirs}/0"
        layer_part, _, kind = part.rpartition(".")
        return f"{theirs}/{2 * PARTS.index(layer_part or PARTS[0]) + (kind == 'bias')}"

    def _turned(self, name: str, value: Tensor) -> Tensor:
        return value.permute(*reversed(range(value.dim()))).contiguous() if name.endswith(".weight") else value


def _place(name: str) -> tuple[int, int, int]:
    layer, number, index = re.fullmatch(r"(.+?)(?:_(\d+))?/(\d+)", name).groups()
    return list(LAYERS.values()).index(layer), int(number or 0), int(index)


FORMAT = KerasFormat(names=(), config_of=_config_of)
