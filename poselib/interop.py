"""Weights under the authors' parameter names: read their checkpoints strictly, write ours for their code."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor, nn

from poselib.checkpoints import read_untrusted
from poselib.errors import InputError
from poselib.models import build

# Ours -> theirs, as regular expressions applied in order.
_MIXSTE_NAMES = (
    (r"^embedding\.", "Spatial_patch_to_embedding."),
    (r"^spatial_position$", "Spatial_pos_embed"),
    (r"^temporal_position$", "Temporal_pos_embed"),
    (r"^spatial_blocks\.", "STEblocks."),
    (r"^temporal_blocks\.", "TTEblocks."),
    (r"^spatial_norm\.", "Spatial_norm."),
    (r"^temporal_norm\.", "Temporal_norm."),
    (r"\.attention\.", ".attn."),
)


def _mixste_shape(state: Mapping[str, Tensor]) -> dict[str, int]:
    """What a MixSTE state dict says about its own size; heads are not visible in it."""
    return {
        "frames": state["Temporal_pos_embed"].shape[1],
        "joints": state["Spatial_pos_embed"].shape[1],
        "in_channels": state["Spatial_patch_to_embedding.weight"].shape[1],
        "dim": state["Spatial_patch_to_embedding.weight"].shape[0],
        "depth": 1 + max(int(key.split(".")[1]) for key in state if key.startswith("STEblocks.")),
    }


_NAMES = {"mixste": _MIXSTE_NAMES}
_SHAPES: dict[str, Callable[[Mapping[str, Tensor]], dict[str, int]]] = {"mixste": _mixste_shape}
# Where the authors' training scripts put the weights inside their checkpoint files.
_WRAPPING_KEYS = ("model_pos",)


def from_official(name: str, source: str | Path | Mapping[str, Tensor], **config) -> nn.Module:
    """Our module with the authors' weights, loaded strictly, in evaluation mode.

    Args:
        name: model name, see `poselib.models.build`.
        source: the authors' checkpoint file, or a state dict under their names; a leading `module.` is dropped.
        config: settings the weights do not show, or an expectation that they must meet.

    Raises:
        InputError: unreadable file, or names and shapes that differ; the message lists them.
    """
    if name not in _NAMES:
        raise InputError(f"no published weights are known for model {name!r}; known: {', '.join(_NAMES)}")
    label = str(source) if isinstance(source, (str, Path)) else "state dict"
    state = read_untrusted(source) if isinstance(source, (str, Path)) else source
    for key in _WRAPPING_KEYS:
        state = state.get(key, state)
    state = {key.removeprefix("module."): value for key, value in state.items()}
    try:
        model = build(name, **{**_SHAPES[name](state), **config})
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{label}: not a {name} checkpoint, parameter {error} is missing or misshaped") from error
    theirs = {theirs: ours for ours, theirs in _renamed(model)}
    _refuse_mismatch(label, state, {key: model.state_dict()[ours] for key, ours in theirs.items()})
    model.load_state_dict({theirs[key]: value for key, value in state.items()}, strict=True)
    return model.eval()


def to_official(model: nn.Module) -> dict[str, Tensor]:
    """The model's weights under the authors' parameter names; inverse of `from_official`."""
    state = model.state_dict()
    return {theirs: state[ours] for ours, theirs in _renamed(model)}


def _renamed(model: nn.Module) -> list[tuple[str, str]]:
    name = type(model).__name__.lower()
    if name not in _NAMES:
        raise InputError(f"no published parameter names are known for {type(model).__name__}")
    pairs = []
    for ours in model.state_dict():
        theirs = ours
        for pattern, replacement in _NAMES[name]:
            theirs = re.sub(pattern, replacement, theirs)
        pairs.append((ours, theirs))
    return pairs


def _refuse_mismatch(label: str, found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    missing, unexpected = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    misshaped = [
        f"{key} is {tuple(found[key].shape)}, not {tuple(expected[key].shape)}"
        for key in sorted(expected.keys() & found.keys())
        if found[key].shape != expected[key].shape
    ]
    faults = [
        f"{what}: {', '.join(keys[:5])}{' and more' if len(keys) > 5 else ''}"
        for what, keys in (("missing", missing), ("unexpected", unexpected), ("misshaped", misshaped))
        if keys
    ]
    if faults:
        raise InputError(f"{label}: weights do not fit the model; {'; '.join(faults)}")
