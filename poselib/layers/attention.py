"""Multi-head self-attention over one axis of tokens."""

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


class SelfAttention(nn.Module):
    """Scaled dot-product self-attention with one joint query/key/value projection.

    Logits are scaled by (dim / heads)^-0.5, as every released code of the five papers does (D-04).
    """

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, n, dim) -> (N, n, dim)."""
        query, key, value = self._heads(tokens)
        mixed = scaled_dot_product_attention(query, key, value)
        return self.proj(rearrange(mixed, "N H n D -> N n (H D)"))

    def with_map(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """The same output with the attention map (N, H, n, n); rows are the queries and sum to one."""
        query, key, value = self._heads(tokens)
        weights = torch.softmax(query @ key.mT * query.shape[-1] ** -0.5, dim=-1)
        return self.proj(rearrange(weights @ value, "N H n D -> N n (H D)")), weights

    def _heads(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return rearrange(self.qkv(tokens), "N n (s H D) -> s N H n D", s=3, H=self.heads).unbind(0)
