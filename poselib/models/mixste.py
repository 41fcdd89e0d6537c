"""MixSTE: a spatial and a temporal transformer block in alternation, sequence in and sequence out.

Zhang et al., "MixSTE: Seq2seq Mixed Spatio-Temporal Encoder for 3D Human Pose Estimation in Video", CVPR 2022, Sec. 3,
Eq. 1 (a sequence for each joint) and 3 to 8 (the blocks).
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from poselib.errors import InputError
from poselib.layers.attention import SelfAttention
from poselib.layers.lifter import Lifter
from poselib.layers.sparse_attention import SPARSE
from poselib.layers.transformer import TransformerBlock


@dataclass(frozen=True)
class MixSTEConfig:
    """The paper's main row: Table 1, T = 243.

    Table 5: its baseline has `alternating` and `joint_separation` off, its second row `joint_separation` alone.
    """

    frames: int = 243  # T
    joints: int = 17  # N
    in_channels: int = 2  # 5 under TMT
    dim: int = 512  # d_m
    depth: int = 8  # d_l, pairs of spatial and temporal blocks
    heads: int = 8
    mlp_ratio: float = 2.0
    drop_path: float = 0.1  # of the last pair; rises linearly from 0
    alternating: bool = True  # else all spatial blocks, then all temporal ones, as in PoseFormer (Table 5)
    joint_separation: bool = True  # else a temporal token is a whole frame, J * d_m wide (Table 5)
    temporal_attention: str = "full"  # or a key of SPARSE (supplement, Fig. 9)

    def __post_init__(self):
        if self.dim % self.heads:
            raise InputError(f"mixste: width {self.dim} cannot be split over {self.heads} heads; change dim or heads")
        if self.temporal_attention not in ("full", *SPARSE):
            known = ", ".join(("full", *SPARSE))
            raise InputError(f"mixste: no temporal attention {self.temporal_attention!r}; choose one of: {known}")


class MixSTE(Lifter):
    """Seq2seq lifter. Each pair of blocks attends over the joints of a frame, then over the frames of a joint.

    One spatial and one temporal LayerNorm are shared by all pairs and re-normalise the residual stream after every
    block; positional embeddings are added once, before the first block of each kind (D-06).

    The rows of Table 5 are told in words only: without alternation each stack ends in its one LayerNorm; without joint
    separation a temporal token, the temporal position and the head span the joints of a frame, joint by joint.
    """

    name = "mixste"
    config_class = MixSTEConfig
    joint_rows = "spatial_position"

    def __init__(self, config: MixSTEConfig):
        super().__init__()
        self.config = config
        self.embedding = nn.Linear(config.in_channels, config.dim)
        self.spatial_position = nn.Parameter(torch.zeros(1, config.joints, config.dim))
        self.joined = 1 if config.joint_separation else config.joints  # joints of a temporal token
        width = self.joined * config.dim
        self.temporal_position = nn.Parameter(torch.zeros(1, config.frames, width))
        full = config.temporal_attention == "full"
        over_frames = SelfAttention if full else partial(SPARSE[config.temporal_attention], tokens=config.frames)
        rates = np.linspace(0, config.drop_path, config.depth).tolist()
        self.spatial_blocks, self.temporal_blocks = (
            nn.ModuleList(
                TransformerBlock(dim, config.heads, int(dim * config.mlp_ratio), drop_path=rate, attention=attention)
                for rate in rates
            )
            for dim, attention in ((config.dim, SelfAttention), (width, over_frames))
        )
        self.spatial_norm = nn.LayerNorm(config.dim, eps=1e-6)
        self.temporal_norm = nn.LayerNorm(width, eps=1e-6)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 3 * self.joined))

    def forward(self, inputs: Tensor, return_attention: bool = False) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Lift a clip.

        Args:
            inputs: (B, T, J, C), normalised screen coordinates in the first two channels.
            return_attention: also return the maps of every pair of blocks.

        Returns:
            (B, T, J, 3) metres, root-relative, camera frame; with attention maps, a pair of it and
            {"spatial": (B, L, T, H, J, J), "temporal": (B, L, J, H, T, T)}, rows being queries. Without joint
            separation the temporal J is 1; Linformer's rows have fewer columns than T.
        """
        batch = inputs.shape[0]
        maps = {"spatial": [], "temporal": []} if return_attention else {"spatial": None, "temporal": None}
        tokens = rearrange(self.embedding(inputs), "B T J D -> (B T) J D") + self.spatial_position
        # S temporal sequences of G joints each: S = J and G = 1, or without joint separation S = 1 and G = J.
        axes = {"B": batch, "G": self.joined}
        spatial_blocks, temporal_blocks = list(self.spatial_blocks), list(self.temporal_blocks)
        together = 1 if self.config.alternating else self.config.depth
        for first in range(0, self.config.depth, together):
            for block in spatial_blocks[first : first + together]:
                tokens = block(tokens, maps["spatial"])
            tokens = rearrange(self.spatial_norm(tokens), "(B T) (S G) D -> (B S) T (G D)", **axes)
            if first == 0:
                tokens = tokens + self.temporal_position
            for block in temporal_blocks[first : first + together]:
                tokens = block(tokens, maps["temporal"])
            tokens = self.temporal_norm(tokens)
            if first + together < self.config.depth:
                tokens = rearrange(tokens, "(B S) T (G D) -> (B T) (S G) D", **axes)
        poses = self.head(rearrange(tokens, "(B S) T D -> B T S D", B=batch))
        poses = rearrange(poses, "B T S (G C) -> B T (S G) C", C=3)
        if not return_attention:
            return poses
        pattern = "L (B n) H q k -> B L n H q k"
        return poses, {kind: rearrange(per_pair, pattern, B=batch) for kind, per_pair in maps.items()}
