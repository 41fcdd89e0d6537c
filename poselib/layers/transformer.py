"""The pre-norm transformer block that all the transformers here share."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn

from poselib.layers.attention import SelfAttention, attend
from poselib.layers.mlp import MLP, DropPath

LayerNorm = partial(nn.LayerNorm, eps=1e-6)


class TransformerBlock(nn.Module):
    """x + DropPath(Dropout(Attention(LN(x)))), then x + DropPath(Dropout(MLP(LN(x)))).

    Args:
        dim: width; `hidden` that of the MLP.
        drop_path: rate of stochastic depth of both branches.
        dropout: rate inside the MLP and at the end of both branches; `attention_dropout` that of attention weights.
        activation: of the MLP.
        norm: what makes a normalisation layer of a width.
        attention: what makes an attention layer of a width, a number of heads and a dropout rate.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        hidden: int,
        *,
        drop_path: float = 0.0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        activation: Callable[[], nn.Module] = nn.GELU,
        norm: Callable[[int], nn.Module] = LayerNorm,
        attention: Callable[[int, int, float], SelfAttention] = SelfAttention,
    ):
        super().__init__()
        self.norm1 = norm(dim)
        self.attention = attention(dim, heads, attention_dropout)
        self.norm2 = norm(dim)
        self.mlp = MLP(dim, hidden, dropout, activation)
        self.dropout = nn.Dropout(dropout)
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tensor, maps: list[Tensor] | None = None, keys: Tensor | None = None) -> Tensor:
        """(N, n, dim) -> (N, n, dim).

        Args:
            maps: a list to which the attention map (N, H, n, n) is appended.
            keys: (N, n), True where a token may be attended to; all of them if None.
        """
        tokens = self.attend(tokens, maps, keys)
        return tokens + self.drop_path(self.dropout(self.mlp(self.norm2(tokens))))

    def attend(self, tokens: Tensor, maps: list[Tensor] | None = None, keys: Tensor | None = None) -> Tensor:
        """The first half of the block, arguments as `forward`."""
        mixed = attend(self.attention, maps, self.norm1(tokens), keys)
        return tokens + self.drop_path(self.dropout(mixed))
