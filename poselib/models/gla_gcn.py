"""GLA-GCN: a graph network over a whole clip, shrunk by strides to its middle pose, which is read joint by joint.

Yu et al., "GLA-GCN: Global-local Adaptive Graph Convolutional Network for 3D Human Pose Estimation from Monocular
Video", ICCV 2023, Sec. 3. Released code exists for the rows without a 3D-sequence loss only. The rest is rebuilt from
the text, Fig. 1 and the parameter counts of Table 5; the starred counts also hold the refinement network of Cai et al.
(140 322), which is a model of its own.
"""

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from poselib.errors import InputError
from poselib.layers.adaptive_graph import AdaptiveGraphBlock, tree_edges
from poselib.layers.lifter import Lifter
from poselib.skeleton import SKELETONS

HEADS = ("shared", "unshared", "both", "full")


@dataclass(frozen=True)
class GLAGCNConfig:
    """The paper's row T = 243 of Table 5, which is also that of Tables 1 and 4 without a star.

    Starred rows: sequence_blocks=3, head="both" and dim=96 or 512. Table 6, all at frames=27: row 1 adaptive=False,
    row 2 strided=False, row 3 head="full", row 4 swap_sides=True, row 5 nothing else.

    MPI-INF-3DHP: the released code runs the graph of Human3.6M over joints in another order; skeleton="h36m_17" does
    so too, "mpi_inf_3dhp_17" is their own tree. HumanEva: its own tree, all edges directed alike, where the released
    lists mix directions or leave edges out.
    """

    frames: int = 243  # T
    widths: tuple[int, ...] = ()  # stride of each module, their product is T; () stands for the prime factors of T
    joints: int = 17  # N
    in_channels: int = 2
    dim: int = 96  # C_out
    dropout: float = 0.1
    skeleton: str = ""  # whose tree is A_k, a name in poselib.skeleton; "" stands for the first one with so many joints
    sequence_blocks: int = 0  # before the head that lifts the whole clip; 0 for no such head
    sequence_relu: bool = False  # end that head as every other block, so that no coordinate is negative
    head: str = "shared"  # Eq. 6, Eq. 5, Eq. 7, or one layer over all joints at once
    mixing: float = 0.5  # lambda of Eq. 7, not given in the paper
    adaptive: bool = True
    strided: bool = True  # else the mean over all frames is read
    swap_sides: bool = False  # exchange the left and right joints of the input
    last_momentum: float = 0.001  # of batch norms at the end of a training

    def __post_init__(self):
        if self.frames < 1 or self.frames % 2 == 0:
            raise InputError(f"gla_gcn: {self.frames} frames have no middle one; choose an odd number")
        # Lists come from stored configurations.
        object.__setattr__(self, "widths", tuple(self.widths) or _prime_factors(self.frames))
        if math.prod(self.widths) != self.frames or min(self.widths, default=1) < 1:
            raise InputError(f"gla_gcn: the product of widths {self.widths} is not frames {self.frames}; change one")
        fitting = [name for name, skeleton in SKELETONS.items() if len(skeleton) == self.joints]
        object.__setattr__(self, "skeleton", self.skeleton or "".join(fitting[:1]))
        if self.skeleton not in fitting:
            known = ", ".join(f"{name} ({len(skeleton)})" for name, skeleton in SKELETONS.items())
            raise InputError(f"gla_gcn: no skeleton {self.skeleton!r} with {self.joints} joints; known: {known}")
        if self.sequence_blocks < 0:
            raise InputError(f"gla_gcn: sequence_blocks is {self.sequence_blocks}; choose 0 for no 3D-sequence head")
        if self.head not in HEADS:
            raise InputError(f"gla_gcn: head is {self.head!r}; choose from {', '.join(HEADS)}")
        if not 0 < self.last_momentum <= 1:
            raise InputError(f"gla_gcn: last_momentum {self.last_momentum} must lie above 0 and not above 1")
        if not (0 <= self.mixing <= 1 and 0 <= self.dropout < 1):
            raise InputError(f"gla_gcn: mixing {self.mixing} and dropout {self.dropout} must lie between 0 and 1")


class GLAGCN(Lifter):
    """Many-to-one lifter; its strides are real ones, so each output frame needs a clip of its own.

    With a 3D-sequence head the paper trains first on the whole clip and the middle pose, L_global + L_local, then on
    the middle pose alone.
    """

    name = "gla_gcn"
    config_class = GLAGCNConfig
    many_to_one = True

    def __init__(self, config: GLAGCNConfig):
        super().__init__()
        self.config = config
        skeleton, dim = SKELETONS[config.skeleton], config.dim
        self.order = list(skeleton.flip) if config.swap_sides else slice(None)
        block = partial(
            AdaptiveGraphBlock, tree_edges(skeleton.parents), dropout=config.dropout, adaptive=config.adaptive
        )
        self.input_norm = nn.BatchNorm1d(config.joints * config.in_channels)
        self.expand = block(config.in_channels, dim)
        self.sequence_blocks = nn.ModuleList(block(dim, dim) for _ in range(config.sequence_blocks))
        self.sequence_head = block(dim, 3, final_relu=config.sequence_relu) if config.sequence_blocks else None
        self.strides = config.widths if config.strided else (1,) * len(config.widths)
        self.strided_blocks = nn.ModuleList()
        for stride in self.strides:
            self.strided_blocks.extend([block(dim, dim), block(dim, dim, stride, residual=False)])
        self.dropout = nn.Dropout(config.dropout)
        self.head = JointHead(config.joints, dim, config.head, config.mixing)

    def forward(self, inputs: Tensor, return_attention: bool = False) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """Lift the middle frame of a clip.

        Args:
            inputs: (B, T, J, C), normalised screen coordinates in the first two channels.
            return_attention: also return the graphs of every block.

        Returns:
            (B, 1, J, 3) metres, root-relative, camera frame; with graphs, a pair of it and {"graph": C_k, the edges
            that the clip itself chose, "tree": A_k + B_k}, each (B, L, 3, J, J) over the blocks in the order of the
            pass, rows being the joints that take; rows of "graph" sum to one. Without `adaptive` there is no "graph".
        """
        if not return_attention:
            return self.head(self.features(inputs))
        maps = {"graph": [], "tree": []} if self.config.adaptive else {"tree": []}
        poses = self.head(self._middle(self._clip(inputs, maps), maps))
        return poses, {kind: torch.stack(per_block, dim=1).mT for kind, per_block in maps.items()}

    def supervised(self, inputs: Tensor) -> dict[str, Tensor]:
        """'poses', (B, 1, J, 3), and with `sequence_blocks` also 'sequence', (B, T, J, 3), for L_global (Eq. 4)."""
        clip = self._clip(inputs)
        poses = {"poses": self.head(self._middle(clip))}
        if self.sequence_head is None:
            return poses
        return {"sequence": self.sequence_head(clip).permute(0, 2, 3, 1), **poses}

    def features(self, inputs: Tensor) -> Tensor:
        """v_i of Eq. 5, what the last layer reads of each joint (Fig. 4), (B, J, dim); `inputs` as in `forward`."""
        return self._middle(self._clip(inputs))

    def begin_epoch(self, done: int, epochs: int) -> None:
        """Set the momentum of batch norms after `done` of `epochs` epochs: from 0.1 exponentially to the last.

        The released Human3.6M script goes down to 0.001 and leaves the projections of shortcuts at 0.1; its HumanEva
        script keeps all at 0.1. Nothing of it is stored in weights.
        """
        for name, layer in self.named_modules():
            if isinstance(layer, _BatchNorm) and "shortcut" not in name:
                layer.momentum = 0.1 * (self.config.last_momentum / 0.1) ** (done / epochs)

    def _clip(self, inputs: Tensor, maps: dict[str, list[Tensor]] | None = None) -> Tensor:
        """Features of all frames, (B, dim, T, J)."""
        shape = len(inputs), self.config.joints, self.config.in_channels, self.config.frames
        flat = inputs[:, :, self.order].permute(0, 2, 3, 1).reshape(*shape).flatten(1, 2)
        normed = self.input_norm(flat).reshape(*shape)
        clip = self.expand(normed.permute(0, 2, 3, 1), maps)
        for block in self.sequence_blocks:
            clip = self.dropout(block(clip, maps))
        return clip

    def _middle(self, clip: Tensor, maps: dict[str, list[Tensor]] | None = None) -> Tensor:
        """(B, dim, T, J) -> (B, J, dim): strided modules, each around the middle of a group of frames, and the mean."""
        for stride, even, odd in zip(self.strides, self.strided_blocks[::2], self.strided_blocks[1::2], strict=True):
            shrunk = self.dropout(odd(self.dropout(even(clip, maps)), maps))
            clip = clip[:, :, stride // 2 :: stride] + shrunk
        return clip.mean(dim=2).mT


class JointHead(nn.Module):
    """From the features of each joint to its position: lambda x unshared + (1 - lambda) x shared layer, Eq. 5 to 7.

    Of the kinds in `HEADS`, 'full' is the unshared layer with sight of the features of all joints.
    """

    def __init__(self, joints: int, dim: int, kind: str, mixing: float):
        super().__init__()
        self.mixing = {"shared": 0.0, "both": mixing}.get(kind, 1.0)
        self.shared = nn.Conv1d(dim, 3, 1) if kind in ("shared", "both") else None
        groups = 1 if kind == "full" else joints
        self.unshared = nn.Conv1d(joints * dim, joints * 3, 1, groups=groups) if kind != "shared" else None

    def forward(self, features: Tensor) -> Tensor:
        """(B, J, dim) -> (B, 1, J, 3)."""
        poses = 0
        if self.shared is not None:
            poses = (1 - self.mixing) * self.shared(features.mT).mT
        if self.unshared is not None:
            own = self.unshared(features.flatten(1)[..., None])
            poses = poses + self.mixing * own.unflatten(1, (-1, 3))[..., 0]
        return poses[:, None]


def _prime_factors(number: int) -> tuple[int, ...]:
    divisor = next((divisor for divisor in range(2, number + 1) if number % divisor == 0), None)
    return () if divisor is None else (divisor, *_prime_factors(number // divisor))
