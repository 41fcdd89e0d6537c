"""The two-layer perceptron of a transformer block, and stochastic depth."""

from collections.abc import Callable

from torch import Tensor, nn


class MLP(nn.Sequential):
    """Linear, activation (GELU in its erf form unless told), dropout, Linear; (..., dim) -> (..., dim)."""

    def __init__(self, dim: int, hidden: int, dropout: float = 0.0, activation: Callable[[], nn.Module] = nn.GELU):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.activation = activation()
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden, dim)


class DropPath(nn.Module):
    """Stochastic depth: in training a whole residual branch is dropped per element of the first axis, else rescaled.

    Nothing happens in evaluation or at rate 0, so the random state is not touched there.
    """

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """(N, ...) -> (N, ...)."""
        if not self.training or self.rate == 0:
            return branch
        keep = 1 - self.rate
        mask = branch.new_empty(branch.shape[0], *[1] * (branch.dim() - 1)).bernoulli_(keep)
        return branch * (mask / keep)
