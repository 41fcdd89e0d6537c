"""A transformer encoder that shortens its sequence of tokens from block to block, down to one.

Strided Transformer, Sec. 3 (Li et al., IEEE TMM 2022), with the padding that Uplift-and-Upsample adds to it.
"""

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from torch import Tensor, nn

from poselib.layers.transformer import TransformerBlock

KERNEL = 3

Padding = tuple[int, int]


def strided_lengths(frames: int, strides: Sequence[int], paddings: Sequence[Padding]) -> list[int]:
    """Number of tokens before every block and after the last one."""
    lengths = [frames]
    for stride, padding in zip(strides, paddings, strict=True):
        lengths.append((lengths[-1] + sum(padding) - KERNEL) // stride + 1)
    return lengths


class StridedMLP(nn.Sequential):
    """Two convolutions over time, the second one with a stride; (N, dim, n) -> (N, dim, n')."""

    def __init__(self, dim: int, hidden: int, stride: int, padding: Padding, dropout: float):
        super().__init__()
        self.fc1 = nn.Conv1d(dim, hidden, 1)
        self.activation = nn.ReLU()
        self.dropout = nn.Dropout(dropout)
        self.padding = nn.ConstantPad1d(padding, 0.0)
        self.fc2 = nn.Conv1d(hidden, dim, KERNEL, stride)


class StridedBlock(TransformerBlock):
    """Self-attention over all tokens, then a strided convolution beside a skip path that keeps one token of a stride.

    The skip path keeps the token in the middle of the first convolution window and every stride-th after it. With one
    padded token in front that is the very first token, not the middle of its group: the released code of the Strided
    Transformer pools with a window of one token.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        hidden: int,
        stride: int,
        padding: Padding,
        *,
        dropout: float = 0.0,
        **block,
    ):
        super().__init__(dim, heads, hidden, dropout=dropout, **block)
        self.mlp = StridedMLP(dim, hidden, stride, padding, dropout)
        before, after = padding
        self.kept = slice(1 - before, None if after else -1, stride)

    def forward(self, tokens: Tensor, maps: list[Tensor] | None = None, keys: Tensor | None = None) -> Tensor:
        """(N, n, dim) -> (N, n', dim); arguments as `TransformerBlock.forward`."""
        tokens = self.attend(tokens, maps, keys)
        branch = self.mlp(self.norm2(tokens).mT).mT
        return tokens[:, self.kept] + self.drop_path(self.dropout(branch))


class StridedEncoder(nn.Module):
    """Strided blocks with a positional embedding of its own before each of the first ones.

    Args:
        strides: one for each block; `paddings` are the zero tokens before and after it, 0 or 1 each.
        positions: the embeddings, (rows, dim) or (1, rows, dim); a block uses the first rows of its own.
        block: what else a `TransformerBlock` takes.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        hidden: int,
        strides: Sequence[int],
        paddings: Sequence[Padding],
        positions: Iterable[Tensor],
        **block,
    ):
        super().__init__()
        self.positions = nn.ParameterList(positions)
        self.blocks = nn.ModuleList(
            StridedBlock(dim, heads, hidden, stride, padding, **block)
            for stride, padding in zip(strides, paddings, strict=True)
        )

    def forward(self, tokens: Tensor, maps: dict[str, Tensor] | None = None) -> Tensor:
        """(B, n, dim) -> (B, n', dim); attention goes to `maps` as 'strided_1' (B, 1, H, n, n) and so on."""
        for number, (block, position) in enumerate(zip_longest(self.blocks, self.positions), start=1):
            if position is not None:
                tokens = tokens + position[..., : tokens.shape[1], :]
            own = None if maps is None else []
            tokens = block(tokens, own)
            if maps is not None:
                maps[f"strided_{number}"] = own[0][:, None]
        return tokens
