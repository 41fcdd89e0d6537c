"""The fast path of large networks: their blocks in bf16, and less of each kept for the backward pass.

A setting of a run, not of a model: weights, their updates and the stream between blocks stay float32, and so do the
layers that read and write coordinates, where rounding to bf16 would be seen in millimetres.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import CheckpointPolicy, checkpoint, create_selective_checkpoint_contexts

from poselib.errors import InputError
from poselib.layers.lifter import Lifter

# Narrower blocks, and inputs of fewer numbers, are faster as they are.
LEAST_WIDTH = 128
LEAST_NUMBERS = 2**17
PRODUCTS = frozenset(getattr(torch.ops.aten, name).default for name in ("mm", "addmm", "bmm", "baddbmm", "convolution"))


def cpu_has_bfloat16() -> bool:
    """Whether the CPU has instructions for bf16; without, a product takes hundreds of times as long as in float32."""
    return any(has and name.endswith("bf16") for name, has in torch.cpu.get_capabilities().items())


def check_device(device: str) -> None:
    """Refuse a training in bf16 where it would never end.

    Raises:
        InputError: device "cpu", without instructions for bf16.
    """
    if device == "cpu" and not cpu_has_bfloat16():
        reason = "this CPU has no instructions for bfloat16"
        raise InputError(f"params.yaml, precision: {reason}; choose a profile without it, or a machine with a GPU")


def in_bfloat16(model: Lifter) -> Lifter:
    """The model itself, whose wide blocks run in bf16 from now on, if it names any; the others run as before.

    In training a block keeps the results of its matrix products and computes what lies between them again. Where
    attention maps are asked for, a block runs in float32.
    """
    for block in model.modules():
        if isinstance(block, model.half_precision_blocks) and _width(block) >= LEAST_WIDTH:
            block.forward = partial(_run, block)
            for layer in block.modules():
                if isinstance(layer, nn.LayerNorm):
                    layer.register_forward_pre_hook(_round)
    return model


def _width(block: nn.Module) -> int:
    return next(layer.in_features for layer in block.modules() if isinstance(layer, nn.Linear))


def _round(layer: nn.Module, arguments: tuple[Tensor]) -> tuple[Tensor] | None:
    # In inference what a norm gives is only read by products, which round it: rounded before, it moves half the bytes.
    # On a GPU autocast normalises in float32.
    fast = torch.is_autocast_enabled("cpu") and not torch.is_grad_enabled()
    return (arguments[0].bfloat16(),) if fast else None


def _run(block: nn.Module, tokens: Tensor | list[Tensor], *more) -> Tensor | list[Tensor]:
    forward, device = partial(type(block).forward, block), next(block.parameters()).device.type
    arguments, maps = (tokens, *more), more[0] if more else None
    few = (tokens[0] if isinstance(tokens, list) else tokens).numel() < LEAST_NUMBERS
    # Nothing is computed on the meta device, where costs are counted.
    if maps is not None or few or device == "meta":
        return forward(*arguments)
    # With buffers, a second pass could move statistics twice.
    if not torch.is_grad_enabled() or any(True for _ in block.buffers()):
        return _autocast(device, forward, arguments)
    return checkpoint(_autocast, device, forward, arguments, use_reentrant=False, context_fn=_products_kept)


def _autocast(device: str, forward: Callable, arguments: tuple) -> Tensor | list[Tensor]:
    with torch.autocast(device, torch.bfloat16):
        output = forward(*arguments)
    return output if isinstance(output, list) else output.float()


def _products_kept():
    return create_selective_checkpoint_contexts(_policy)


def _policy(context, operation, *arguments, **named) -> CheckpointPolicy:
    return CheckpointPolicy.MUST_SAVE if operation in PRODUCTS else CheckpointPolicy.PREFER_RECOMPUTE
