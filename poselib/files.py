"""Files and folders that appear whole or not at all, and the bound of what others may unpack to."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from poselib.errors import InputError

# The largest real file, the detections of all of Human3.6M, unpacks to about 0.3 GB.
UNPACKED_LIMIT = 8 * 2**30


def check_unpacked(path: Path, size: int) -> None:
    """Refuse a file that unpacks to so many bytes, if they are too many.

    Raises:
        InputError: more than 8 GiB.
    """
    if size > UNPACKED_LIMIT:
        raise InputError(f"{path}: unpacks to more than {UNPACKED_LIMIT >> 30} GiB; use the data set's own file")


def write_whole(path: Path, text: str) -> None:
    """Write a text file by way of a partial one beside it, so that a kill leaves the old content or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    partial.replace(path)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `folder` once it is filled; if that fails, nothing of it stays."""
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(folder, ignore_errors=True)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
