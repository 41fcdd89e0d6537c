"""Checkpoints: weights, configuration and data fingerprint in one safetensors file; nothing in a file is executed."""

import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised
from torch import Tensor

from poselib.errors import InputError
from poselib.files import check_unpacked, whole_file
from poselib.layers.lifter import Lifter
from poselib.models import build
from poselib.models.refinement import Refined
from poselib.skeleton import Skeleton, convert


def save(path: Path, model: Lifter, metadata: Mapping[str, Any]) -> None:
    """Write weights with everything needed to rebuild the model; the file appears whole or not at all.

    `metadata` holds JSON values: experiment, seed, data fingerprint, metric. The commit stands in the record, which
    names the SHA-256 of this file, so that a commit of anything else leaves the file as it is.
    """
    description = {"model": model.name, "config": asdict(model.config), **metadata}
    description |= {"refined": True} if isinstance(model, Refined) else {}
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    with whole_file(path) as partial:
        partial.write_bytes(serialised(weights, {"poselib": json.dumps(description, sort_keys=True)}))


def load(path: Path, *keys: str) -> tuple[Lifter, dict[str, Any]]:
    """The model in evaluation mode, and the metadata it was saved with, these keys among it.

    Raises:
        InputError: the file is missing, truncated, not one of ours, lacks a key, does not fit its own description, or
            holds NaN or infinity.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint; train the experiment first")
    try:
        with safe_open(path, framework="pt") as file:
            description = json.loads((file.metadata() or {})["poselib"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if missing := sorted(set(keys) - description.keys()):
            raise KeyError(missing[0])
        # Sizes that only the description claims cost nothing there.
        with torch.device("meta"):
            claimed = _described(description).state_dict()
        if unfit := [name for name in {**claimed, **weights} if _shape(claimed, name) != _shape(weights, name)]:
            raise ValueError(f"{unfit[0]} does not fit its description")
        if broken := not_finite(weights):
            raise ValueError(f"NaN or infinity in {broken[0]}")
        model = _described(description)
        model.load_state_dict(weights, strict=True)
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError, RuntimeError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not a readable poselib checkpoint ({reason}); train it again") from error
    return model.eval(), description


def _described(description: Mapping[str, Any]) -> Lifter:
    model = build(description["model"], **description["config"])
    return Refined(model) if description.get("refined") else model


def _shape(weights: Mapping[str, Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(weights[name].shape) if name in weights else None


def not_finite(weights: Mapping[str, Tensor]) -> list[str]:
    """Names of the weights that hold NaN or infinity."""
    return [name for name, value in weights.items() if not torch.isfinite(value).all()]


def transfer(trained: Lifter, model: Lifter, source: Skeleton, target: Skeleton) -> None:
    """Give a model all weights of a trained one of the same kind and size, strictly.

    Where the joints differ, from `source` to `target`, a model with `joint_rows` starts each joint from its namesake.

    Raises:
        InputError: a weight is missing, new or of another shape, or the model knows its joints in other places too.
    """
    weights, own = trained.state_dict(), model.state_dict()
    if source != target:
        if model.joint_rows not in weights:
            raise InputError(f"{model.name} cannot go from {source.name} to {target.name}; start from the same joints")
        rows = weights[model.joint_rows].numpy()
        weights[model.joint_rows] = torch.from_numpy(convert(rows, source, target))
    for name in (*weights, *own):
        shapes = [_shape(part, name) for part in (weights, own)]
        if shapes[0] != shapes[1]:
            raise InputError(
                f"{model.name} cannot start from {trained.name}: {name} is {shapes[0]} there and {shapes[1]} here; "
                "give both experiments the same model and sizes"
            )
    model.load_state_dict(weights)


def read_untrusted(path: str | Path) -> dict[str, Any]:
    """A PyTorch file from a stranger, read without running anything in it.

    Admitted besides tensors and plain containers: numpy's random state, which released checkpoints hold.

    Raises:
        InputError: missing or damaged file, one that asks for any other code, or more than 8 GiB unpacked.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint; download it again")
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                check_unpacked(path, sum(member.file_size for member in archive.infolist()))
        with torch.serialization.safe_globals(_admitted()):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except InputError:
        raise
    except pickle.UnpicklingError as error:
        reason = "it asks to run code or holds unknown objects"
        raise InputError(f"{path}: refused, since {reason}; download it from its authors") from error
    except Exception as error:  # torch raises whatever a damaged byte leads it to
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not a readable PyTorch checkpoint ({reason}); download it again") from error
    if not isinstance(content, Mapping):
        raise InputError(f"{path}: holds a {type(content).__name__}, not a dictionary of weights; download it again")
    return dict(content)


def _admitted() -> list:
    """What pickles of numpy random states ask for; released checkpoints carry one beside the weights."""
    import _codecs

    from numpy.random import _pickle as pickles

    names = [pickles.__randomstate_ctor, pickles.__bit_generator_ctor, _codecs.encode, np.ndarray, np.dtype]
    rebuilt = [np._core.multiarray._reconstruct, type(np.dtype(np.uint32))]
    return names + rebuilt + [np.random.RandomState, np.random.MT19937]
