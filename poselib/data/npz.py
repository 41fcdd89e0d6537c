"""`.npz` files with nested dictionaries; strangers' pass an unpickler that admits arrays and containers only."""

import io
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from poselib.errors import InputError

# The largest real file, the detections of all of Human3.6M, unpacks to about 0.3 GB.
UNPACKED_LIMIT = 8 * 2**30

_ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"asks for {module}.{name}")
        return super().find_class(module, name)


def read_npz(path: str | Path, *keys: str) -> dict[str, Any]:
    """The named entries of an `.npz` file; object arrays of one element are unwrapped to the object they hold.

    Raises:
        InputError: missing or truncated file, missing entry, more than 8 GiB unpacked, or an entry that holds or does
            anything but arrays, numbers, strings and plain containers.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; data/README.md says where it comes from")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(member.file_size for member in archive.infolist()) > UNPACKED_LIMIT:
                raise InputError(f"{path}: unpacks to more than {UNPACKED_LIMIT >> 30} GiB; not a pose file")
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            if missing := [key for key in keys if key not in names]:
                raise InputError(f"{path}: has no entry {missing[0]!r}, only {', '.join(names) or 'none'}")
            return {key: _read_member(archive.read(f"{key}.npy")) for key in keys}
    except pickle.UnpicklingError as error:
        raise InputError(f"{path}: refused, since it {error}; only arrays and plain containers are read") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, KeyError, IndexError) as error:
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())[:120]
        raise InputError(f"{path}: damaged or not an .npz file ({reason}); get it again") from error
    except (TypeError, AttributeError, ImportError, MemoryError, OverflowError, RuntimeError) as error:
        raise InputError(f"{path}: damaged object array ({type(error).__name__}); get it again") from error


def write_objects(path: Path, **objects: Any) -> None:
    """Write nested dictionaries as object arrays, as the public scripts do; the file appears whole or not at all."""
    partial = path.with_name(path.name + ".partial.npz")
    np.savez_compressed(partial, **{key: np.array(value, dtype=object) for key, value in objects.items()})
    partial.replace(path)


def _read_member(content: bytes) -> Any:
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    if not dtype.hasobject:
        stream.seek(0)
        return np.lib.format.read_array(stream, allow_pickle=False)
    array = _ArrayUnpickler(stream, encoding="latin1").load()
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise ValueError("object array does not fit its header")
    return array.item() if array.size == 1 else array
