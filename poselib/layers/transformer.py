"""The pre-norm transformer block that all the transformers here share."""

from torch import Tensor, nn

from poselib.layers.attention import SelfAttention
from poselib.layers.mlp import MLP, DropPath


class TransformerBlock(nn.Module):
    """x + DropPath(Attention(LN(x))), then x + DropPath(MLP(LN(x))); LayerNorm eps 1e-6."""

    def __init__(self, dim: int, heads: int, mlp_ratio: float, drop_path: float):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attention = SelfAttention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = MLP(dim, int(dim * mlp_ratio))
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tensor, maps: list[Tensor] | None = None) -> Tensor:
        """(N, n, dim) -> (N, n, dim); appends the attention map (N, H, n, n) to `maps` where a list is given."""
        if maps is None:
            mixed = self.attention(self.norm1(tokens))
        else:
            mixed, weights = self.attention.with_map(self.norm1(tokens))
            maps.append(weights)
        tokens = tokens + self.drop_path(mixed)
        return tokens + self.drop_path(self.mlp(self.norm2(tokens)))
