"""Sparse kinds of self-attention over a fixed number of tokens, each to be put in the place of the full one.

MixSTE's supplement (Sec. C, Fig. 9) tries four on its own network and finds sparsity promising over frames; neither its
text nor its references say which four or how sparse. The released code holds Linformer, rectified linear attention and
k-means routing, and imports windowed attention. Here a token attends to about sqrt(n) of n, the Routing Transformer's
choice, in all of them but the rectified one, which settles for itself. Windows and routing are masks over the full
product: they change what is learned, not what it costs.
"""

import math
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, one_hot

from poselib.layers.attention import SelfAttention


def _share(tokens: int) -> int:
    return math.ceil(math.sqrt(tokens))


def _and_itself(seen: Tensor, keys: Tensor | None) -> Tensor:
    # Its own key keeps a query from attending to nothing.
    own = torch.eye(seen.shape[-1], dtype=torch.bool, device=seen.device)
    return own | (seen if keys is None else seen & keys[:, None, None, :])


class LocalAttention(SelfAttention):
    """A token attends to a window around itself, about sqrt(n) wide."""

    def __init__(self, dim: int, heads: int, dropout: float = 0.0, *, tokens: int):
        super().__init__(dim, heads, dropout)
        place = torch.arange(tokens)
        near = (place[:, None] - place).abs() <= max(1, _share(tokens) // 2)
        self.register_buffer("near", near, persistent=False)

    def _seen(self, query: Tensor, key: Tensor, keys: Tensor | None) -> Tensor:
        return _and_itself(self.near, keys)


class RoutingAttention(SelfAttention):
    """A query attends to the keys that lie nearest to the same centroid as itself, and to its own token.

    Roy et al., "Efficient Content-Based Sparse Attention with Routing Transformers", TACL 2021, without its
    balancing of cluster sizes. About sqrt(n) centroids per head, unit vectors, follow queries and keys in training as a
    moving average.
    """

    decay = 0.999

    def __init__(self, dim: int, heads: int, dropout: float = 0.0, *, tokens: int):
        super().__init__(dim, heads, dropout)
        self.register_buffer("centroids", normalize(torch.randn(heads, _share(tokens), dim // heads), dim=-1))

    def own_macs(self, tokens: Tensor, keys: Tensor | None = None) -> int:
        """Those of full attention and the comparison of queries and keys with centroids."""
        return super().own_macs(tokens) + 2 * tokens.numel() * self.centroids.shape[1]

    @torch.no_grad()
    def _seen(self, query: Tensor, key: Tensor, keys: Tensor | None) -> Tensor:
        points = normalize(torch.cat((query, key), dim=-2), dim=-1)
        clusters = (points @ self.centroids.mT).argmax(-1)  # (N, H, 2n)
        if self.training:
            self._follow(points, clusters)
        of_query, of_key = clusters.chunk(2, dim=-1)
        return _and_itself(of_query[..., :, None] == of_key[..., None, :], keys)

    def _follow(self, points: Tensor, clusters: Tensor) -> None:
        members = one_hot(clusters, self.centroids.shape[1]).to(points)
        sums = torch.einsum("NHnk,NHnD->HkD", members, points)
        means = sums / members.sum(dim=(0, 2)).clamp(min=1)[..., None]
        self.centroids.copy_(normalize(torch.lerp(means, self.centroids, self.decay), dim=-1))


class Linformer(SelfAttention):
    """Queries attend to about sqrt(n) learned linear summaries of the n keys and values, the same in all heads.

    Wang et al., "Linformer: Self-Attention with Linear Complexity", 2020. Takes no key mask; a map is (N, H, n, k).
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.0, *, tokens: int):
        super().__init__(dim, heads, dropout)
        self.key_summary = nn.Linear(tokens, _share(tokens), bias=False)
        self.value_summary = nn.Linear(tokens, _share(tokens), bias=False)

    def own_macs(self, tokens: Tensor, keys: Tensor | None = None) -> int:
        """Logits and weighted values; the summaries are linear layers."""
        return 2 * tokens.numel() * self.key_summary.out_features

    def _heads(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        query, key, value = super()._heads(tokens)
        return query, self.key_summary(key.mT).mT, self.value_summary(value.mT).mT


class RectifiedAttention(SelfAttention):
    """Negative logits weigh nothing, the others as they are; an RMSNorm of the heads' output stands in for softmax.

    Zhang, Titov and Sennrich, "Sparse Attention with Linear Units", EMNLP 2021, without its gate. Rows of a map do not
    sum to one.
    """

    def __init__(self, dim: int, heads: int, dropout: float = 0.0, *, tokens: int):
        super().__init__(dim, heads, dropout)
        self.proj = nn.Sequential(nn.RMSNorm(dim, eps=1e-6), self.proj)

    def forward(self, tokens: Tensor, keys: Tensor | None = None) -> Tensor:
        """(N, n, dim) -> (N, n, dim), by the explicit map, as fused attention knows softmax only."""
        weights, value = self._map(tokens, keys)
        return self._merged(nn.functional.dropout(weights, self.dropout, self.training) @ value)

    def _weights(self, logits: Tensor) -> Tensor:
        return torch.relu(logits)


SPARSE = MappingProxyType(
    {"local": LocalAttention, "linformer": Linformer, "rectified": RectifiedAttention, "routing": RoutingAttention}
)
