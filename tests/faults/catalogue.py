"""What a fault is, and what must be true of the command that meets it."""

import contextlib
import hashlib
import io
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np

from poselib.__main__ import main

ROOT = Path(__file__).resolve().parent.parent.parent
# The remedy is what follows the last semicolon: what to do, or what there is to choose from.
REMEDIES = (
    "add choose check convert correct cut data/README.md delete divide download fetch fill get give it known leave"
)
REMEDIES += " make multiply name place prepare put rename remove repair run save set split start take train undo use"
REMEDY = re.compile(rf"; ({'|'.join(REMEDIES.split())})\b[^;]*$")
PROGRESS = re.compile(r"\d(video|take|clip) \[|^$")
# What a hostile file would make if anything in it ran.
TRACE = "executed"


class Malice:
    """Makes a folder when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, (TRACE,)


@dataclass(frozen=True)
class Fault:
    """What is done to a good project (`harm`), and what the sentence must hold: the file, the key, what is wrong."""

    harm: Callable[[Path], object]
    file: str
    key: str
    told: str
    command: tuple[str, ...] = ()


def project(folder, role=None, source=None):
    """A checkout with nothing but what the command line reads, in the smoke profile; the role's files go in raw."""
    shutil.copytree(ROOT / "experiments", folder / "experiments")
    text = (ROOT / "params.yaml").read_text().replace("profile: demo", "profile: smoke")
    ours = f"{role}: {{source: synthetic, path: data/raw/synthetic/{role}}}"
    assert role is None or ours in text
    (folder / "params.yaml").write_text(text.replace(ours, f"{role}: {{source: {source}, path: raw}}"))
    (folder / "dvc.yaml").write_text("stages: {}\n")
    (folder / "raw").mkdir()
    return folder / "raw"


def call(folder, *arguments):
    """The command line, in this process: exit code, and what it said on stderr beside its progress bars."""
    said, code = io.StringIO(), 0
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(mock.patch.object(sys, "argv", ["poselib", *arguments]))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.redirect_stderr(said))
        try:
            main()
        except SystemExit as ended:
            code = ended.code
    return code, [line for line in said.getvalue().splitlines() if not PROGRESS.search(line)]


def content(folder):
    """Every file below a folder with a digest of what is in it, and every folder."""
    paths = sorted(folder.rglob("*"))
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None for path in paths}


def is_one_sentence(fault, message):
    assert "\n" not in message and "Traceback" not in message, message
    for part in (fault.file, fault.key, fault.told):
        assert part in message, f"{part!r} is not in: {message}"
    assert REMEDY.search(message), f"no remedy at the end of: {message}"


def rewritten(file, change):
    """A harm that changes the nested entries of an `.npz` file in place."""

    def harm(folder):
        path = folder / "raw" / file
        with np.load(path, allow_pickle=True) as found:
            entries = {key: found[key].item() for key in found.files}
        change(entries)
        np.savez(path, **{key: as_object(value) for key, value in entries.items()})

    return harm


def as_object(value):
    return np.array(value, dtype=object)


def with_nan(array, value=float("nan")):
    array = array.astype(float)
    array[3, 2, 1] = value
    return array
