"""PoseFormer: joints attend within each frame, then whole frames attend over time; a clip in, its middle pose out.

Zheng et al., "3D Human Pose Estimation with Spatial and Temporal Transformers", ICCV 2021, Sec. 3.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from poselib.errors import InputError
from poselib.layers.lifter import Lifter
from poselib.layers.transformer import LayerNorm, TransformerBlock


@dataclass(frozen=True)
class PoseFormerConfig:
    """The paper's main row: T = 81."""

    frames: int = 81  # f
    joints: int = 17  # J
    in_channels: int = 2  # 5 under TMT
    dim: int = 32  # c, width of a joint in the spatial encoder; a frame of the temporal one is joints * dim wide
    depth: int = 4  # L, blocks of each encoder
    heads: int = 8  # of both encoders
    mlp_ratio: float = 2.0
    drop_path: float = 0.1  # of the last block of each encoder; rises linearly from 0

    def __post_init__(self):
        if self.dim % self.heads:
            raise InputError(
                f"poseformer: joint width {self.dim} cannot be split over {self.heads} heads; change dim or heads"
            )


class PoseFormer(Lifter):
    """Many-to-one lifter: a spatial encoder over the joints of a frame, a temporal one over frames of all joints.

    The frames are merged by free learned weights, neither positive nor of sum one, and a bias, which the LayerNorm
    that follows removes again; both as in the released code.
    """

    name = "poseformer"
    config_class = PoseFormerConfig
    many_to_one = middle_alone = True

    def __init__(self, config: PoseFormerConfig):
        super().__init__()
        self.config = config
        width = config.joints * config.dim
        self.embedding = nn.Linear(config.in_channels, config.dim)
        self.spatial_position = nn.Parameter(torch.zeros(1, config.joints, config.dim))
        self.temporal_position = nn.Parameter(torch.zeros(1, config.frames, width))
        rates = np.linspace(0, config.drop_path, config.depth).tolist()
        self.spatial_blocks, self.temporal_blocks = (
            nn.ModuleList(
                TransformerBlock(dim, config.heads, int(dim * config.mlp_ratio), drop_path=rate) for rate in rates
            )
            for dim in (config.dim, width)
        )
        self.spatial_norm = LayerNorm(config.dim)
        self.temporal_norm = LayerNorm(width)
        self.weighted_mean = nn.Conv1d(config.frames, 1, kernel_size=1)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, config.joints * 3))

    def forward(self, inputs: Tensor, return_attention: bool = False) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Lift the middle frame of a clip.

        Args:
            inputs: (B, T, J, C), normalised screen coordinates in the first two channels.
            return_attention: also return the maps of every block.

        Returns:
            (B, 1, J, 3) metres, root-relative, camera frame; with attention maps, a pair of it and
            {"spatial": (B, L, T, H, J, J), "temporal": (B, L, H, T, T)}, rows being queries.
        """
        batch = inputs.shape[0]
        maps = {"spatial": [], "temporal": []} if return_attention else {"spatial": None, "temporal": None}
        frames = self.of_frames(inputs.flatten(0, 1), maps["spatial"])
        poses = self.of_clips(frames.unflatten(0, inputs.shape[:2]), maps["temporal"])
        if not return_attention:
            return poses
        return poses, {
            "spatial": rearrange(maps["spatial"], "L (B T) H q k -> B L T H q k", B=batch),
            "temporal": rearrange(maps["temporal"], "L B H q k -> B L H q k"),
        }

    def of_frames(self, inputs: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        """The spatial transformer, (N, J, C) to (N, J D); see `Lifter`."""
        tokens = self.embedding(inputs) + self.spatial_position
        for block in self.spatial_blocks:
            tokens = block(tokens, maps)
        return self.spatial_norm(tokens).flatten(1)

    def of_clips(self, frames: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        """The temporal transformer and the head; see `Lifter`."""
        tokens = frames + self.temporal_position
        for block in self.temporal_blocks:
            tokens = block(tokens, maps)
        merged = self.weighted_mean(self.temporal_norm(tokens))  # (B, 1, J D), the frames being channels
        return rearrange(self.head(merged), "B T (J C) -> B T J C", C=3)
