"""`.npz` files with nested dictionaries, from strangers: bounded, read in place, never unpacked to disk."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from poselib.data.unpickling import ArrayUnpickler, RefusedError
from poselib.errors import InputError
from poselib.files import check_unpacked, whole_file


def read_npz(path: str | Path, *keys: str) -> dict[str, Any]:
    """The named entries of an `.npz` file; object arrays of one element are unwrapped to the object they hold.

    Raises:
        InputError: missing or truncated file, missing entry, an entry that is there twice or called like a place in a
            folder, more than 8 GiB unpacked, or an entry that holds or does anything but arrays, numbers, strings and
            plain containers.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file; data/README.md says where it comes from")
    label = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive, keys)
            content = {}
            for key in keys:
                label = f"{path}, {key}"
                content[key] = _read_member(archive, f"{key}.npy")
            return content
    except RefusedError as error:
        raise InputError(f"{label}: refused, since it {error}; get the file from its source") from error
    except InputError:
        raise
    except Exception as error:  # zipfile, zlib, numpy and pickle raise whatever a damaged byte leads them to
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise InputError(f"{label}: damaged or not an .npz file ({reason}); get it again") from error


def write_objects(path: Path, **objects: Any) -> None:
    """Write nested dictionaries as object arrays, as the public scripts do; the file appears whole or not at all."""
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **{key: np.array(value, dtype=object) for key, value in objects.items()})


def _check_members(path: Path, archive: zipfile.ZipFile, keys: tuple[str, ...]) -> None:
    check_unpacked(path, sum(member.file_size for member in archive.infolist()))
    names = [name.removesuffix(".npy") for name in archive.namelist()]
    if odd := [name for name in names if "/" in name or "\\" in name or names.count(name) > 1]:
        raise InputError(f"{path}: its entry {odd[0]!r} is a path or there twice; get the file from its source")
    if missing := [key for key in keys if key not in names]:
        raise InputError(f"{path}: has no entry {missing[0]!r}, only {', '.join(names) or 'none'}; convert it again")


def _read_member(archive: zipfile.ZipFile, name: str) -> Any:
    # The stream ends where the archive says that the entry does, so that no entry is larger than it claims.
    with archive.open(name) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(stream)
        if not dtype.hasobject:
            stream.seek(0)
            return np.lib.format.read_array(stream, allow_pickle=False)
        array = ArrayUnpickler(stream, encoding="latin1").load()
    if not isinstance(array, np.ndarray) or array.shape != shape:
        raise ValueError("object array does not fit its header")
    return array.item() if array.size == 1 else array
