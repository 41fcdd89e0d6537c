"""Files and folders that appear whole or not at all, and the bound of what others may unpack to."""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from poselib.errors import InputError

# The largest real file, the detections of all of Human3.6M, unpacks to about 0.3 GB.
UNPACKED_LIMIT = 8 * 2**30
# What a process that was killed may take to be gone.
PATIENCE_S = 10.0
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def check_unpacked(path: Path, size: int) -> None:
    """Refuse a file that unpacks to so many bytes, if they are too many.

    Raises:
        InputError: more than 8 GiB.
    """
    if size > UNPACKED_LIMIT:
        raise InputError(f"{path}: unpacks to more than {UNPACKED_LIMIT >> 30} GiB; use the data set's own file")


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep other processes from holding `path`, until the block is left or this process ends, however it ends.

    Raises:
        InputError: another process holds it and goes on, or its file system keeps no locks.
    """
    import fcntl  # there is none on Windows, which can read all the same

    lock, ends = path.with_name(path.name + ".lock.partial"), time.monotonic() + PATIENCE_S
    lock.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > ends:
                    raise InputError(f"{path}: another process is writing it; give the command after that") from error
                time.sleep(0.05)
                continue
            except OSError as error:
                raise InputError(f"{path}: no lock here ({error.strerror}); place the project elsewhere") from error
            # Who held it before may have removed the file that was waited for.
            if not _is_open(lock, file.fileno()):
                continue
            try:
                yield
            finally:
                lock.unlink()
            return


def _is_open(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextmanager
def room_for(path: Path) -> Iterator[None]:
    """Say in one sentence that what is written for `path` finds no room.

    Raises:
        InputError: the disk or the quota is full, or the file larger than is allowed.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise InputError(f"{path}: {error.strerror}; make room and give the command again") from error


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file to be written that then takes the place of `path`; if that fails, nothing of it stays.

    A kill leaves the old content or the new, and two processes that write the file do so one after the other.

    Raises:
        InputError: there is no room on the disk, or another process does not end writing the file.
    """
    partial = path.with_name(path.name + ".partial")
    with room_for(path), held(path):
        try:
            yield partial
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text file; see `whole_file`."""
    with whole_file(path) as partial:
        partial.write_text(text)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `folder` once it is filled; see `whole_file`."""
    partial, old = (folder.with_name(folder.name + suffix) for suffix in (".partial", ".old.partial"))
    with room_for(folder), held(folder):
        for left in (partial, old):
            shutil.rmtree(left, ignore_errors=True)
        partial.mkdir()
        try:
            yield partial
            if folder.exists():
                folder.replace(old)
            partial.replace(folder)
        finally:
            for left in (partial, old):
                shutil.rmtree(left, ignore_errors=True)
