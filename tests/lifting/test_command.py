"""`python -m poselib lift` and `export`."""

import sys

import numpy as np
import pytest

import poselib
from poselib.__main__ import main
from poselib.errors import InputError
from poselib.lifting import command, trained
from poselib.lifting.trained import find


@pytest.fixture
def folder(clip, network, tmp_path):
    """A keypoint file and a network beside it."""
    points = np.dstack([clip.pixels, np.ones((40, 17))])
    points[5, 3] = np.nan
    size = {"width": clip.size[0], "height": clip.size[1]}
    np.savez(tmp_path / "points.npz", keypoints=points, joints="h36m_17", fps=25.0, **size)
    network().save(tmp_path / "small.safetensors")
    return tmp_path


@pytest.fixture
def call(folder, monkeypatch, capsys):
    """A function that runs the command line in this process and gives exit code, output and errors."""

    def run(*arguments):
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["poselib", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, *capsys.readouterr()

    return run


def test_a_file_is_lifted_and_told_in_sentences(folder, call):
    arguments = ["lift", "points.npz", "--checkpoint", "small.safetensors", "--save", "npz", "--save", "csv"]
    arguments += ["--image-size", "1000x1002", "--joints", "h36m", "--format", "npz", "--look-ahead", "2"]
    code, told, progress = call(*arguments)
    first, second, third = told.splitlines()
    assert code == 0 and first == (
        "points.npz: 1 person, 40 frames at 25 fps; 1 joint not seen and filled in (0.1%) in 1 frame; 0 breaks"
    )
    assert second == "lifted by small, trained on: nothing; limits: untrained"
    assert "person 1" in progress and "40/40" in progress
    expected = poselib.lift(folder / "points.npz", checkpoint=folder / "small.safetensors", look_ahead=2)
    with np.load(folder / "lifted/lifted.npz") as found:
        np.testing.assert_array_equal(found["poses_3d_1"], expected.poses_3d)
    assert third.split() == ["wrote", "lifted/lifted.npz,", "lifted/lifted.csv"]


def test_without_a_network_one_sentence_and_exit_code_2(folder, call, monkeypatch):
    monkeypatch.setattr(trained, "DEFAULT", folder / "nothing")
    code, told, errors = call("lift", "points.npz")
    assert (code, told) == (2, "") and errors.startswith("poselib: no checkpoint is named and none ships")
    assert errors.count("\n") == 1 and not (folder / "lifted").exists()
    code, told, errors = call("lift", "nowhere.json", "--checkpoint", "small.safetensors")
    assert (code, told, errors) == (2, "", "poselib: nowhere.json: no such file; check its name\n")


@pytest.mark.parametrize("size", ["1000", "1000x", "0x5", "1000,1002", "axb", "1000x1002x3"])
def test_an_image_size_is_width_x_height(size, folder):
    with pytest.raises(InputError, match="is not WIDTHxHEIGHT in pixels; write it like 1920x1080"):
        command.run(folder / "points.npz", size, folder / "out", ["npz"], checkpoint=folder / "small.safetensors")


def test_kinds_are_looked_at_before_lifting(folder):
    with pytest.raises(InputError, match="no kind 'exe'"):
        command.run(folder / "nowhere.npz", None, folder / "out", ["exe"])


def test_a_network_is_exported_as_a_file_that_describes_itself(folder, capsys):
    source = str(folder / "small.safetensors")
    command.export(source, folder / "new/copy.safetensors")
    assert find(folder / "new/copy.safetensors").about == find(source).about
    assert "copy.safetensors: small, 5 frames at 25 fps" in capsys.readouterr().out
    with pytest.raises(InputError, match="ends in neither .onnx nor .safetensors"):
        command.export(source, folder / "copy.bin")
