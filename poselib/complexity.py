"""What a model costs: parameters and multiply-accumulates, counted from the layers and by tracing."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Cost:
    """Cost of one forward pass; MACs are multiply-accumulates, one of which is two FLOPs."""

    parameters: int
    linear_macs: int
    attention_macs: int
    norm_elements: int
    output_frames: int

    @property
    def macs(self) -> int:
        """All matrix products of one forward pass."""
        return self.linear_macs + self.attention_macs

    @property
    def macs_per_frame(self) -> float:
        """MACs per pose that comes out."""
        return self.macs / self.output_frames

    @property
    def flops_as_tmt(self) -> int:
        """TMT's convention (Table 4): a profiler that adds 4 per LayerNorm element and overlooks attention products.

        Two FLOPs per counted MAC, for the whole clip (D-10).
        """
        return 2 * (self.linear_macs + 4 * self.norm_elements)


def count(model: nn.Module, inputs: Tensor, **more) -> Cost:
    """Count a forward pass layer by layer, without computing it.

    Linear and convolution layers are known here; a layer with products of its own, such as attention, says so by a
    method `own_macs(*arguments)`.

    Args:
        inputs: (B, T, J, C), any device; only its shape matters.
        more: what else the model's `forward` takes, for example `key_frames`.

    Returns:
        The cost of a pass over these inputs, the batch included.
    """
    model = copy.deepcopy(model).to("meta").eval()
    totals = {"linear": 0, "attention": 0, "norm": 0}

    def on_linear(layer: nn.Linear, _, output: Tensor) -> None:
        totals["linear"] += layer.in_features * output.numel()

    def on_convolution(layer: nn.Conv1d | nn.Conv2d, _, output: Tensor) -> None:
        totals["linear"] += layer.weight[0].numel() * output.numel()

    def on_norm(_, __, output: Tensor) -> None:
        totals["norm"] += output.numel()

    def on_own(layer: nn.Module, arguments: tuple[Tensor, ...], _) -> None:
        totals["attention"] += layer.own_macs(*arguments)

    hooks = (
        (nn.Linear, on_linear),
        ((nn.Conv1d, nn.Conv2d), on_convolution),
        (nn.LayerNorm, on_norm),
    )
    for layer in model.modules():
        for kind, hook in hooks:
            if isinstance(layer, kind):
                layer.register_forward_hook(hook)
        if hasattr(layer, "own_macs"):
            layer.register_forward_hook(on_own)
    with torch.inference_mode():
        output = model(torch.empty(inputs.shape, device="meta"), **more)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    frames = output.shape[0] * output.shape[1]
    return Cost(parameters, totals["linear"], totals["attention"], totals["norm"], frames)


def traced_macs(model: nn.Module, inputs: Tensor, **more) -> int:
    """MACs of a forward pass as torch's own counter sees them; agrees with `count(...).macs`."""
    model = copy.deepcopy(model).to("meta").eval()
    # Fused attention is counted on the meta device only.
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(torch.empty(inputs.shape, device="meta"), **more)
    return counter.get_total_flops() // 2
