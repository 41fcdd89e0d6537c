"""The doctor: every finding has its level, a broken machine its problem, and the figures are measured."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from poselib.bench import fitness
from poselib.experiments import load_parameters
from poselib.stages import doctor
from poselib.stages.doctor import NOTE, OK, PROBLEM, Finding

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def project(tmp_path):
    """What the doctor reads, and a lock that fits what is installed."""
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    for name in ("params.yaml", "dvc.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "requirements.lock").write_text(f"# pins\nnumpy=={version('numpy')}\n")
    return tmp_path


def test_the_command_measures_this_machine_and_fails_where_git_is_missing(project):
    command, environment = [sys.executable, "-m", "poselib", "doctor"], {**os.environ, "PATH": ""}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 11 and {line.split()[0] for line in lines} <= {OK, NOTE, PROBLEM}, done.stderr
    assert done.returncode == 1
    assert [line for line in lines if line.startswith(PROBLEM) and "git is not on the PATH" in line]
    assert [line for line in lines if line.startswith(OK) and "all 1 packages" in line]
    for pattern in (r"bf16 is ([\d.e+-]+) times", r"of 4 frames in ([\d.]+) ms"):
        assert float(re.search(pattern, done.stdout)[1]) > 0


def test_notes_do_not_make_a_machine_unfit(monkeypatch, capsys):
    for levels, fit in (((OK, NOTE), True), ((OK, PROBLEM, OK), False)):
        found = [Finding(level, f"about {number}") for number, level in enumerate(levels)]
        monkeypatch.setattr(doctor, "findings", lambda root, found=found: found)
        assert doctor.run(ROOT) is fit
        assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
            [level, "about", str(number)] for number, level in enumerate(levels)
        ]


def test_packages_that_are_missing_or_other_are_named(project):
    lines = f"no-such-package==1.0\nnumpy==0.1\ntorch=={torch.__version__.partition('+')[0]}\n"
    (project / "requirements.lock").write_text(lines)
    missing, others = doctor.packages(project)
    assert (missing.level, others.level) == (PROBLEM, NOTE)
    assert "1 of 3 packages are missing: no-such-package; python -m pip" in missing.sentence
    assert f"numpy {version('numpy')} instead of 0.1;" in others.sentence
    assert "torch" not in others.sentence


def test_the_doctor_outlives_a_missing_torch(project, monkeypatch):
    monkeypatch.delitem(sys.modules, "poselib.bench.fitness")
    monkeypatch.setitem(sys.modules, "torch", None)
    *_, last = doctor.findings(project)
    assert (last.level, "torch" in last.sentence, doctor.INSTALL in last.sentence) == (PROBLEM, True, True)


def test_python_is_the_one_that_the_project_asks_for():
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert asked == f">={'.'.join(map(str, doctor.PYTHON))}"
    levels = [doctor.python(found).level for found in ((3, 10, 9), (3, 11, 0), (3, 11, 7), (3, 12, 1))]
    assert levels == [PROBLEM, OK, OK, NOTE]


def test_tools_that_are_not_there(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert [finding.level for finding in doctor.tools()] == [PROBLEM, PROBLEM, NOTE, NOTE]


def test_levels_of_what_is_measured():
    levels = [fitness.threads(*pair).level for pair in ((4, 2), (1, 8), (4, 8), (1, 2), (1, 1))]
    assert levels == [NOTE, NOTE, OK, OK, OK]
    slower, faster = fitness.half_precision(1e-3, 4e-3), fitness.half_precision(1e-3, 5e-4)
    assert (slower.level, faster.level) == (NOTE, OK)
    assert "0.25 times" in slower.sentence and "2 times" in faster.sentence
    full, free = fitness.disk("demo", 2 * fitness.GIB, fitness.GIB), fitness.disk("demo", fitness.GIB, 2 * fitness.GIB)
    assert (full.level, free.level) == (PROBLEM, OK)


def test_a_gpu_is_described_and_one_that_torch_does_not_see_is_noted(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(fitness.shutil, "which", lambda name: None)
    assert [fitness.gpu(profile).level for profile in ("demo", "paper", "gpu")] == [OK, NOTE, NOTE]
    monkeypatch.setattr(fitness.shutil, "which", lambda name: f"bin/{name}")
    assert fitness.gpu("demo").level == NOTE
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: "Some GPU")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    memory = type("Properties", (), {"total_memory": 80 * 2**30})
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda number: memory)
    assert fitness.gpu("demo").sentence == "trainings take the GPU Some GPU, 80 GiB, without bf16"


def test_disk_is_counted_from_weights_and_scaled_from_a_demo_run():
    demo = load_parameters(ROOT, "demo")
    one, two = (fitness.needed_bytes(ROOT, demo.model_copy(update={"seeds": seeds})) for seeds in ([0], [0, 1]))
    # A run of this profile left 441 MB of checkpoints, and with DVC's cache 1647 MB in all.
    assert two - one == pytest.approx(2 * 441e6, rel=0.1)
    assert one == pytest.approx(1647e6, rel=0.1)


def test_a_lifter_that_gives_no_numbers_is_a_problem(monkeypatch):
    assert fitness.lift(ROOT).level == OK
    nothing = torch.full((1, 4, 17, 3), torch.nan)
    monkeypatch.setattr(fitness, "lift_clips", lambda model, strategy, clip, flip: (nothing, nothing))
    assert fitness.lift(ROOT).level == PROBLEM
