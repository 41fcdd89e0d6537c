"""How the authors of a model wrote its weights down: names, wrapping, layout."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from poselib.checkpoints import read_untrusted

State = Mapping[str, Tensor]


def blocks_of(state: State, prefix: str) -> int:
    """How many blocks are numbered behind this prefix; never more than there are weights, whatever their numbers."""
    return len({key.removeprefix(prefix).split(".")[0] for key in state if key.startswith(prefix)})


@dataclass(frozen=True)
class OfficialFormat:
    """Released PyTorch weights that hold our tensors under other names.

    `names` are regular expressions, ours to theirs, applied in order. `config_of` tells from their state dict what can
    be told of the model's configuration. `wrapping_keys` are where their files keep the state dict.
    """

    names: tuple[tuple[str, str], ...]
    config_of: Callable[[State], dict[str, Any]]
    wrapping_keys: tuple[str, ...] = ()

    def read(self, path: str | Path) -> State:
        """The state dict in one of their files."""
        return read_untrusted(path)

    def unwrapped(self, state: State) -> dict[str, Tensor]:
        """The state dict without what their training scripts put around it and before its names."""
        for key in self.wrapping_keys:
            state = state.get(key, state)
        return {key.removeprefix("module."): value for key, value in state.items()}

    def to_theirs(self, ours: State) -> dict[str, Tensor]:
        """Our state dict under their names and in their layout."""
        return {self._renamed(name): self._turned(name, value) for name, value in ours.items()}

    def to_ours(self, theirs: State, ours: State) -> dict[str, Tensor]:
        """Their state dict under the names of ours, `ours` being a state dict of the same model."""
        return {name: self._turned(name, theirs[self._renamed(name)]) for name in ours}

    def _renamed(self, name: str) -> str:
        for pattern, replacement in self.names:
            name = re.sub(pattern, replacement, name)
        return name

    def _turned(self, name: str, value: Tensor) -> Tensor:
        """The tensor that we call `name` with its axes in their order, and as well the other way round."""
        return value


@dataclass(frozen=True)
class SplitAttention(OfficialFormat):
    """Weights of code in which query, key and value of an attention layer are three linear layers.

    `names` see each of our joint `qkv` tensors as three, called `query`, `key` and `value`.
    """

    def to_theirs(self, ours: State) -> dict[str, Tensor]:
        """Our state dict under their names and in their layout."""
        return super().to_theirs(_split(ours))

    def to_ours(self, theirs: State, ours: State) -> dict[str, Tensor]:
        """Their state dict under the names of ours."""
        split = super().to_ours(theirs, _split(ours))
        return {
            name: torch.cat([split[part] for part in _parts(name)]) if ".qkv." in name else split[name] for name in ours
        }


def _parts(name: str) -> list[str]:
    return [name.replace(".qkv.", f".{part}.") for part in ("query", "key", "value")]


def _split(ours: State) -> dict[str, Tensor]:
    split = {}
    for name, value in ours.items():
        split.update(zip(_parts(name), value.chunk(3), strict=True) if ".qkv." in name else [(name, value)])
    return split
