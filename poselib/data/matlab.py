"""Reading MATLAB files from strangers: v5 by scipy, v7.3 by h5py; numbers and cells, nothing outside the file."""

import struct
import zlib
from pathlib import Path

import h5py
import numpy as np
from scipy.io import loadmat

from poselib.data.hdf5 import read_arrays
from poselib.errors import InputError
from poselib.files import check_unpacked

_HEADER, _COMPRESSED = 128, 15


def read_mat(path: str | Path, *keys: str) -> dict[str, np.ndarray]:
    """The named variables of a MATLAB file, axes in MATLAB's order; a cell array is an array of objects.

    Raises:
        InputError: missing or damaged file, missing variable, more than 8 GiB unpacked, or a variable that lies in
            another file.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; data/README.md says where it comes from")
    try:
        found = _read_hdf5(path, keys) if h5py.is_hdf5(path) else _read_v5(path, keys)
    except InputError:
        raise
    except Exception as error:  # both libraries raise whatever a damaged byte leads them to
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: damaged or not a MATLAB file ({reason}); get it again") from error
    if missing := [key for key in keys if key not in found]:
        raise InputError(f"{path}: has no variable {missing[0]!r}; use the annotation file of the data set")
    return found


def _read_hdf5(path: Path, keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {key: array.T for key, array in read_arrays(file, path, keys).items()}


def _read_v5(path: Path, keys: tuple[str, ...]) -> dict[str, np.ndarray]:
    with path.open("rb") as file:
        file.seek(_HEADER)
        unpacked = 0
        while len(tag := file.read(8)) == 8:
            kind, left = struct.unpack("<II", tag)
            stream = zlib.decompressobj()
            while left and (chunk := file.read(min(left, 2**14))):
                left -= len(chunk)
                unpacked += len(stream.decompress(chunk)) if kind == _COMPRESSED else len(chunk)
                check_unpacked(path, unpacked)
    return loadmat(path, variable_names=keys)
