"""The command line as a process: original files, wrong calls, help. What may be wrong with files: test_faults.py."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from poselib.data.h36m import DETECTION_FILES, POSITIONS_FILE

ROOT = Path(__file__).resolve().parent.parent


def call(folder, *arguments):
    return subprocess.run([sys.executable, "-m", "poselib", *arguments], cwd=folder, capture_output=True, text=True)


@pytest.fixture
def project(tmp_path):
    """A checkout with nothing but what the command line reads, whose source is a folder of real-form files."""
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    text = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(
        text.replace("source: synthetic, path: data/raw/synthetic/h36m", "source: human36m, path: raw")
    )
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "raw").mkdir()
    world = np.random.default_rng(0).uniform(-0.5, 0.5, (30, 32, 3)).astype(np.float32) + [0, 0, 1]
    subjects = ("S1", "S8", "S9")
    positions = {s: {"Walking": world.astype(np.float32)} for s in subjects}
    points = {s: {"Walking": [np.full((30, 17, 2), 500, np.float32)] * 4} for s in subjects}
    np.savez(tmp_path / "raw" / POSITIONS_FILE, positions_3d=np.array(positions, dtype=object))
    for file in DETECTION_FILES.values():
        metadata = np.array({"num_joints": 17, "keypoints_symmetry": [[], []]}, dtype=object)
        np.savez(tmp_path / "raw" / file, positions_2d=np.array(points, dtype=object), metadata=metadata)
    return tmp_path


def refuses(done, message):
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("poselib: ")]
    assert len(lines) == 1 and message in lines[0], done.stderr
    assert "Traceback" not in done.stderr


def test_files_of_the_original_form_are_prepared(project):
    done = call(project, "prepare", "h36m")
    assert done.returncode == 0, done.stderr
    assert "12 videos" in done.stdout


def test_a_check_says_what_is_missing_and_writes_nothing(project):
    refuses(call(project, "prepare", "humaneva", "--check"), "data_2d_humaneva15_gt.npz: no such file; data/README.md")
    refuses(call(project, "prepare", "h36m", "--check"), "5 of 5 parts are incomplete, there are 120 of 248376 frames")
    assert not (project / "data").exists()


def test_training_before_preparing_and_outside_a_checkout(project, tmp_path_factory):
    refuses(call(project, "train", "mixste_t243_gt"), "no prepared set here")
    refuses(call(tmp_path_factory.mktemp("elsewhere"), "train", "x"), "no dvc.yaml")


def test_help_answers_without_torch():
    done = call(ROOT, "--help")
    assert done.returncode == 0 and "prepare" in done.stdout and "Traceback" not in done.stderr
    code = "import sys; sys.argv = ['poselib', '--help']\nfrom poselib.__main__ import app\n"
    code += "try: app()\nexcept SystemExit: pass\nassert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True).returncode == 0
