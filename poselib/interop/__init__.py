"""Weights under the authors' parameter names: read their checkpoints strictly, write ours for their code."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from poselib.checkpoints import not_finite
from poselib.errors import InputError
from poselib.files import check_unpacked
from poselib.interop.format import OfficialFormat, State
from poselib.layers.lifter import Lifter
from poselib.models import build

# AMPose's authors released no weights.
KNOWN = ("mixste", "poseformer", "mhformer", "strided_transformer", "uplift_upsample", "gla_gcn")


def from_official(name: str, source: str | Path | State, **config) -> Lifter:
    """Our module with the authors' weights, loaded strictly, in evaluation mode.

    Args:
        name: model name, see `poselib.models.build`.
        source: the authors' checkpoint file, or a state dict under their names; a leading `module.` is dropped.
        config: settings the weights do not show, or an expectation that they must meet.

    Raises:
        InputError: unreadable file, NaN, or names and shapes that differ; the message lists them.
    """
    official = _format(name)
    label = str(source) if isinstance(source, (str, Path)) else "state dict"
    read = official.read(source) if isinstance(source, (str, Path)) else source
    try:
        state = official.unwrapped(read)
        _refuse_odd(label, state)
        shown = official.config_of(state)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        reason = f"parameter {error} is missing or misshaped"
        raise InputError(f"{label}: not a {name} checkpoint, {reason}; use the authors' file for {name}") from error
    # Sizes that the file only claims cost nothing there.
    with torch.device("meta"):
        expected = official.to_theirs(build(name, **{**shown, **config}).state_dict())
    _refuse_mismatch(label, state, expected)
    model = build(name, **{**shown, **config})
    model.load_state_dict(official.to_ours(state, model.state_dict()), strict=True)
    return model.eval()


def to_official(model: Lifter) -> dict[str, Tensor]:
    """The model's weights under the authors' parameter names; inverse of `from_official`."""
    return _format(model.name).to_theirs(model.state_dict())


def _format(name: str) -> OfficialFormat:
    if name not in KNOWN:
        raise InputError(f"no published weights are known for model {name!r}; known: {', '.join(KNOWN)}")
    return import_module(f"poselib.interop.{name}").FORMAT


def _refuse_odd(label: str, state: Mapping[str, Any]) -> None:
    """Only finite numbers, and no more than a file may hold: a tensor can claim to be larger than what is stored."""
    if others := [key for key, value in state.items() if not isinstance(value, Tensor)]:
        raise InputError(f"{label}: {others[0]} is not a tensor; use the authors' file")
    check_unpacked(Path(label), sum(value.numel() * value.element_size() for value in state.values()))
    if broken := not_finite(state):
        raise InputError(f"{label}: NaN or infinity in {broken[0]}; download it again")


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
        raise InputError(f"{label}: weights do not fit, {'; '.join(faults)}; use the file and settings of this model")
