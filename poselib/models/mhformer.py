"""MHFormer: three hypotheses about a clip are generated, refined each by itself, and made to interact.

Li et al., "MHFormer: Multi-Hypothesis Transformer for 3D Human Pose Estimation", CVPR 2022, Sec. 3.
"""

from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from poselib.errors import InputError
from poselib.layers.attention import CrossAttention, SelfAttention, attend
from poselib.layers.lifter import Lifter
from poselib.layers.mlp import MLP, DropPath
from poselib.layers.transformer import LayerNorm, TransformerBlock

HYPOTHESES = 3
# The released code embeds clips up to this length differently; its weights for 9 and 27 frames need it.
NORMALISED_FRAMES = 27


@dataclass(frozen=True)
class MHFormerConfig:
    """The paper's main row: T = 351."""

    frames: int = 351  # N; also the width of the generating encoders
    joints: int = 17  # J
    in_channels: int = 2  # 5 under TMT: joints * in_channels coordinate tokens, 85 instead of 34
    dim: int = 512  # C, width of a frame in each hypothesis
    hidden: int = 1024  # of the perceptron that mixes the hypotheses, narrower than its input 3 * dim
    depth: int = 3  # self-hypothesis refinement in all of these but the last, which is the interaction
    generation_depth: int = 4  # L1, blocks of each generating encoder
    heads: int = 8
    generation_heads: int = 9
    dropout: float = 0.1
    embedding_dropout: float = 0.25  # of clips of at most 27 frames
    drop_path: float = 0.2  # of the last block of each stack; rises linearly from 0

    def __post_init__(self):
        for what, width, name in (("frames", self.frames, "generation_heads"), ("dim", self.dim, "heads")):
            if width % getattr(self, name):
                raise InputError(
                    f"mhformer: {what} {width} cannot be split over {getattr(self, name)} heads; change it or {name}"
                )
        if self.depth < 1:
            raise InputError(f"mhformer: depth is {self.depth}, but one layer, the interaction, is needed")


class CoordinateEncoder(nn.Module):
    """A transformer whose tokens are the coordinates of a clip and whose width is its frames, (B, K, T) -> same."""

    def __init__(self, config: MHFormerConfig):
        super().__init__()
        frames, tokens = config.frames, config.joints * config.in_channels
        self.position = nn.Parameter(torch.zeros(1, tokens, frames))
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList(
            TransformerBlock(frames, config.generation_heads, 2 * frames, drop_path=rate, dropout=config.dropout)
            for rate in np.linspace(0, config.drop_path, config.generation_depth).tolist()
        )
        self.norm = LayerNorm(frames)

    def forward(self, coordinates: Tensor, maps: list[Tensor] | None) -> Tensor:
        """(B, K, T) -> (B, K, T); the map (B, H, K, K) of each block is appended to `maps`."""
        tokens = self.dropout(coordinates + self.position)
        for block in self.blocks:
            tokens = block(tokens, maps)
        return self.norm(tokens)


class HypothesisMixing(nn.Module):
    """y + DropPath(Dropout(MLP(LN(y)))), y being all hypotheses side by side."""

    def __init__(self, config: MHFormerConfig, drop_path: float):
        super().__init__()
        self.norm = LayerNorm(HYPOTHESES * config.dim)
        self.mlp = MLP(HYPOTHESES * config.dim, config.hidden, config.dropout)
        self.branch = nn.Sequential(nn.Dropout(config.dropout), DropPath(drop_path))

    def forward(self, streams: list[Tensor]) -> list[Tensor]:
        """Three streams (B, T, dim), mixed."""
        joined = torch.cat(streams, dim=-1)
        joined = joined + self.branch(self.mlp(self.norm(joined)))
        return list(joined.chunk(HYPOTHESES, dim=-1))


class SelfHypothesisRefinement(nn.Module):
    """Every hypothesis attends to its own frames; then all are mixed (SHR)."""

    def __init__(self, config: MHFormerConfig, drop_path: float):
        super().__init__()
        self.norms = nn.ModuleList(LayerNorm(config.dim) for _ in range(HYPOTHESES))
        self.attentions = nn.ModuleList(SelfAttention(config.dim, config.heads) for _ in range(HYPOTHESES))
        self.branch = nn.Sequential(nn.Dropout(config.dropout), DropPath(drop_path))
        self.mixing = HypothesisMixing(config, drop_path)

    def forward(self, streams: list[Tensor], maps: list[Tensor] | None) -> list[Tensor]:
        """Three streams (B, T, dim); three maps (B, H, T, T) are appended to `maps`."""
        layers = zip(streams, self.norms, self.attentions, strict=True)
        return self.mixing([x + self.branch(attend(attention, maps, norm(x))) for x, norm, attention in layers])


class CrossHypothesisInteraction(nn.Module):
    """Every hypothesis is mixed over time as the two others relate to each other; then all are mixed (CHI).

    A hypothesis gives the values of its own update; query and key are the others in order. The updates follow one
    another as in the released code, each seeing those before it.
    """

    def __init__(self, config: MHFormerConfig, drop_path: float):
        super().__init__()
        self.norms = nn.ModuleList(
            nn.ModuleList(LayerNorm(config.dim) for _ in range(3)) for _ in range(HYPOTHESES)
        )  # of the sources of query, key and value
        self.attentions = nn.ModuleList(CrossAttention(config.dim, config.heads) for _ in range(HYPOTHESES))
        self.branch = nn.Sequential(nn.Dropout(config.dropout), DropPath(drop_path))
        self.mixing = HypothesisMixing(config, drop_path)

    def forward(self, streams: list[Tensor], maps: list[Tensor] | None) -> list[Tensor]:
        """Three streams (B, T, dim); three maps (B, H, T, T) are appended to `maps`."""
        streams = list(streams)
        for own, (norms, attention) in enumerate(zip(self.norms, self.attentions, strict=True)):
            sources = [stream for other, stream in enumerate(streams) if other != own] + [streams[own]]
            normed = [norm(source) for norm, source in zip(norms, sources, strict=True)]
            streams[own] = streams[own] + self.branch(attend(attention, maps, *normed))
        return self.mixing(streams)


class MHFormer(Lifter):
    """Many-to-one lifter that regresses, and is trained on, all frames of a clip.

    Three encoders in a row over coordinate tokens (MHG), with residuals around them, each start a hypothesis; from
    then on the tokens of a hypothesis are frames. Clips of at most 27 frames pass BatchNorm, ReLU and dropout in the
    embedding, as in the released code, which makes 27 frames cost 19.18 M parameters and not the 18.92 M quoted.
    """

    name = "mhformer"
    config_class = MHFormerConfig
    many_to_one = True
    half_precision_blocks = (*Lifter.half_precision_blocks, SelfHypothesisRefinement, CrossHypothesisInteraction)

    def __init__(self, config: MHFormerConfig):
        super().__init__()
        self.config = config
        each = range(HYPOTHESES)
        self.generation_norms = nn.ModuleList(nn.LayerNorm(config.frames) for _ in each)
        self.generators = nn.ModuleList(CoordinateEncoder(config) for _ in each)
        self.embeddings = nn.ModuleList(_embedding(config) for _ in each)
        self.positions = nn.ParameterList(torch.zeros(1, config.frames, config.dim) for _ in each)
        self.dropout = nn.Dropout(config.dropout)
        *rates, last = np.linspace(0, config.drop_path, config.depth).tolist()
        self.refinements = nn.ModuleList(SelfHypothesisRefinement(config, rate) for rate in rates)
        self.interaction = CrossHypothesisInteraction(config, last)
        width = HYPOTHESES * config.dim
        self.norm = LayerNorm(width)
        self.regression = nn.Sequential(nn.BatchNorm1d(width), nn.Conv1d(width, config.joints * 3, kernel_size=1))

    def supervised(self, inputs: Tensor) -> dict[str, Tensor]:
        """The poses of all frames, (B, T, J, 3), which the loss covers alike."""
        return {"sequence": self._lift(inputs, {"spatial": None, "temporal": None})}

    def forward(self, inputs: Tensor, return_attention: bool = False) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Lift the middle frame of a clip.

        Args:
            inputs: (B, T, J, C), normalised screen coordinates in the first two channels.
            return_attention: also return the maps of every layer of every hypothesis M.

        Returns:
            (B, 1, J, 3) metres, root-relative, camera frame; with attention maps, a pair of it and {"spatial":
            (B, L, M, H, K, K) of the generation, its K = J C tokens being joint by joint all channels, "temporal":
            (B, L, M, H, T, T) of refinement and, last, interaction}; rows are queries.
        """
        maps = {"spatial": [], "temporal": []} if return_attention else {"spatial": None, "temporal": None}
        middle = inputs.shape[1] // 2
        poses = self._lift(inputs, maps)[:, middle : middle + 1]
        if not return_attention:
            return poses
        return poses, {
            "spatial": rearrange(maps["spatial"], "(M L) B H q k -> B L M H q k", M=HYPOTHESES),
            "temporal": rearrange(maps["temporal"], "(L M) B H q k -> B L M H q k", M=HYPOTHESES),
        }

    def _lift(self, inputs: Tensor, maps: dict[str, list[Tensor] | None]) -> Tensor:
        coordinates = rearrange(inputs, "B T J C -> B (J C) T")
        streams = []
        hypotheses = zip(self.generation_norms, self.generators, self.embeddings, self.positions, strict=True)
        for norm, generator, embedding, position in hypotheses:
            coordinates = coordinates + generator(norm(coordinates), maps["spatial"])
            streams.append(self.dropout(embedding(coordinates).mT + position))
        for layer in (*self.refinements, self.interaction):
            streams = layer(streams, maps["temporal"])
        tokens = self.norm(torch.cat(streams, dim=-1))
        return rearrange(self.regression(tokens.mT), "B (J C) T -> B T J C", C=3)


def _embedding(config: MHFormerConfig) -> nn.Module:
    """Coordinates to channels, (B, K, T) -> (B, dim, T)."""
    embedding = nn.Conv1d(config.joints * config.in_channels, config.dim, kernel_size=1)
    if config.frames > NORMALISED_FRAMES:
        return embedding
    return nn.Sequential(embedding, nn.BatchNorm1d(config.dim), nn.ReLU(), nn.Dropout(config.embedding_dropout))
