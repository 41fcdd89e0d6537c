"""A full disk, two runs at once, and kills: a sentence that says so, no half file, and in the end the same bytes."""

import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest
from faults import trained
from faults.catalogue import ROOT, call, content

import poselib.files
from poselib.errors import InputError
from poselib.files import held, write_whole
from poselib.stages import train

# Files larger than this find no room; the system tells it as it tells a full disk, with another number.
ROOM = 2048


@contextmanager
def little_room():
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def files(folder):
    return {path: digest for path, digest in content(folder).items() if digest}


def said(folder, *command):
    """The command's exit code, and the one sentence that it ends in."""
    code, lines = call(folder, *command)
    sentences = [line for line in lines if line.startswith("poselib: ")]
    assert len(sentences) == 1, lines
    return code, sentences[0]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    trained.make(folder)
    for name in ("notebooks/tmt", "data/reported"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "data/divergences.csv", folder / "data")
    tables = "tables:\n  tmt/table07:\n  - {experiment: small, row: {method: TMT, d_l: 4, d_m: 64}}\n"
    (folder / "experiments/mixste.yaml").write_text(trained.SMALL + tables)
    assert call(folder, "evaluate", "small") == (0, [])
    return folder


@pytest.mark.parametrize(
    ("command", "file"),
    [
        (("prepare", "h36m"), "data/prepared/h36m"),
        (("train", "small"), "seed0.snapshot"),
        (("evaluate", "small"), "results/metrics/small.json"),
        (("table", "tmt/table04"), "results/tmt/table04.ipynb"),
        (("select", "--seeds", "2"), "params.yaml"),
    ],
)
def test_a_full_disk_is_told_and_leaves_no_half_file(project, monkeypatch, command, file):
    # This project has no code of its own whose fingerprint would name the snapshots.
    monkeypatch.setattr(train, "_key", lambda *_: "key")
    before = files(project)
    with little_room():
        code, told = said(project, *command)
    assert code == 2 and file in told and told.endswith("File too large; make room and give the command again")
    assert files(project) == before


def test_a_file_for_which_there_is_room_again_is_written(tmp_path):
    path = tmp_path / "folder" / "file"
    with little_room(), pytest.raises(InputError, match=r"file: File too large; make room"):
        write_whole(path, "x" * (ROOM + 1))
    assert not list(path.parent.iterdir())
    write_whole(path, "x" * (ROOM + 1))
    assert [file.name for file in path.parent.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (("train", "small"), "work/small"),
        (("prepare", "h36m"), "data/prepared/h36m"),
        (("table", "tmt/table04"), "results/tmt/table04.ipynb"),
        (("side-by-side",), "work/side-by-side"),
    ],
)
def test_the_second_of_two_runs_at_once_is_refused_and_disturbs_nothing(project, monkeypatch, command, path):
    monkeypatch.setattr(train, "_key", lambda *_: "key")
    monkeypatch.setattr(poselib.files, "PATIENCE_S", 0.1)
    with held(project / path):
        before = files(project)
        code, told = said(project, *command)
        assert code == 2 and told.endswith(f"{path}: another process is writing it; give the command after that")
        assert files(project) == before


def test_what_kills_interrupt_ends_as_if_undisturbed():
    script = [sys.executable, str(ROOT / "tests/kill_at_random.py"), "--kills", "4"]
    done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert "4 of 4 endings are those of the undisturbed run" in done.stdout
