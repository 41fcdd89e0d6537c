"""Copies of the checkout that have reproduced everything in the smoke profile, made once for all test processes."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What the test runner of these tests tells its processes is not meant for the one that runs notebooks.
OUTSIDE = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
ENVIRONMENT = {**OUTSIDE, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONHASHSEED": "0"}


def run(folder, *command, check=True):
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True)
    assert not check or done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done


def reproduced(shared):
    """Two equal copies in the folder `shared`; whoever comes second waits until they are there."""
    folders, made = (shared / "smoke", shared / "smoke-again"), shared / "smoke.made"
    with (shared / "smoke.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            _reproduce(folders[0])
            shutil.copytree(*folders, symlinks=True)
            made.touch()
    return folders


def _reproduce(folder):
    listed = run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard").stdout.splitlines()
    for name in listed:
        if (ROOT / name).is_file() and not name.startswith("results/") and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    run(folder, "git", "init", "-q")
    run(folder, sys.executable, "-m", "poselib", "select", "--profile", "smoke", "--source", "synthetic")
    text = (folder / "params.yaml").read_text().replace("results: results/smoke-synthetic", "results: results")
    (folder / "params.yaml").write_text(text)
    run(folder, "make", "stages", f"VENV={sys.prefix}")
