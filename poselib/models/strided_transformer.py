"""Strided Transformer: an encoder over all frames, then one that shrinks them to the pose of the middle frame.

Li et al., "Exploiting Temporal Contexts with Strided Transformer for 3D Human Pose Estimation", IEEE TMM 2022, Sec. 3.
"""

import math
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor, nn

from poselib.errors import InputError
from poselib.layers.lifter import Lifter
from poselib.layers.strided import StridedEncoder
from poselib.layers.transformer import TransformerBlock

# The released code has three positional embeddings, however many strided blocks there are.
STRIDED_POSITIONS = 3


@dataclass(frozen=True)
class StridedTransformerConfig:
    """The released main setting, 351 frames; 27 frames go with strides (3, 3, 3)."""

    frames: int = 351  # T, the product of the strides
    strides: tuple[int, ...] = (3, 9, 13)
    joints: int = 17
    in_channels: int = 2
    dim: int = 256
    hidden: int = 512  # of both feed-forward parts
    depth: int = 3  # blocks of the encoder over all frames
    heads: int = 8
    dropout: float = 0.1  # attention weights, feed-forward, end of each branch
    embedding_dropout: float = 0.25

    def __post_init__(self):
        object.__setattr__(self, "strides", tuple(self.strides))
        if self.dim % self.heads:
            raise InputError(
                f"strided_transformer: width {self.dim} cannot be split over {self.heads} heads; change dim or heads"
            )
        if math.prod(self.strides) != self.frames:
            raise InputError(
                f"strided_transformer: the product of strides {self.strides} is not {self.frames} frames; change either"
            )


class UnbiasedLayerNorm(nn.LayerNorm):
    """LayerNorm of the released code: divides by the unbiased standard deviation plus 1e-6, outside the root."""

    def __init__(self, dim: int):
        super().__init__(dim, eps=1e-6)

    def forward(self, tokens: Tensor) -> Tensor:
        """(..., dim) -> (..., dim)."""
        std, mean = torch.std_mean(tokens, dim=-1, keepdim=True)
        return self.weight * (tokens - mean) / (std + self.eps) + self.bias


class StridedTransformer(Lifter):
    """Many-to-one lifter with a second head that lifts every frame, for training.

    The skip path of the strided encoder starts from frame 0, not from the middle frame, ReLU is the activation
    everywhere and LayerNorm is home-made; all as the released code does.
    """

    name = "strided_transformer"
    config_class = StridedTransformerConfig
    many_to_one = True
    half_precision_blocks = ()  # its norm takes several passes, and computing them twice costs more than bf16 saves

    def __init__(self, config: StridedTransformerConfig):
        super().__init__()
        self.config = config
        joints, dim, sizes = config.joints, config.dim, (config.dim, config.heads, config.hidden)
        self.embedding = nn.Sequential(
            nn.Conv1d(joints * config.in_channels, dim, 1),
            nn.BatchNorm1d(dim),
            nn.ReLU(),
            nn.Dropout(config.embedding_dropout),
        )
        self.temporal_position = nn.Parameter(torch.zeros(1, config.frames, dim))
        dropout = {"dropout": config.dropout, "attention_dropout": config.dropout}
        self.temporal_blocks = nn.ModuleList(
            TransformerBlock(*sizes, **dropout, activation=nn.ReLU, norm=UnbiasedLayerNorm) for _ in range(config.depth)
        )
        positions = [torch.zeros(1, config.frames, dim) for _ in config.strides[:STRIDED_POSITIONS]]
        paddings = [(1, 1) for _ in config.strides]
        self.strided = StridedEncoder(*sizes, config.strides, paddings, positions, **dropout, norm=UnbiasedLayerNorm)
        self.head, self.sequence_head = (
            nn.Sequential(nn.BatchNorm1d(dim), nn.Conv1d(dim, 3 * joints, 1)) for _ in range(2)
        )
        # Part of the released weights, but never applied.
        self.unused_norms = nn.ModuleList(UnbiasedLayerNorm(dim) for _ in range(2)).requires_grad_(False)
        self.initialise()

    def forward(self, inputs: Tensor, return_attention: bool = False) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Lift the middle frame of a clip.

        Args:
            inputs: (B, T, J, C), normalised screen coordinates in the first two channels.
            return_attention: also return the maps of every block.

        Returns:
            (B, 1, J, 3) metres, root-relative, camera frame; with attention maps, a pair of it and
            {"temporal": (B, L, H, T, T), "strided_1": (B, 1, H, T, T), "strided_2": (B, 1, H, T / stride, ...), ...},
            rows being queries.
        """
        if not return_attention:
            return self._poses(self.head, self.strided(self._features(inputs)))
        temporal, maps = [], {}
        features = self._features(inputs, temporal)
        maps["temporal"] = torch.stack(temporal, dim=1)
        return self._poses(self.head, self.strided(features, maps)), maps

    def supervised(self, inputs: Tensor) -> dict[str, Tensor]:
        """Both outputs: 'sequence' (B, T, J, 3) and 'poses' (B, 1, J, 3)."""
        features = self._features(inputs)
        sequence = self._poses(self.sequence_head, features)
        return {"sequence": sequence, "poses": self._poses(self.head, self.strided(features))}

    def _features(self, inputs: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        tokens = self.embedding(rearrange(inputs, "B T J C -> B (J C) T")).mT + self.temporal_position
        for block in self.temporal_blocks:
            tokens = block(tokens, maps)
        return tokens

    def _poses(self, head: nn.Module, tokens: Tensor) -> Tensor:
        return rearrange(head(tokens.mT), "B (J C) T -> B T J C", J=self.config.joints)

    def initialise(self) -> None:
        """Draw start weights as the released code does, in its order.

        That code copies modules as it builds: query, key, value and output weights of a block start equal, all blocks
        over the frames start equal, and all strided blocks share their first attention weights. Positional embeddings
        are standard normal.
        """
        self.embedding[0].reset_parameters()
        nn.init.normal_(self.temporal_position)
        self._copy_one_linear(self.temporal_blocks)
        first, *others = self.temporal_blocks
        _reset(first.mlp)
        for block in others:
            block.mlp.load_state_dict(first.mlp.state_dict())
        self._copy_one_linear(self.strided.blocks)
        for block in self.strided.blocks:
            _reset(block.mlp)
        for position in self.strided.positions:
            nn.init.normal_(position)
        self.head[1].reset_parameters()
        self.sequence_head[1].reset_parameters()

    def _copy_one_linear(self, blocks: nn.ModuleList) -> None:
        linear = nn.Linear(self.config.dim, self.config.dim)
        for block in blocks:
            block.attention.qkv.load_state_dict({k: torch.cat([v] * 3) for k, v in linear.state_dict().items()})
            block.attention.proj.load_state_dict(linear.state_dict())


def _reset(mlp: nn.Module) -> None:
    mlp.fc1.reset_parameters()
    mlp.fc2.reset_parameters()
