"""Whether this machine is fit for the work, a sentence per finding; needs no package, so that it can miss some."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from poselib.errors import InputError

OK, NOTE, PROBLEM = "ok", "note", "problem"
# The oldest Python that will do, also the one that requirements.lock was made with.
PYTHON = (3, 11)
LOCK = "requirements.lock"
INSTALL = f"python -m pip install -r {LOCK}"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "firefox")


@dataclass(frozen=True)
class Finding:
    """One sentence about this machine; level `OK`, `NOTE` or `PROBLEM`, behind which it names the remedy."""

    level: str
    sentence: str


def run(root: Path) -> bool:
    """Print what is found as it is found; whether nothing of it is a problem.

    Raises:
        InputError: requirements.lock is missing, or params.yaml or experiments/ are at fault.
    """
    fit = True
    for finding in findings(root):
        print(f"{finding.level:<9}{finding.sentence}", flush=True)
        fit = fit and finding.level != PROBLEM
    return fit


def findings(root: Path) -> Iterator[Finding]:
    """What is installed, then what is measured, the quickest first."""
    yield python(sys.version_info[:3])
    yield from packages(root)
    yield from tools()
    try:
        fitness = import_module("poselib.bench.fitness")
    except ImportError as error:
        yield Finding(PROBLEM, f"nothing could be measured ({error}); {INSTALL}")
        return
    yield from fitness.findings(root)


def python(found: tuple[int, int, int]) -> Finding:
    """Whether this version of Python will do."""
    needed, name = ".".join(map(str, PYTHON)), f"Python {'.'.join(map(str, found))}"
    if found < PYTHON:
        return Finding(PROBLEM, f"{name} is too old; install Python {needed}")
    if found[:2] > PYTHON:
        return Finding(
            NOTE, f"{name} is newer than the {needed} of {LOCK}; where a package fails, take Python {needed}"
        )
    return Finding(OK, f"{name} is the version of {LOCK}")


def packages(root: Path) -> Iterator[Finding]:
    """Installed versions against requirements.lock; a build such as 2.13.0+cu128 counts as 2.13.0.

    Raises:
        InputError: there is no such file.
    """
    if not (root / LOCK).is_file():
        raise InputError(f"{root / LOCK}: no such file; run 'git checkout {LOCK}'")
    lines = [line.strip() for line in (root / LOCK).read_text().splitlines()]
    pins = dict(line.split("==") for line in lines if line and not line.startswith("#"))
    found = {name: _installed(name) for name in pins}
    missing = [name for name in pins if found[name] is None]
    others = [name for name in pins if found[name] and found[name].partition("+")[0] != pins[name]]
    if missing:
        yield Finding(PROBLEM, f"{len(missing)} of {len(pins)} packages are missing: {', '.join(missing)}; {INSTALL}")
    if others:
        listed = ", ".join(f"{name} {found[name]} instead of {pins[name]}" for name in others)
        yield Finding(
            NOTE, f"{len(others)} of {len(pins)} packages differ, and so may last digits: {listed}; {INSTALL}"
        )
    if not missing and not others:
        yield Finding(OK, f"all {len(pins)} packages have the versions of {LOCK}")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def tools() -> Iterator[Finding]:
    """The programs that are called by name."""
    for names, level, absent in (
        (("git",), PROBLEM, "records name the commit they come from; install git"),
        (("dvc",), PROBLEM, "nothing can be reproduced; run 'make env' and put .venv/bin on the PATH"),
        (("make",), NOTE, "install it, or give the commands in the Makefile by hand"),
        (BROWSERS, NOTE, "JupyterLab and the pages of results need one, here or on another machine; install one"),
    ):
        path = next(filter(None, map(shutil.which, names)), None)
        called = "a browser" if names is BROWSERS else names[0]
        yield Finding(OK, f"{called} is {path}") if path else Finding(level, f"{called} is not on the PATH: {absent}")
