"""What of several stages at a time is recorded, when one of them fails, and when DVC is busy."""

import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace

import pytest

from poselib.errors import InputError
from poselib.stages import evaluate, side_by_side, train

ROOT = Path(__file__).resolve().parent.parent
STAGES = ["train@first", "evaluate@first", "train@second", "evaluate@second"]


@pytest.fixture
def recorded(monkeypatch):
    """Stages recorded, time by time; those that run are threads that the tests give something to do."""
    calls = []
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(side_by_side, "load_experiments", lambda _: {})
    monkeypatch.setattr(side_by_side, "stale", lambda _, kinds: STAGES if "train" in kinds else [])
    monkeypatch.setattr(side_by_side, "record", lambda _, made: calls.append(list(made)))
    monkeypatch.setattr(side_by_side, "ProcessPoolExecutor", lambda jobs, *_, **__: ThreadPoolExecutor(jobs))
    monkeypatch.setattr(train, "run", lambda *_: None)
    monkeypatch.setattr(evaluate, "run", lambda *_: None)
    return calls


def bring(jobs=1):
    side_by_side._bring_all(ROOT, jobs)


def test_all_is_recorded_at_once(recorded):
    bring()
    assert list(map(sorted, recorded)) == [sorted(STAGES)]


def test_a_training_whose_evaluation_fails_is_recorded(recorded, monkeypatch):
    def full(_, name):
        if name == "first":
            raise InputError("No space left on device")

    monkeypatch.setattr(evaluate, "run", full)
    with pytest.raises(InputError, match=r"^evaluate@first failed \(No space left on device\)"):
        bring()
    assert sorted(sum(recorded, [])) == sorted({*STAGES} - {"evaluate@first"})


def test_those_that_start_from_a_training_whose_evaluation_failed_are_trained(recorded, monkeypatch):
    def full(_, name):
        if name == "first":
            raise InputError("No space left on device")

    start = SimpleNamespace(also_on=[], start="first")
    monkeypatch.setattr(side_by_side, "load_experiments", lambda _: {"second": start})
    monkeypatch.setattr(evaluate, "run", full)
    with pytest.raises(InputError, match=r"^evaluate@first failed"):
        bring()
    assert "train@second" in sum(recorded, [])


@pytest.mark.parametrize("at_once", [True, False])
def test_a_killed_process_is_told_and_what_was_done_is_recorded(recorded, monkeypatch, at_once):
    class Killed(ThreadPoolExecutor):
        def submit(self, call, root, stages):
            if stages[0] == "train@second" and at_once:
                raise BrokenProcessPool("terminated abruptly")
            return super().submit(call, root, stages)

    def killed(_, name):
        if name == "second":
            raise BrokenProcessPool("terminated abruptly")

    monkeypatch.setattr(train, "run", killed)
    monkeypatch.setattr(side_by_side, "ProcessPoolExecutor", lambda jobs, *_, **__: Killed(jobs))
    told = "not begun, since another was killed" if at_once else "killed, most likely for want of memory; give fewer"
    with pytest.raises(InputError, match=f"train@second.*{told}"):
        bring()
    assert sum(recorded, []) == ["train@first", "evaluate@first"]


def test_what_is_done_is_recorded_while_a_long_training_goes_on(recorded, monkeypatch):
    seen = []

    def long(_, name):
        if name == "second":
            ends = time.monotonic() + 60
            while not any("train@first" in made for made in recorded) and time.monotonic() < ends:
                time.sleep(0.01)
            seen.append([*recorded])

    monkeypatch.setattr(side_by_side, "RECORD_EVERY_SECONDS", 0.05)
    monkeypatch.setattr(train, "run", long)
    bring(jobs=2)
    assert ["train@first", "evaluate@first"] in seen[0]


def test_a_moment_in_which_dvc_is_busy_costs_nothing(recorded, monkeypatch):
    busy = iter([True, False, False])

    def record(_, made):
        if made and next(busy, False):
            raise InputError("dvc commit: Unable to acquire lock")
        recorded.append(list(made))

    monkeypatch.setattr(side_by_side, "RECORD_EVERY_SECONDS", 0)
    monkeypatch.setattr(side_by_side, "record", record)
    bring()
    assert sorted(sum(recorded, [])) == sorted(STAGES)
