"""Graph convolution over the joints of a body, with fixed, learned and input-dependent edges, and over frames.

GLA-GCN (Yu et al., ICCV 2023), Sec. 3.1, Eq. 2 and 3. Edges and initial values are those of the released code: the
paper's subsets by distance to the centre of gravity, its symmetric normalisation and its zeros are not in it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

SUBSETS = 3
TEMPORAL_KERNEL = 9  # Gamma; the paper once says three


def tree_edges(parents: Sequence[int]) -> Tensor:
    """A_k: the weight [k, v, w] of source joint v for target joint w, (3, J, J).

    A joint takes itself (k = 0), its parent (1) and the mean of its children (2); a column sums to one, or to zero
    where there is no such joint.

    Args:
        parents: index of each joint's parent, -1 for the root, (J,).
    """
    joints = torch.arange(len(parents))
    inward = (joints[:, None] == torch.tensor(parents)).float()
    outward = inward.T / inward.sum(dim=1).clamp(min=1)
    return torch.stack([torch.eye(len(parents)), inward, outward])


class AdaptiveGraphConvolution(nn.Module):
    """ReLU(shortcut + Dropout(BN(sum over k of W_k x (A_k + B_k + C_k)))), GLA-GCN Eq. 2.

    C_k (Eq. 3) comes from the clip itself: one matrix for all its frames, a softmax over source joints of the mean over
    frames and channels of theta_k x phi_k. Without `adaptive` there is no C_k and the learned matrix multiplies A_k
    instead of being added to it: the edge importance of ST-GCN (Yan et al., AAAI 2018).
    """

    def __init__(self, edges: Tensor, channels: int, width: int, *, dropout: float, adaptive: bool):
        super().__init__()
        self.adaptive = adaptive
        self.register_buffer("edges", edges, persistent=False)
        self.learned = nn.Parameter(torch.full_like(edges, 1e-6 if adaptive else 1.0))  # B_k
        if adaptive:
            self.embedded = width // 4 or 3
            self.embedding = nn.Conv2d(channels, 2 * SUBSETS * self.embedded, 1)  # theta_0..2, phi_0..2
            nn.init.normal_(self.embedding.weight, std=(2 / self.embedded) ** 0.5)
            nn.init.zeros_(self.embedding.bias)
        self.convolution = nn.Conv2d(SUBSETS * channels, width, 1, bias=False)  # W_0..2 side by side
        self.biases = nn.Parameter(torch.zeros(SUBSETS * width))  # one of W_k each
        nn.init.normal_(self.convolution.weight, std=(2 / self.convolution.weight.numel()) ** 0.5)
        self.norm = nn.BatchNorm2d(width)
        nn.init.constant_(self.norm.weight, 1e-6)
        self.dropout = nn.Dropout(dropout)
        self.shortcut = nn.Identity() if channels == width else _projection(channels, width)

    def forward(self, features: Tensor, maps: dict[str, list[Tensor]] | None = None) -> Tensor:
        """(B, C, T, J) -> (B, width, T, J).

        Args:
            maps: lists to which are appended "graph", C_k, and "tree", A_k and B_k together, each (B, 3, J, J); [v, w]
                is the weight of source joint v for target joint w.
        """
        batch, channels, frames, joints = features.shape
        weights = self.edges + self.learned if self.adaptive else self.edges * self.learned
        if maps is not None:
            maps["tree"].append(weights.expand(batch, -1, -1, -1))
        if self.adaptive:
            similarity = self._similarity(features)
            weights = weights + similarity
            if maps is not None:
                maps["graph"].append(similarity)
        mixed = features.reshape(batch, 1, channels * frames, joints) @ weights
        mixed = self.convolution(mixed.reshape(batch, SUBSETS * channels, frames, joints))
        mixed = mixed + self.biases.view(SUBSETS, -1, 1, 1).sum(dim=0)
        # Dropout out of place: the released code's in-place one cannot be trained on current PyTorch.
        return relu(self.dropout(self.norm(mixed)) + self.shortcut(features))

    def own_macs(self, features: Tensor, maps: dict[str, list[Tensor]] | None = None) -> int:
        """Multiply-accumulates beyond those of the convolutions: joint similarities and mixing of joints."""
        channels = features.shape[1] + (self.embedded if self.adaptive else 0)
        return SUBSETS * channels * features[:, 0].numel() * features.shape[-1]

    def _similarity(self, features: Tensor) -> Tensor:
        """C_k, (B, 3, J, J); columns sum to one."""
        embedded = self.embedding(features).unflatten(1, (2, SUBSETS, self.embedded)).flatten(3, 4)
        source, target = embedded.unbind(dim=1)  # (B, 3, E T, J) each
        return torch.softmax(source.mT @ target / source.shape[2], dim=-2)


class AdaptiveGraphBlock(nn.Module):
    """AGCN(C, width, stride): graph convolution, then a convolution over 9 frames, BN, residual and ReLU.

    Args:
        edges: (3, J, J), see `tree_edges`.
        residual: add the block's input, projected where channels or frames change.
        final_relu: end with a ReLU, as the released code always does.
        dropout: rate inside the graph convolution, which the released code fixes at 0.1.
        adaptive: see `AdaptiveGraphConvolution`.
    """

    def __init__(
        self,
        edges: Tensor,
        channels: int,
        width: int,
        stride: int = 1,
        *,
        residual: bool = True,
        final_relu: bool = True,
        dropout: float = 0.1,
        adaptive: bool = True,
    ):
        super().__init__()
        self.final_relu = final_relu
        self.graph = AdaptiveGraphConvolution(edges, channels, width, dropout=dropout, adaptive=adaptive)
        padding = TEMPORAL_KERNEL // 2
        self.temporal = _initialised(nn.Conv2d(width, width, (TEMPORAL_KERNEL, 1), (stride, 1), (padding, 0)))
        self.temporal_norm = nn.BatchNorm2d(width)
        same = channels == width and stride == 1
        self.shortcut = (nn.Identity() if same else _projection(channels, width, stride)) if residual else None

    def forward(self, features: Tensor, maps: dict[str, list[Tensor]] | None = None) -> Tensor:
        """(B, C, T, J) -> (B, width, ceil(T / stride), J); `maps` as in `AdaptiveGraphConvolution`."""
        output = self.temporal_norm(self.temporal(self.graph(features, maps)))
        if self.shortcut is not None:
            output = output + self.shortcut(features)
        return relu(output) if self.final_relu else output


def _projection(channels: int, width: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(_initialised(nn.Conv2d(channels, width, 1, (stride, 1))), nn.BatchNorm2d(width))


def _initialised(convolution: nn.Conv2d) -> nn.Conv2d:
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out")
    nn.init.zeros_(convolution.bias)
    return convolution
