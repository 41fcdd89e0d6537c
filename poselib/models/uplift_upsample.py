"""Uplift and Upsample: lifts sparse 2D key-frames and fills the frames between them with a learnt token.

Einfalt, Ludwig and Lienhart, "Uplift and Upsample: Efficient 3D Human Pose Estimation with Uplifting Transformers",
WACV 2023, Sec. 3, Eq. 1 to 3 (key-frames, output frames, the token between them).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from poselib.errors import InputError
from poselib.layers.lifter import Lifter
from poselib.layers.strided import Padding, StridedEncoder, strided_lengths
from poselib.layers.transformer import LayerNorm, TransformerBlock
from poselib.skeleton import H36M_17

# The order in which the released weights hold the joints.
JOINTS = (
    *("right_ankle", "right_knee", "right_hip", "left_hip", "left_knee", "left_ankle"),
    *("pelvis", "thorax", "spine", "nose", "head"),
    *("right_wrist", "right_elbow", "right_shoulder", "left_shoulder", "left_elbow", "left_wrist"),
)
ORDER = tuple(H36M_17.index[joint] for joint in JOINTS)


@dataclass(frozen=True)
class UpliftUpsampleConfig:
    """The paper's main row: Table 1, N = 351, which is 71 tokens, 5 frames apart.

    N = 81 is 41 tokens, strides (4, 4, 3), paddings ((1, 1), (0, 0), (0, 0)).
    """

    frames: int = 71  # tokens
    joints: int = 17
    in_channels: int = 2
    spatial_dim: int = 32  # d_joint
    dim: int = 384  # d_temp; the paper prints 348, but its counts are those of 384
    depth: int = 4  # spatial blocks, and as many temporal ones
    strides: tuple[int, ...] = (3, 10, 3)
    paddings: tuple[Padding, ...] = ((0, 0), (0, 0), (0, 0))
    heads: int = 8
    mlp_ratio: float = 2.0
    drop_path: float = 0.1  # of the last spatial block; rises linearly from 0
    temporal_drop_path: float = 0.0  # likewise; 0.0008 behind the published results, 0.1 in the code since 2023
    upsampling_token: bool = True  # False: the dense variant of Table 5
    sequence_head: bool = True  # False: as Table 4 counts, and as the refinement stage trains

    def __post_init__(self):
        object.__setattr__(self, "strides", tuple(self.strides))
        object.__setattr__(self, "paddings", tuple(map(tuple, self.paddings)))
        for width in (self.spatial_dim, self.dim):
            if width % self.heads:
                raise InputError(
                    f"uplift_upsample: width {width} cannot be split over {self.heads} heads; "
                    "change spatial_dim, dim or heads"
                )
        if len(self.strides) != len(self.paddings) or set(self.paddings) - set(product((0, 1), repeat=2)):
            raise InputError(
                f"uplift_upsample: paddings {self.paddings} are not a pair of 0 or 1 for each of strides {self.strides}"
            )
        if (left := self.lengths[-1]) != 1:
            raise InputError(
                f"uplift_upsample: strides {self.strides} leave {left} of {self.frames} tokens, not 1; "
                "change frames, strides or paddings"
            )

    @property
    def lengths(self) -> list[int]:
        """Number of tokens before every strided block and after the last one."""
        return strided_lengths(self.frames, self.strides, self.paddings)


class UpliftUpsample(Lifter):
    """Many-to-one lifter with a second head that lifts every token, for training.

    A spatial transformer makes one token of the 2D pose of each key-frame; one learnt token stands for all other
    frames. The first temporal block attends to key-frames only, the others to all tokens; strided blocks then shrink
    them to one. With 71 tokens the residual path of these runs through token 34, not the middle one, 35, as in the
    released code. Joints come in and go out in the usual order; weights hold the authors' order if there are 17.
    """

    name = "uplift_upsample"
    config_class = UpliftUpsampleConfig
    many_to_one = True

    def __init__(self, config: UpliftUpsampleConfig):
        super().__init__()
        self.config = config
        joints, width, dim = config.joints, config.spatial_dim, config.dim
        order = torch.tensor(ORDER if joints == len(ORDER) else range(joints))
        self.register_buffer("order", order, persistent=False)
        self.register_buffer("usual", order.argsort(), persistent=False)
        self.embedding = nn.Linear(config.in_channels, width)
        self.spatial_position = nn.Parameter(torch.zeros(joints, width))
        self.temporal_position = nn.Parameter(torch.zeros(config.frames, dim))
        self.upsampling_token = nn.Parameter(torch.zeros(dim)) if config.upsampling_token else None
        self.spatial_blocks = self._blocks(width, config.drop_path, nn.GELU)
        self.spatial_norm = LayerNorm(width)
        self.condensation = nn.Linear(joints * width, dim)
        self.temporal_blocks = self._blocks(dim, config.temporal_drop_path, nn.ReLU)
        hidden = int(dim * config.mlp_ratio)
        positions = [torch.zeros(length, dim) for length in config.lengths[:-1]]
        self.strided = StridedEncoder(
            dim, config.heads, hidden, config.strides, config.paddings, positions, norm=nn.LayerNorm
        )
        self.sequence_head = nn.Linear(dim, 3 * joints) if config.sequence_head else None
        self.head = nn.Linear(dim, 3 * joints)
        self.initialise()

    def forward(
        self, inputs: Tensor, key_frames: Tensor | None = None, return_attention: bool = False
    ) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Lift the middle frame of a clip.

        Args:
            inputs: (B, T, J, C), normalised screen coordinates in the first two channels. What stands at frames that
                are not key-frames has no influence.
            key_frames: (B, T) on the CPU, True where the 2D pose is real; all of them if None. A clip without any
                still gives finite numbers, which mean nothing.
            return_attention: also return the maps of every block.

        Returns:
            (B, 1, J, 3) metres, root-relative, camera frame; with attention maps, a pair of it and
            {"spatial": (B, L, T, H, J, J), "temporal": (B, L, H, T, T), "strided_1": (B, 1, H, T, T), "strided_2":
            (B, 1, H, T', T'), ...}, rows being queries; spatial maps are zero where there is no key-frame.

        Raises:
            InputError: key-frames for a model without an upsampling token.
        """
        maps = {} if return_attention else None
        poses = self._poses(self.head, self.strided(self._tokens(inputs, key_frames, maps), maps))
        return (poses, maps) if return_attention else poses

    def supervised(self, inputs: Tensor, key_frames: Tensor | None = None) -> dict[str, Tensor]:
        """Both outputs: 'sequence' (B, T, J, 3), unless left out by the configuration, and 'poses' (B, 1, J, 3)."""
        tokens = self._tokens(inputs, key_frames)
        poses = {"poses": self._poses(self.head, self.strided(tokens))}
        if self.sequence_head is None:
            return poses
        return {"sequence": self._poses(self.sequence_head, tokens), **poses}

    def of_frames(self, inputs: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        """The spatial transformer, (N, J, C) to (N, dim); see `Lifter`."""
        tokens = self.embedding(inputs[:, self.order]) + self.spatial_position
        for block in self.spatial_blocks:
            tokens = block(tokens, maps)
        return self.condensation(self.spatial_norm(tokens).flatten(1))

    def of_clips(self, frames: Tensor, key_frames: Tensor | None = None) -> Tensor:
        """What comes behind it, with the upsampling token where there is no key-frame; see `Lifter` and `forward`."""
        self._check(key_frames)
        if key_frames is not None:
            seen = key_frames.to(frames.device)[..., None]
            frames = torch.where(seen, frames, self.upsampling_token.to(frames.dtype))
        return self._poses(self.head, self.strided(self._mixed(frames, key_frames)))

    @torch.no_grad()
    def initialise(self) -> None:
        """Draw start weights as the released code does: Glorot uniform, zero biases, truncated normal embeddings."""
        for name, layer in self.named_modules():
            if isinstance(layer, (nn.Linear, nn.Conv1d)):
                for part in layer.weight.chunk(3 if name.endswith("qkv") else 1):
                    nn.init.xavier_uniform_(part)
                nn.init.zeros_(layer.bias)
        learnt = [self.spatial_position, self.temporal_position, *self.strided.positions, self.upsampling_token]
        for vectors in learnt:
            if vectors is not None:
                nn.init.trunc_normal_(vectors, std=0.02, a=-0.04, b=0.04)

    def _blocks(self, dim: int, drop_path: float, activation: Callable[[], nn.Module]) -> nn.ModuleList:
        config = self.config
        sizes = (dim, config.heads, int(dim * config.mlp_ratio))
        return nn.ModuleList(
            TransformerBlock(*sizes, drop_path=rate, activation=activation, norm=nn.LayerNorm)
            for rate in np.linspace(0, drop_path, config.depth).tolist()
        )

    def _tokens(self, inputs: Tensor, key_frames: Tensor | None, maps: dict[str, Tensor] | None = None) -> Tensor:
        """What the temporal blocks make of a clip, (B, T, dim)."""
        self._check(key_frames)
        spatial, temporal = ([], []) if maps is not None else (None, None)
        if key_frames is None:
            tokens = self.of_frames(inputs.flatten(0, 1), spatial).unflatten(0, inputs.shape[:2])
        else:
            tokens = _spread(self.of_frames(inputs[key_frames], spatial), key_frames, self.upsampling_token)
        tokens = self._mixed(tokens, key_frames, temporal)
        if maps is not None:
            maps["spatial"] = self._spatial_maps(torch.stack(spatial, dim=1), key_frames, inputs.shape[:2])
            maps["temporal"] = torch.stack(temporal, dim=1)
        return tokens

    def _check(self, key_frames: Tensor | None) -> None:
        if key_frames is not None and self.upsampling_token is None:
            raise InputError("uplift_upsample: a model without an upsampling token takes no key_frames; leave them out")

    def _mixed(self, tokens: Tensor, key_frames: Tensor | None, maps: list[Tensor] | None = None) -> Tensor:
        """What the temporal blocks make of tokens (B, T, dim); the first of them attends to key-frames only."""
        keys = None
        if key_frames is not None:
            keys = (key_frames | ~key_frames.any(dim=1, keepdim=True)).to(tokens.device)
        tokens = tokens + self.temporal_position
        for number, block in enumerate(self.temporal_blocks):
            tokens = block(tokens, maps, keys if number == 0 else None)
        return tokens

    def _spatial_maps(self, maps: Tensor, key_frames: Tensor | None, clips: torch.Size) -> Tensor:
        """(N, L, H, J, J) in the authors' order -> (B, L, T, H, J, J) in the usual one."""
        maps = maps[..., self.usual, :][..., self.usual]
        spread = maps.unflatten(0, clips) if key_frames is None else _spread(maps, key_frames, maps.new_zeros(()))
        return spread.transpose(1, 2)

    def _poses(self, head: nn.Module, tokens: Tensor) -> Tensor:
        return head(tokens).unflatten(-1, (-1, 3))[:, :, self.usual]


def _spread(values: Tensor, key_frames: Tensor, rest: Tensor) -> Tensor:
    """Values (N, ...) of all key-frames put in their places, (B, T, ...), and `rest` in all others."""
    spread = rest.to(values.dtype).expand(*key_frames.shape, *values.shape[1:]).clone()
    spread[key_frames] = values
    return spread
