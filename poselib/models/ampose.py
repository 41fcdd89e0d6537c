"""AMPose: transformer encoders over all joints of a frame, in alternation with graph convolutions along the skeleton.

Lin, Chiu, Wu, "AMPose: Alternatively Mixed Global-Local Attention Model for 3D Human Pose Estimation", ICASSP 2023,
Sec. 3, Eq. 1 to 7 (encoder) and 10 (graph convolution).
No code and no weights were released: this is a reconstruction from the text. What the text leaves open is entered in
the ledger, with the choice made here, as D-40 to D-60.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from poselib.errors import InputError
from poselib.layers.graph import RULES, GraphConvolution, normalised, tree_groups
from poselib.layers.lifter import Lifter
from poselib.layers.mlp import MLP
from poselib.layers.transformer import TransformerBlock
from poselib.skeleton import H36M_16, H36M_17, SKELETONS, Skeleton

POSITIONS = ("per_encoder", "once", "shared")


@dataclass(frozen=True)
class AMPoseConfig:
    """The paper's main row: Table 1, 17 joints. Frames are lifted alone; `frames` only says how clips are cut."""

    frames: int = 1
    joints: int = 17  # 16 in Table 2 (D-54)
    skeleton: str | None = None  # name of the joint set; Human3.6M's of 17 or 16 joints if None
    in_channels: int = 2  # 5 under TMT
    dim: int = 512
    depth: int = 5  # N, pairs of an encoder and a graph block
    heads: int = 8  # D-41
    mlp_ratio: float = 2.0  # D-43
    drop_path: float = 0.1  # of the last encoder; rises linearly from 0 (D-49)
    block: str = "plain_residual"  # a key of BLOCKS, Table 4; 'none' leaves the encoders alone
    encoder: bool = True  # False leaves the graph blocks alone
    adjacency: str = "symmetric"  # D-42
    position: str = "per_encoder"  # W_pos of Eq. 5, D-40
    output_projection: bool = True  # of the attention, D-44

    def __post_init__(self):
        if self.dim % self.heads:
            raise InputError(f"ampose: width {self.dim} cannot be split over {self.heads} heads; change dim or heads")
        for key, known in (("block", BLOCKS), ("adjacency", RULES), ("position", POSITIONS)):
            if getattr(self, key) not in known:
                raise InputError(f"ampose: {key} is {getattr(self, key)!r}; choose one of: {', '.join(known)}")
        if not self.encoder and self.block == "none":
            raise InputError("ampose: neither encoders nor graph blocks are left; set encoder or another block")
        if len(self.tree) != self.joints:
            known = f"skeleton {self.tree.name!r} has {len(self.tree)} joints, not {self.joints}"
            raise InputError(f"ampose: {known}; set skeleton to that of the input")

    @property
    def tree(self) -> Skeleton:
        """The joint set whose bones the graph convolutions follow.

        Raises:
            InputError: a skeleton that does not exist.
        """
        if self.skeleton is None:
            return H36M_16 if self.joints == 16 else H36M_17
        if self.skeleton not in SKELETONS:
            raise InputError(f"ampose: unknown skeleton {self.skeleton!r}; known: {', '.join(SKELETONS)}")
        return SKELETONS[self.skeleton]


class GraphUnit(nn.Module):
    """Graph convolution, batch norm over frames and joints, ReLU (D-46); (N, J, dim) -> (N, J, dim)."""

    def __init__(self, adjacency: np.ndarray, dim: int):
        super().__init__()
        self.convolution = GraphConvolution(adjacency, dim, dim)
        self.norm = nn.BatchNorm1d(dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, J, dim) -> (N, J, dim)."""
        return self.norm(self.convolution(tokens).flatten(0, 1)).relu().unflatten(0, tokens.shape[:2])


class PlainResidualBlock(nn.Module):
    """A plain graph convolution, then one with a residual (the paper's own of Table 4; D-47)."""

    def __init__(self, adjacency: np.ndarray, dim: int):
        super().__init__()
        self.first = GraphUnit(adjacency, dim)
        self.second = GraphUnit(adjacency, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, J, dim) -> (N, J, dim)."""
        tokens = self.first(tokens)
        return tokens + self.second(tokens)


class TwoResidualBlock(PlainResidualBlock):
    """Two graph convolutions, each with a residual (Table 4; D-60)."""

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, J, dim) -> (N, J, dim)."""
        tokens = tokens + self.first(tokens)
        return tokens + self.second(tokens)


class TransformerLikeBlock(nn.Module):
    """A transformer block with a graph convolution in the place of the attention (Table 4; D-60)."""

    def __init__(self, adjacency: np.ndarray, dim: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.convolution = GraphConvolution(adjacency, dim, dim)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = MLP(dim, 2 * dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, J, dim) -> (N, J, dim)."""
        tokens = tokens + self.convolution(self.norm1(tokens))
        return tokens + self.mlp(self.norm2(tokens))


class ConvNeXtLikeBlock(nn.Module):
    """A ConvNeXt block with a graph convolution in the place of the depthwise one (Table 4; D-60)."""

    def __init__(self, adjacency: np.ndarray, dim: int):
        super().__init__()
        self.convolution = GraphConvolution(adjacency, dim, dim)
        self.norm = nn.LayerNorm(dim)
        self.mlp = MLP(dim, 4 * dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, J, dim) -> (N, J, dim)."""
        return tokens + self.mlp(self.norm(self.convolution(tokens)))


BLOCKS = {
    "plain_residual": PlainResidualBlock,
    "two_residual": TwoResidualBlock,
    "transformer": TransformerLikeBlock,
    "convnext": ConvNeXtLikeBlock,
    "none": nn.Identity,
}


class AMPose(Lifter):
    """Single-frame lifter. Each pair attends over all joints (global), then convolves along the bones (local)."""

    name = "ampose"
    config_class = AMPoseConfig

    def __init__(self, config: AMPoseConfig):
        super().__init__()
        self.config = config
        dim, depth = config.dim, config.depth
        self.embedding = nn.Linear(config.in_channels, dim)
        self.positions, self.encoders = nn.ParameterList(), nn.ModuleList()
        if config.encoder:
            for _ in range(depth if config.position == "per_encoder" else 1):
                self.positions.append(nn.init.trunc_normal_(torch.empty(config.joints, dim), std=0.02))
            for rate in np.linspace(0, config.drop_path, depth).tolist():
                hidden = int(dim * config.mlp_ratio)
                encoder = TransformerBlock(dim, config.heads, hidden, drop_path=rate, norm=nn.LayerNorm)
                if not config.output_projection:
                    encoder.attention.proj = nn.Identity()
                self.encoders.append(encoder)
        adjacency = normalised(tree_groups(config.tree.parents), config.adjacency)
        self.blocks = nn.ModuleList(BLOCKS[config.block](adjacency, dim) for _ in range(depth))
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 3))

    def forward(self, inputs: Tensor, return_attention: bool = False) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Lift every frame of a clip alone.

        Args:
            inputs: (B, T, J, C), any number of frames, normalised screen coordinates in the first two channels.
            return_attention: also return the maps of every encoder.

        Returns:
            (B, T, J, 3) metres, root-relative, camera frame; with attention maps, a pair of it and
            {"spatial": (B, L, T, H, J, J)}, rows being queries; the dictionary is empty without encoders.
        """
        batch = inputs.shape[0]
        maps = [] if return_attention else None
        tokens = rearrange(self.embedding(inputs), "B T J D -> (B T) J D")
        for pair, block in enumerate(self.blocks):
            if self.encoders:
                table = 0 if self.config.position == "shared" else pair
                if table < len(self.positions):
                    tokens = tokens + self.positions[table]
                tokens = self.encoders[pair](tokens, maps)
            tokens = block(tokens)
        poses = self.head(rearrange(tokens, "(B T) J D -> B T J D", B=batch))
        if not return_attention:
            return poses
        return poses, {"spatial": rearrange(maps, "L (B T) H q k -> B L T H q k", B=batch)} if maps else {}
