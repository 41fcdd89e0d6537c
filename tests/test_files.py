"""Files and folders that appear whole, whoever else writes them and however a process ends."""

import multiprocessing
import os
import signal
import time

import pytest

from poselib import files
from poselib.errors import InputError
from poselib.files import held, whole_file, whole_folder, write_whole

FORK = multiprocessing.get_context("fork")


def begun(target, *arguments):
    process = FORK.Process(target=target, args=arguments)
    process.start()
    return process


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def hold(path, told, seconds):
    with held(path):
        told.set()
        time.sleep(seconds)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds a path for a minute."""
    told = FORK.Event()
    process = begun(hold, tmp_path / "file", told, 60)
    assert told.wait(20)
    yield process
    process.kill()
    process.join()


def test_what_another_process_holds_is_not_written(holder, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "PATIENCE_S", 0.2)
    for write in (lambda: write_whole(tmp_path / "file", "mine"), lambda: whole_folder(tmp_path / "file").__enter__()):
        with pytest.raises(InputError, match="file: another process is writing it; give the command"):
            write()
    write_whole(tmp_path / "other", "mine")
    assert names(tmp_path) == ["file.lock.partial", "other"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_process_holds_nothing(holder, tmp_path, number):
    os.kill(holder.pid, number)
    write_whole(tmp_path / "file", "mine")
    assert names(tmp_path) == ["file"] and (tmp_path / "file").read_text() == "mine"


def write_often(path, letter):
    for _ in range(100):
        with whole_file(path) as partial, partial.open("w") as file:
            for _ in range(20):
                file.write(letter * 1000)
                file.flush()


def fill_often(folder, letter):
    for _ in range(20):
        with whole_folder(folder) as partial:
            for name in ("a", "b", "c"):
                (partial / name).write_text(letter)


@pytest.mark.parametrize("write", [write_often, fill_often])
def test_processes_that_write_at_once_write_one_after_the_other(tmp_path, write):
    processes = [begun(write, tmp_path / "made", letter) for letter in "xyz"]
    seen = set()
    while any(process.is_alive() for process in processes):
        if write is write_often and (tmp_path / "made").exists():
            seen.add((tmp_path / "made").read_text())
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert names(tmp_path) == ["made"]
    if write is write_often:
        assert seen <= {letter * 20000 for letter in "xyz"}
    else:
        assert len({path.read_text() for path in (tmp_path / "made").iterdir()}) == 1


def test_what_fails_leaves_the_old_content_and_nothing_else(tmp_path):
    write_whole(tmp_path / "file", "old")
    with whole_folder(tmp_path / "folder") as partial:
        (partial / "a").write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "file") as partial:
        partial.write_text("new")
        1 / 0  # noqa: B018
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "folder") as partial:
        (partial / "a").write_text("new")
        1 / 0  # noqa: B018
    assert names(tmp_path) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == (tmp_path / "folder/a").read_text() == "old"
