"""Keras weight files (HDF5), read as plain arrays; nothing in a file is executed."""

from collections.abc import Mapping
from pathlib import Path

import h5py
import torch
from torch import Tensor

from poselib.data.hdf5 import own, read_arrays
from poselib.errors import InputError
from poselib.files import whole_file


def read(path: str | Path) -> dict[str, Tensor]:
    """Arrays of a file by 'layer/number', the number being the place within the layer.

    The names of the arrays themselves are counters of the process that wrote them, and are not used.

    Raises:
        InputError: missing or damaged file, one that is not of Keras' weights, an array that lies in another file, or
            more than 8 GiB in all.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such weight file; download it again")
    try:
        with h5py.File(path, "r") as file:
            places = {
                f"{layer}/{number}": f"{layer}/{name}"
                for layer in _names(file, "layer_names")
                for number, name in enumerate(_names(own(file, path, layer), "weight_names"))
            }
            arrays = read_arrays(file, path, places.values())
            return {name: torch.from_numpy(arrays[place]) for name, place in places.items()}
    except InputError:
        raise
    except Exception as error:  # h5py raises whatever a damaged byte leads it to
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: not a readable Keras weight file ({reason}); download it again") from error


def write(path: str | Path, weights: Mapping[str, Tensor]) -> None:
    """Write arrays named 'layer/number' as Keras does; the file appears whole or not at all."""
    layers: dict[str, list[Tensor]] = {}
    for name, value in weights.items():
        layers.setdefault(name.rsplit("/", 1)[0], []).append(value)
    with whole_file(Path(path)) as partial, h5py.File(partial, "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        for layer, values in layers.items():
            group = file.create_group(layer)
            names = [f"{layer}/weight_{number}:0" for number in range(len(values))]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, values, strict=True):
                group[name] = value.detach().cpu().numpy()


def _names(group: h5py.Group, attribute: str) -> list[str]:
    return [name.decode() if isinstance(name, bytes) else str(name) for name in group.attrs[attribute]]
