"""Graph convolution over the joints of a skeleton, with one weight matrix per kind of neighbour."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

RULES = ("symmetric", "row_mean", "literal")


def tree_groups(parents: Sequence[int]) -> np.ndarray:
    """Who reads whom, by kind: the joint itself, its neighbour closer to the root, its neighbours farther from it.

    ST-GCN's spatial partition on a tree with the root as centre: closer is the parent, farther are the children.

    Args:
        parents: index of each joint's parent, -1 for the root, (J,), as `Skeleton.parents`.

    Returns:
        (3, J, J) of zeros and ones; row i holds the joints that i reads.
    """
    joints = np.arange(len(parents))
    own = np.eye(len(parents))
    closer = (np.asarray(parents)[:, None] == joints).astype(float)
    return np.stack([own, closer, closer.T])


def normalised(groups: np.ndarray, rule: str) -> np.ndarray:
    """The groups (K, J, J) with their entries scaled by the degrees of the joints.

    Args:
        rule: 'symmetric', D^-1/2 A D^-1/2 of the sum of all groups, then split into them again; 'row_mean', a joint
            reads the mean of each group; 'literal', D_j^-1/2 A_j D_j^-1/2 of each group alone (AMPose, Eq. 10), which
            loses the edges to joints whose own row in the group is empty, the root's and the leaves' (D-42).
    """
    degrees = groups.sum(axis=2, keepdims=True)
    if rule == "row_mean":
        return groups / np.maximum(degrees, 1)
    if rule == "symmetric":
        degrees = degrees.sum(axis=0)
    scale = np.where(degrees > 0, np.maximum(degrees, 1) ** -0.5, 0)
    return scale * groups * scale.swapaxes(-1, -2)


class GraphConvolution(nn.Module):
    """Sum over the groups j of A_j X Theta_j, plus one bias; (N, J, width) -> (N, J, out).

    Args:
        adjacency: (K, J, J), fixed; row i of A_j weighs the joints that joint i reads. It is no part of the state.
        width: channels in; `out` channels out.
    """

    def __init__(self, adjacency: np.ndarray, width: int, out: int):
        super().__init__()
        # Rows by joint, then group: one product then lays the K mixtures of a joint side by side, without a copy.
        rows = torch.tensor(adjacency, dtype=torch.float32).transpose(0, 1).flatten(0, 1)
        self.register_buffer("rows", rows, persistent=False)
        self.theta = nn.Linear(len(adjacency) * width, out)
        for theta in self.theta.weight.split(width, dim=1):
            nn.init.xavier_uniform_(theta)
        nn.init.zeros_(self.theta.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, J, width) -> (N, J, out)."""
        return self.theta((self.rows @ tokens).view(*tokens.shape[:2], -1))

    def own_macs(self, tokens: Tensor) -> int:
        """Multiply-accumulates beyond those of the linear layer: every joint reads every joint, once per group."""
        return len(self.rows) * tokens.numel()
