"""The two-layer perceptron of a transformer block, and stochastic depth."""

from torch import Tensor, nn


class MLP(nn.Sequential):
    """Linear, GELU (erf form), Linear; (..., dim) -> (..., dim)."""

    def __init__(self, dim: int, hidden: int):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.gelu = nn.GELU()
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
