"""Arrays of an HDF5 file from strangers: bounded, and from nowhere but the file itself."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import h5py
import numpy as np

from poselib.errors import InputError
from poselib.files import check_unpacked


def read_arrays(file: h5py.File, path: Path, names: Iterable[str]) -> Mapping[str, np.ndarray]:
    """The arrays of these names, which lead through groups, in the file's order of axes; an absent one is left out.

    Raises:
        InputError: something else than an array in this very file, or more than 8 GiB in all.
    """
    found = {name: item for name in names if (item := own(file, path, name)) is not None}
    for name, item in found.items():
        if not isinstance(item, h5py.Dataset) or item.external or item.is_virtual:
            raise InputError(f"{path}: {name} is not an array in this file; get the file again")
    check_unpacked(path, sum(item.nbytes for item in found.values()))
    return {name: item[()] for name, item in found.items()}


def own(file: h5py.File, path: Path, name: str) -> h5py.Group | h5py.Dataset | None:
    """The group or array of this name, None if there is none.

    Raises:
        InputError: a link leads to it, which could be one into any other file.
    """
    item = file
    for part in filter(None, name.split("/")):
        link = item.get(part, getlink=True) if isinstance(item, h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise InputError(f"{path}: {name} is a link, not an array in this file; get the file again")
        item = item[part]
    return item
