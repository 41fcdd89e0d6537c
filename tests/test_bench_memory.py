"""What preparing and training take does not follow the size of the set; the command that shows it for a large one."""

import sys

import pytest

from poselib import __main__ as command_line
from poselib.bench import memory
from poselib.bench.memory import BASE_FRAMES, Usage
from poselib.errors import InputError

LARGE = 10 * BASE_FRAMES
# Per frame, a training keeps some numbers of its clips and of their order, and preparing a seventeenth of the set.
ALLOWED_MIB = 20
# Below what the frames themselves would take, or the test could not fail.
assert (LARGE - BASE_FRAMES) * 17 * 3 * 4 / 2**20 > 1.5 * ALLOWED_MIB

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by Linux's /proc")


def test_memory_does_not_follow_the_size_of_the_set(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "STAGES", memory.STAGES[:2])
    assert "batches: 300" in memory.EXPERIMENT
    monkeypatch.setattr(memory, "EXPERIMENT", memory.EXPERIMENT.replace("batches: 300", "batches: 20"))
    small, large = memory.measure(BASE_FRAMES, tmp_path), memory.measure(LARGE, tmp_path)
    assert [used.stage for used in large] == ["prepare", "train"] and not list(tmp_path.iterdir())
    for before, after in zip(small, large, strict=True):
        assert before.anonymous_mib > 50 and before.resident_mib > before.anonymous_mib
        grown = after.anonymous_mib - before.anonymous_mib
        assert grown < ALLOWED_MIB, f"{after.stage} grew by {grown:.0f} MiB"


@pytest.mark.parametrize(("above", "code"), [(2000, 0), (2100, 1)])
def test_the_command_fails_above_the_bound(monkeypatch, capsys, above, code):
    def measured(frames, place):
        return [Usage("train", 1.0, 300.0 + (above if frames > BASE_FRAMES else 0), 250.0)]

    monkeypatch.setattr(memory, "measure", measured)
    monkeypatch.setattr(sys, "argv", ["poselib", "bench", "memory"])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == code
    out = capsys.readouterr().out
    assert f"{above} of 2048 MiB" in out and "10000000" in out and str(300 + above) in out


def test_a_failed_stage_and_too_few_frames_are_told(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="100 frames are too few for 17 data sets; give 1700 or more"):
        memory.measure(100, tmp_path)
    monkeypatch.setattr(memory, "STAGES", (("prepare", "nothing"),))
    with pytest.raises(InputError, match="stage prepare nothing failed"):
        memory.measure(BASE_FRAMES, tmp_path)
    assert not list(tmp_path.iterdir())
