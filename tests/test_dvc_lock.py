"""DVC's record of what is done, asked and written for many stages at once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from poselib.errors import InputError
from poselib.stages.dvc_lock import record, stale

COPY = {"cmd": "cp ${key}.txt ${key}.out", "deps": ["${key}.txt"], "outs": ["${key}.out"]}
STAGES = {
    "copy": {"foreach": {"a": 1, "b": 2}, "do": COPY},
    "join": {"cmd": "cat a.out b.out > all", "deps": ["a.out", "b.out"], "outs": ["all"]},
}


def dvc(folder, *command):
    program = Path(sys.executable).with_name("dvc")
    return subprocess.run([program, *command], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def project(tmp_path):
    dvc(tmp_path, "init", "-q", "--no-scm")
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}))
    for name in "ab":
        (tmp_path / f"{name}.txt").write_text(name)
        (tmp_path / f"{name}.out").write_text(name)
    return tmp_path


def test_what_is_recorded_is_up_to_date_for_dvc_and_the_rest_is_stale(project):
    assert stale(project, ["copy"]) == ["copy@a", "copy@b"] and stale(project, ["join"]) == ["join"]
    record(project, ["copy@a"])
    assert stale(project, ["copy"]) == ["copy@b"]
    record(project, ["copy@b"])
    assert "Running stage 'join'" in (done := dvc(project, "repro")) and "Running stage 'copy" not in done
    assert "up to date" in dvc(project, "status")


def test_a_changed_input_and_a_changed_output_are_stale(project):
    record(project, ["copy@a", "copy@b"])
    (project / "a.txt").write_text("changed")
    assert stale(project, ["copy"]) == ["copy@a"]
    (project / "b.out").write_text("changed")
    assert stale(project, ["copy"]) == ["copy@a", "copy@b"]


def test_what_is_recorded_is_in_the_cache(project):
    record(project, ["copy@a"])
    (project / "a.out").unlink()
    dvc(project, "checkout", "copy@a")
    assert (project / "a.out").read_text() == "a"


def test_a_missing_output_and_an_unreadable_lock_are_told(project):
    (project / "a.out").unlink()
    with pytest.raises(InputError, match=r"a\.out.*; correct it and give the command again"):
        record(project, ["copy@a"])
    (project / "dvc.lock").write_text("stages: [")
    with pytest.raises(InputError, match=r"dvc\.lock.*; correct it"):
        stale(project, ["copy"])


def test_another_run_of_dvc_is_told_in_one_line(project):
    text = yaml.safe_dump({"stages": {"wait": {"cmd": "touch begun; sleep 60", "deps": ["a.txt"], "outs": ["z"]}}})
    (project / "dvc.yaml").write_text(text)
    program = str(Path(sys.executable).with_name("dvc"))
    with subprocess.Popen([program, "repro", "-q"], cwd=project, start_new_session=True) as other:
        ends = time.monotonic() + 60
        while not (project / "begun").exists():
            assert time.monotonic() < ends
            time.sleep(0.05)
        with pytest.raises(InputError, match=r"^dvc status: .*dvc repro.*; correct it and give the command again$"):
            stale(project, ["wait"])
        os.killpg(other.pid, signal.SIGKILL)
