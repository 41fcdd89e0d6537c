"""MixSTE: a spatial and a temporal transformer block in alternation, sequence in and sequence out.

Zhang et al., "MixSTE: Seq2seq Mixed Spatio-Temporal Encoder for 3D Human Pose Estimation in Video", CVPR 2022, Sec. 3.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from poselib.errors import InputError
from poselib.layers.lifter import Lifter
from poselib.layers.transformer import TransformerBlock


@dataclass(frozen=True)
class MixSTEConfig:
    """The paper's main row: Table 1, T = 243."""

    frames: int = 243  # T
    joints: int = 17  # N
    in_channels: int = 2  # 5 under TMT
    dim: int = 512  # d_m
    depth: int = 8  # d_l, pairs of spatial and temporal blocks
    heads: int = 8
    mlp_ratio: float = 2.0
    drop_path: float = 0.1  # of the last pair; rises linearly from 0

    def __post_init__(self):
        if self.dim % self.heads:
            raise InputError(f"mixste: width {self.dim} cannot be split over {self.heads} heads; change dim or heads")


class MixSTE(Lifter):
    """Seq2seq lifter. Each pair of blocks attends over the joints of a frame, then over the frames of a joint.

    One spatial and one temporal LayerNorm are shared by all pairs and re-normalise the residual stream after every
    block; positional embeddings are added once, before the first block of each kind (D-06).
    """

    name = "mixste"
    config_class = MixSTEConfig

    def __init__(self, config: MixSTEConfig):
        super().__init__()
        self.config = config
        self.embedding = nn.Linear(config.in_channels, config.dim)
        self.spatial_position = nn.Parameter(torch.zeros(1, config.joints, config.dim))
        self.temporal_position = nn.Parameter(torch.zeros(1, config.frames, config.dim))
        hidden = int(config.dim * config.mlp_ratio)
        rates = np.linspace(0, config.drop_path, config.depth).tolist()
        self.spatial_blocks, self.temporal_blocks = (
            nn.ModuleList(TransformerBlock(config.dim, config.heads, hidden, drop_path=rate) for rate in rates)
            for _ in range(2)
        )
        self.spatial_norm = nn.LayerNorm(config.dim, eps=1e-6)
        self.temporal_norm = nn.LayerNorm(config.dim, eps=1e-6)
        self.head = nn.Sequential(nn.LayerNorm(config.dim), nn.Linear(config.dim, 3))

    def forward(self, inputs: Tensor, return_attention: bool = False) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Lift a clip.

        Args:
            inputs: (B, T, J, C), normalised screen coordinates in the first two channels.
            return_attention: also return the maps of every pair of blocks.

        Returns:
            (B, T, J, 3) metres, root-relative, camera frame; with attention maps, a pair of it and
            {"spatial": (B, L, T, H, J, J), "temporal": (B, L, J, H, T, T)}, rows being queries.
        """
        batch = inputs.shape[0]
        maps = {"spatial": [], "temporal": []} if return_attention else {"spatial": None, "temporal": None}
        tokens = rearrange(self.embedding(inputs), "B T J D -> (B T) J D") + self.spatial_position
        for pair, (spatial, temporal) in enumerate(zip(self.spatial_blocks, self.temporal_blocks, strict=True)):
            tokens = self.spatial_norm(spatial(tokens, maps["spatial"]))
            tokens = rearrange(tokens, "(B T) J D -> (B J) T D", B=batch)
            if pair == 0:
                tokens = tokens + self.temporal_position
            tokens = self.temporal_norm(temporal(tokens, maps["temporal"]))
            if pair + 1 < self.config.depth:
                tokens = rearrange(tokens, "(B J) T D -> (B T) J D", B=batch)
        poses = self.head(rearrange(tokens, "(B J) T D -> B T J D", B=batch))
        if not return_attention:
            return poses
        pattern = "L (B n) H q k -> B L n H q k"
        return poses, {kind: rearrange(per_pair, pattern, B=batch) for kind, per_pair in maps.items()}
