"""The plain ways that the fast ones are measured against, written as public code of the field writes them."""

import copy

import numpy as np
import torch
from einops import rearrange
from torch import Tensor, nn

from poselib.data.windows import Windows
from poselib.layers.attention import CrossAttention, SelfAttention
from poselib.metrics import joint_errors


class PlainAttention(nn.Module):
    """Self-attention with three projections and an explicit softmax, of the weights of another layer."""

    def __init__(self, other: SelfAttention):
        super().__init__()
        self.heads, self.dropout, self.proj = other.heads, nn.Dropout(other.dropout), other.proj
        width = other.qkv.in_features
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        with torch.no_grad():
            for layer, *given in zip(self._layers(), other.qkv.weight.chunk(3), other.qkv.bias.chunk(3), strict=True):
                for own, part in zip(layer.parameters(), given, strict=True):
                    own.copy_(part)

    def _layers(self) -> tuple[nn.Linear, ...]:
        return self.query, self.key, self.value

    def forward(self, tokens: Tensor, keys: None = None) -> Tensor:
        """(N, n, dim) -> (N, n, dim); no key mask, which only sparse input needs."""
        assert keys is None
        query, key, value = (rearrange(layer(tokens), "N n (H D) -> N H n D", H=self.heads) for layer in self._layers())
        weights = (query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5).softmax(dim=-1)
        return self.proj(rearrange(self.dropout(weights) @ value, "N H n D -> N n (H D)"))


class PlainCrossAttention(nn.Module):
    """Cross-attention with an explicit softmax."""

    def __init__(self, other: CrossAttention):
        super().__init__()
        self.other = other

    def forward(self, *tokens: Tensor) -> Tensor:
        """As `CrossAttention.forward`."""
        return self.other.with_map(*tokens)[0]


PLAIN = {SelfAttention: PlainAttention, CrossAttention: PlainCrossAttention}


def plain_model(model: nn.Module) -> nn.Module:
    """A copy with plain attention and the same weights, float32; what is not attention is the same in both."""
    model = copy.deepcopy(model)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) in PLAIN:
                setattr(parent, name, PLAIN[type(child)](child).train(child.training))
    return model


def plain_p_mpjpe(predicted: np.ndarray, target: np.ndarray) -> float:
    """P-MPJPE of poses (N, J, 3) by a batched singular value decomposition of numpy."""
    target_mean, predicted_mean = (poses.mean(axis=1, keepdims=True) for poses in (target, predicted))
    fixed, moved = target - target_mean, predicted - predicted_mean
    fixed_norm, moved_norm = (np.sqrt((part**2).sum(axis=(1, 2), keepdims=True)) for part in (fixed, moved))
    left, singular, right = np.linalg.svd((moved / moved_norm).swapaxes(1, 2) @ (fixed / fixed_norm))
    sign = np.sign(np.linalg.det(left @ right))
    left[:, :, -1] *= sign[:, None]
    singular[:, -1] *= sign
    scale = singular.sum(axis=1)[:, None, None] * fixed_norm / moved_norm
    return float(joint_errors(scale * moved @ (left @ right) + target_mean, target).mean())


def plain_batch(
    arrays: tuple[np.ndarray, ...],
    windows: tuple[Windows, ...],
    numbers: np.ndarray,
    flip: tuple[int, ...],
    root: int,
    batch: tuple[np.ndarray, ...],
) -> list[Tensor]:
    """Clip after clip: a slice, its edges repeated where it sticks out, mirrored if its number asks for it.

    Args:
        arrays: (N, J, C) each, the last of them 3D, whose root is set to the origin.
        windows: those of each array, one frame apart; numbers beyond them mean mirror images.
        batch: what is written to, (B, T, J, C) each; of float64 in public code, which turns it into float32 tensors.
    """
    left = [joint for joint, other in enumerate(flip) if joint != other]
    right = [flip[joint] for joint in left]
    for array, own, clips in zip(arrays, windows, batch, strict=True):
        for number, clip in zip(numbers, clips, strict=True):
            row = number % len(own)
            start, first, last = own.starts[row], own.first[row], own.last[row]
            low, high = max(start, first), min(start + own.length - 1, last)
            before, after = low - start, start + own.length - 1 - high
            part = array[low : high + 1]
            clip[:] = np.pad(part, ((before, after), (0, 0), (0, 0)), "edge") if before or after else part
            if number >= len(own):
                clip[:, :, 0] *= -1
                clip[:, left] = clip[:, right]
    batch[-1][:, :, root] = 0
    return [torch.from_numpy(clips.astype(np.float32)) for clips in batch]
