"""Multi-head attention over one axis of tokens."""

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


def attend(attention: nn.Module, maps: list[Tensor] | None, *arguments: Tensor | None) -> Tensor:
    """The output of an attention layer; its map is appended to `maps` where a list is given."""
    if maps is None:
        return attention(*arguments)
    output, weights = attention.with_map(*arguments)
    maps.append(weights)
    return output


def mixed(query: Tensor, key: Tensor, value: Tensor, seen: Tensor | None = None, dropout: float = 0.0) -> Tensor:
    """Values mixed by the softmax of scaled products, (N, H, n, D); `seen` is True where a query may attend to a key.

    On a CPU the fused kernel is the faster one in float32, down to the smallest models here, and the slower one in
    bf16, several times so in the backward pass.
    """
    if query.device.type != "cpu" or query.dtype != torch.bfloat16:
        return scaled_dot_product_attention(query, key, value, seen, dropout)
    left, right = query.flatten(0, 1), key.flatten(0, 1).mT
    # The scale goes with the product: scaling queries or logits is a pass over memory of its own.
    logits = torch.baddbmm(left.new_empty(1, 1, 1), left, right, beta=0, alpha=query.shape[-1] ** -0.5)
    logits = logits.unflatten(0, query.shape[:2])
    if seen is not None:
        logits = logits.masked_fill(~seen, -torch.inf)
    return nn.functional.dropout(torch.softmax(logits, dim=-1), dropout) @ value


class SelfAttention(nn.Module):
    """Scaled dot-product self-attention with one joint query/key/value projection.

    Logits are scaled by (dim / heads)^-0.5, as every released code of the five papers does (D-04). Dropout is that of
    the attention weights.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.0):
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor, keys: Tensor | None = None) -> Tensor:
        """(N, n, dim) -> (N, n, dim); `keys` (N, n), True where a token may be attended to."""
        query, key, value = self._heads(tokens)
        dropout = self.dropout if self.training else 0.0
        return self._merged(mixed(query, key, value, self._seen(query, key, keys), dropout))

    def with_map(self, tokens: Tensor, keys: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The same output, without dropout, with the map (N, H, n, n); rows are the queries and sum to one."""
        weights, value = self._map(tokens, keys)
        return self._merged(weights @ value), weights

    def own_macs(self, tokens: Tensor, keys: Tensor | None = None) -> int:
        """Multiply-accumulates beyond those of the linear layers: logits and weighted values."""
        return 2 * tokens.numel() * tokens.shape[-2]

    def _seen(self, query: Tensor, key: Tensor, keys: Tensor | None) -> Tensor | None:
        # What a query may attend to, as a mask that broadcasts to (N, H, n, n); everything if None.
        return None if keys is None else keys[:, None, None, :]

    def _weights(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits, dim=-1)

    def _map(self, tokens: Tensor, keys: Tensor | None) -> tuple[Tensor, Tensor]:
        query, key, value = self._heads(tokens)
        logits = query @ key.mT * query.shape[-1] ** -0.5
        seen = self._seen(query, key, keys)
        if seen is not None:
            logits = logits.masked_fill(~seen, -torch.inf)
        return self._weights(logits), value

    def _merged(self, mixed: Tensor) -> Tensor:
        return self.proj(rearrange(mixed, "N H n D -> N n (H D)"))

    def _heads(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return rearrange(self.qkv(tokens), "N n (s H D) -> s N H n D", s=3, H=self.heads).unbind(0)


class CrossAttention(nn.Module):
    """Scaled dot-product attention whose queries, keys and values come from three sequences of tokens."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.proj = (nn.Linear(dim, dim) for _ in range(4))

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Tokens (N, n, dim) that ask, (N, m, dim) that are compared, (N, m, dim) that are mixed -> (N, n, dim)."""
        return self.proj(rearrange(mixed(*self._heads(query, key, value)), "N H n D -> N n (H D)"))

    def with_map(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """The same output with the map (N, H, n, m); rows are the queries and sum to one."""
        query, key, value = self._heads(query, key, value)
        weights = torch.softmax(query @ key.mT * query.shape[-1] ** -0.5, dim=-1)
        return self.proj(rearrange(weights @ value, "N H n D -> N n (H D)")), weights

    def own_macs(self, query: Tensor, key: Tensor, value: Tensor) -> int:
        """Multiply-accumulates beyond those of the linear layers: logits and weighted values."""
        return 2 * query.numel() * key.shape[-2]

    def _heads(self, *tokens: Tensor) -> tuple[Tensor, ...]:
        layers = (self.query, self.key, self.value)
        return tuple(
            rearrange(layer(part), "N n (H D) -> N H n D", H=self.heads)
            for layer, part in zip(layers, tokens, strict=True)
        )
