"""FLOPs of a forward pass as TensorFlow's profiler counts them, element-wise work included.

Einfalt et al., "Uplift and Upsample", WACV 2023, Table 4: totals of the profiler's option `float_operation` over a
frozen graph, batch 1 (D-27).
"""

import copy

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from poselib.complexity import traced_macs
from poselib.errors import InputError

aten = torch.ops.aten


def _bias(out: Tensor, inputs: Tensor, weight: Tensor, bias: Tensor | None = None, *rest) -> int:
    return 0 if bias is None else out.numel()


def _attention(out: Tensor, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, *rest) -> int:
    # A logit: its scale 1, softmax 5. A mask m enters as -1e9 (1 - m), once for all heads and queries.
    return 6 * query[..., 0].numel() * key.shape[-2] + (0 if mask is None else 2 * mask.numel())


def _layer_norm(out: Tensor, *rest) -> int:
    # An element: two means 2, squared difference 2, three products, one difference; a row: reciprocal root 2.
    # From an epsilon of 1.001e-5 on Keras would fuse these and leave 1; all lifters here stay below.
    return 8 * out.numel() + 2 * out[..., 0].numel()


def _batch_norm(outs: tuple[Tensor, ...], inputs: Tensor, scale: Tensor, *rest) -> int:
    # Over images Keras fuses it, uncounted; else a product for each element, scale and shift for each channel.
    return 0 if inputs.dim() == 4 else inputs.numel() + 5 * scale.numel()


# Float operations beyond matrix products: what TensorFlow 2.4.3's profiler says of a graph that holds the counterpart
# of the one torch operation, as a Keras user writes it.
COSTS = {
    aten.linear: _bias,
    aten.convolution: _bias,
    aten.scaled_dot_product_attention: _attention,
    aten._softmax: lambda out, *rest: 5 * out.numel(),
    aten.layer_norm: _layer_norm,
    aten._native_batch_norm_legit_no_training: _batch_norm,
    # The error function and the hyperbolic tangent are not counted, only what stands around them.
    aten.gelu: lambda out, inputs, approximate="none": (3 if approximate == "none" else 5) * out.numel(),
    **dict.fromkeys((aten.mul, aten.div, aten.sub), lambda out, *rest, **named: out.numel()),
    aten.mean: lambda out, inputs, *rest, **named: inputs.numel(),
    aten.sum: lambda out, inputs, *rest, **named: inputs.numel() - out.numel(),
    aten.std_mean: lambda out, inputs, *rest, **named: 4 * inputs.numel(),
    # Values x take the places m of a tensor u by x m + u (1 - m). Inferred: TensorFlow's own choice between tensors is
    # free, and 542.53 and 966.13 M would come out in place of the published 542.56 and 966.19 M.
    aten.index_put_: lambda out, inputs, places, *rest: 2 * out.numel() + places[0].numel(),
    # Every n-th token is kept by pooling over windows of one, as in the released code; a plain slice would be free.
    aten.slice: lambda out, inputs, dim=0, start=None, end=None, step=1: out.numel() if step > 1 else 0,
}
# Sums of tensors came onto the profiler's list after 2.4; ReLU never did. Then what moves or makes data, and masks.
# Products are counted elsewhere, and views are free.
FREE = {
    *(aten.add, aten.relu, aten.clone, aten._unsafe_view, aten.constant_pad_nd, aten.cat, aten.index, aten.empty),
    *(aten.any, aten.bitwise_not, aten.bitwise_or, aten._to_copy, aten.mm, aten.bmm),
}


class _ElementWise(TorchDispatchMode):
    """Adds up the `COSTS` of all operations under it."""

    total = 0

    def __torch_dispatch__(self, operation, types, arguments=(), named=None):
        named, packet = named or {}, operation.overloadpacket
        if packet not in COSTS:
            with self:
                out = operation.decompose(*arguments, **named)
            if out is not NotImplemented:
                return out
            if packet not in FREE and not operation.is_view:
                raise InputError(f"float_operations: no cost is known of {operation}; add TensorFlow's to COSTS")
        out = operation(*arguments, **named)
        if packet in COSTS:
            self.total += COSTS[packet](out, *arguments, **named)
        return out


def float_operations(model: nn.Module, inputs: Tensor, **more) -> int:
    """FLOPs of a forward pass in TensorFlow 2.4's count: two per multiply-accumulate, and element-wise work.

    Args:
        inputs: (B, T, J, C), any device; only its shape matters.
        more: what else the model's `forward` takes, for example `key_frames`.

    Raises:
        InputError: the model uses an operation whose cost is not known here.
    """
    products = 2 * traced_macs(model, inputs, **more)
    model, clip = copy.deepcopy(model).to("meta").eval(), torch.empty(inputs.shape, device="meta")
    with torch.inference_mode(), _ElementWise() as element_wise:
        model(clip, **more)
    return products + element_wise.total
