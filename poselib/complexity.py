"""What a model costs: parameters, multiply-accumulates and training memory by counting, time and memory by running."""

import copy
import platform
import statistics
import time
from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True)
class Cost:
    """Cost of one forward pass; MACs are multiply-accumulates, one of which is two FLOPs.

    The spatial share is that of the layers below a model's attributes called spatial..., which work within a frame.
    """

    parameters: int
    linear_macs: int
    attention_macs: int
    norm_elements: int
    spatial_linear_macs: int
    spatial_attention_macs: int
    clip_frames: int
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
    def flops_per_frame(self) -> float:
        """The full cost per pose that comes out, two FLOPs per MAC; what the conventions below fall short of."""
        return 2 * self.macs_per_frame

    @property
    def flops_as_tmt(self) -> int:
        """TMT's convention (Table 4): a profiler that adds 4 per LayerNorm element and overlooks attention products.

        Two FLOPs per counted MAC, for the whole clip (D-10).
        """
        return 2 * (self.linear_macs + 4 * self.norm_elements)

    @property
    def flops_per_frame_as_mixste(self) -> float:
        """MixSTE's convention for itself (Tables 5 and 8): spatial linear layers counted for one frame of a clip only.

        Two FLOPs per MAC, per pose that comes out; attention products of every frame count. 645 M at T = 243 is met;
        for PoseFormer the same count gives 1605 M instead of the 1593 M printed beside it.
        """
        return 2 * (self.macs - self._beyond_one_frame(self.spatial_linear_macs)) / self.output_frames

    @property
    def flops_per_frame_as_mixste_for_poseformer(self) -> float:
        """MixSTE's convention for PoseFormer (Table 8): all of the spatial blocks counted for one frame of a clip only.

        Two FLOPs per MAC, per pose that comes out. 1593 M at T = 81 is met; for MixSTE the same count gives 641 M
        instead of 645 M.
        """
        spatial = self.spatial_linear_macs + self.spatial_attention_macs
        return 2 * (self.macs - self._beyond_one_frame(spatial)) / self.output_frames

    def _beyond_one_frame(self, macs: int) -> int:
        return macs // self.clip_frames * (self.clip_frames - 1)


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
    totals = Counter()
    for name, layer in model.named_modules():
        _add_hook(layer, totals, name.startswith("spatial"))
    with torch.inference_mode():
        output = model(torch.empty(inputs.shape, device="meta"), **more)
    return Cost(
        parameters=_parameters(model),
        linear_macs=totals["linear"],
        attention_macs=totals["attention"],
        norm_elements=totals["norm"],
        spatial_linear_macs=totals["spatial linear"],
        spatial_attention_macs=totals["spatial attention"],
        clip_frames=inputs.shape[1],
        output_frames=output.shape[0] * output.shape[1],
    )


def _add_hook(layer: nn.Module, totals: Counter, spatial: bool) -> None:
    def add(layer: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
        if hasattr(layer, "own_macs"):
            kind, amount = "attention", layer.own_macs(*arguments)
        elif isinstance(layer, nn.LayerNorm):
            kind, amount = "norm", output.numel()
        else:
            kind, amount = "linear", layer.weight[0].numel() * output.numel()
        totals[kind] += amount
        if spatial:
            totals[f"spatial {kind}"] += amount

    if hasattr(layer, "own_macs") or isinstance(layer, (nn.Linear, nn.Conv1d, nn.Conv2d, nn.LayerNorm)):
        layer.register_forward_hook(add)


def _parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def traced_macs(model: nn.Module, inputs: Tensor, **more) -> int:
    """MACs of a forward pass as torch's own counter sees them; agrees with `count(...).macs`."""
    model = copy.deepcopy(model).to("meta").eval()
    # Fused attention is counted on the meta device only.
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(torch.empty(inputs.shape, device="meta"), **more)
    return counter.get_total_flops() // 2


def training_bytes(model: nn.Module, inputs: Tensor) -> int:
    """Memory of a training step in float32, estimated without computing it.

    Weights, gradients, the two moments of AdamW, and every tensor that the backward pass keeps, attention maps
    included, as the papers' own code computes them. Fused attention keeps less; what lives only inside an operation is
    left out.

    Args:
        inputs: (B, T, J, C), any device; only its shape matters.
    """
    model = copy.deepcopy(model).to("meta").train()
    weights = {parameter.untyped_storage()._cdata for parameter in model.parameters()}
    kept = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in weights:
            kept[storage._cdata] = storage  # held, so that no later storage takes its place and number
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        model(torch.empty(inputs.shape, device="meta"))
    return 4 * 4 * _parameters(model) + sum(storage.nbytes() for storage in kept.values())


@dataclass(frozen=True)
class Timing:
    """A pass on this machine: median seconds, and the most memory it held, None on a CPU, which keeps no such count."""

    seconds: float
    peak_bytes: int | None


def machine(gpu: bool = True) -> str:
    """What a timing was taken on, to stand beside it; without `gpu`, of what leaves a GPU alone."""
    if gpu and torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    return f"{platform.machine()} CPU, {torch.get_num_threads()} thread(s), torch {torch.__version__}"


def measure(model: nn.Module, inputs: Tensor, *, training: bool = False, repeats: int = 5, **more) -> Timing:
    """Run a copy of the model where it is, once to warm up, then `repeats` times.

    Args:
        inputs: (B, T, J, C), on the model's device.
        training: a forward pass, a backward pass and an AdamW step in place of a forward pass alone.
        more: what else the model's `forward` takes, for example `key_frames`.
    """
    cuda, seconds = inputs.is_cuda, []
    held = torch.cuda.memory_allocated() if cuda else 0
    model = copy.deepcopy(model).train(training)
    optimiser = torch.optim.AdamW(model.parameters())
    for _ in range(1 + repeats):
        if cuda:
            torch.cuda.reset_peak_memory_stats()
            torch.cuda.synchronize()
        started = time.perf_counter()
        with torch.set_grad_enabled(training):
            output = model(inputs, **more)
            if training:
                output.square().mean().backward()
                optimiser.step()
                optimiser.zero_grad()
        if cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    return Timing(statistics.median(seconds[1:]), torch.cuda.max_memory_allocated() - held if cuda else None)
