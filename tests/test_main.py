"""Bad input from outside ends in one sentence and exit code 2, whatever the door it comes through."""

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


class Malice:
    def __reduce__(self):
        return (exec, ("open('executed', 'w')",))


def cut(folder):
    path = folder / POSITIONS_FILE
    path.write_bytes(path.read_bytes()[:-40])


def hostile(folder):
    np.savez(folder / POSITIONS_FILE, positions_3d=np.array({"S1": Malice()}, dtype=object))


def changed(file, change):
    """A fault that rewrites the walk of S1 in one file."""

    def harm(folder):
        with np.load(folder / file, allow_pickle=True) as content:
            entries = {key: content[key].item() for key in content.files}
        recordings = next(iter(entries.values()))["S1"]
        recordings["Walking"] = change(recordings["Walking"])
        np.savez(folder / file, **{key: np.array(value, dtype=object) for key, value in entries.items()})

    return harm


def with_nan(array):
    array = array.copy()
    array[7, 3, 1] = np.nan
    return array


GT = DETECTION_FILES["gt"]
FAULTS = {
    "missing": (lambda folder: (folder / POSITIONS_FILE).unlink(), "no such file"),
    "truncated": (cut, "damaged or not an .npz file"),
    "hostile": (hostile, "refused"),
    "joints": (changed(POSITIONS_FILE, lambda a: a[:, :17]), "17 joints, expected 32"),
    "millimetres": (changed(POSITIONS_FILE, lambda a: 1000 * a), "divide by 1000"),
    "nan": (changed(POSITIONS_FILE, with_nan), "NaN or infinity in frame 7"),
    "normalised": (changed(GT, lambda views: [v / 1000 for v in views]), "look normalised"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_bad_files_leave_the_prepared_set_alone(project, fault):
    folder = project / "data/prepared/h36m"
    folder.mkdir(parents=True)
    (folder / "set.json").write_text("the old set")
    harm, message = FAULTS[fault]
    harm(project / "raw")
    refuses(call(project, "prepare", "h36m"), message)
    assert [path.name for path in folder.iterdir()] == ["set.json"]
    assert (folder / "set.json").read_text() == "the old set" and not (project / "executed").exists()


def test_a_check_says_what_is_missing_and_writes_nothing(project):
    refuses(call(project, "prepare", "humaneva", "--check"), "data_2d_humaneva15_gt.npz: no such file; data/README.md")
    refuses(call(project, "prepare", "h36m", "--check"), "5 of 5 parts are incomplete, there are 120 of 248376 frames")
    assert not (project / "data").exists()


def test_a_corrupt_checkpoint(project):
    assert call(project, "prepare", "h36m").returncode == 0
    folder = project / "checkpoints/mixste_t243_gt"
    folder.mkdir(parents=True)
    (folder / "seed0.safetensors").write_bytes(b"\x10\x00\x00\x00garbage")
    refuses(call(project, "evaluate", "mixste_t243_gt"), "seed0.safetensors: not a readable poselib checkpoint")


ASF = """:units
 length 0.45
 angle deg
:root
 order TX TY TZ RX RY RZ
 axis XYZ
 position 0 0 0
 orientation 0 0 0
:bonedata
 begin
  id 1
  name lfemur
  direction 0 -1 0
  length 7
  axis 0 0 0 XYZ
  dof rx
 end
:hierarchy
 begin
  root lfemur
 end
"""
MALFORMED = {
    "bvh": ("HIERARCHY\nROOT Hips\n{\n OFFSET 0 0\n", "MOTION"),
    "amc": (":FULLY-SPECIFIED\n:DEGREES\n1\nroot 0 0 0 0 0 0\nlfemur 1 2\n", "lfemur"),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_malformed_motion_capture(project, kind):
    content, message = MALFORMED[kind]
    (project / "mocap").mkdir()
    (project / "mocap" / "all.asf").write_text(ASF)
    for i in range(5):
        (project / "mocap" / f"0{i}_01.{kind}").write_text(content)
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("source: human36m, path: raw", "source: cmu, path: mocap"))
    done = call(project, "prepare", "h36m")
    refuses(done, message)
    assert f"_01.{kind}" in done.stderr


def test_an_unknown_experiment_key(project):
    path = project / "experiments/tmt.yaml"
    path.write_text(path.read_text().replace("strategy: tmt,", "stratgy: tmt,", 1))
    refuses(call(project, "train", "tmt_d4_w64_t27_gt"), "stratgy")


def test_training_before_preparing_and_outside_a_checkout(project, tmp_path_factory):
    refuses(call(project, "train", "mixste_t243_gt"), "no prepared set here")
    refuses(call(tmp_path_factory.mktemp("elsewhere"), "train", "x"), "no dvc.yaml")


def test_help_answers_without_torch():
    done = call(ROOT, "--help")
    assert done.returncode == 0 and "prepare" in done.stdout and "Traceback" not in done.stderr
    code = "import sys; sys.argv = ['poselib', '--help']\nfrom poselib.__main__ import app\n"
    code += "try: app()\nexcept SystemExit: pass\nassert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True).returncode == 0
