"""Networks found by name: files that describe themselves, trainings of a project, the authors' weights, a default."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from test_every_model import SMALL

import poselib
from poselib import checkpoints
from poselib.errors import InputError
from poselib.interop import to_official
from poselib.lifting import trained
from poselib.lifting.trained import find
from poselib.models import build
from poselib.models.refinement import Refined

ROOT = Path(__file__).resolve().parents[2]


def same(first, second):
    ours, theirs = first.model.state_dict(), second.model.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[key].cpu(), theirs[key].cpu()) for key in ours)


def test_a_file_that_describes_itself_needs_nothing_else(network, clip, tmp_path, monkeypatch):
    small = network("uplift_upsample", frame_stride=2, input_stride=4, limits="never saw snow")
    small.save(tmp_path / "own.safetensors")
    monkeypatch.chdir(tmp_path)
    found = find("own.safetensors")
    assert found.about == small.about and found.name == "own" and same(found, small) and not found.model.training
    given = (clip.pixels, "h36m", clip.size, 25)
    first, second = (poselib.lift(*given, checkpoint=one) for one in (small, "own.safetensors"))
    np.testing.assert_array_equal(first.poses_3d, second.poses_3d)
    assert second.about.limits == "never saw snow"


def test_the_default_is_a_file_put_in_place(network, tmp_path, monkeypatch):
    monkeypatch.setattr(trained, "DEFAULT", tmp_path)
    with pytest.raises(InputError, match="no checkpoint is named and none ships with this version; name one: an exp"):
        find()
    network().save(tmp_path / "everyday.safetensors")
    assert find().name == "everyday" and same(find(), network())


def test_what_ships_is_found_by_its_name_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find("everyday").about == find().about
    with pytest.raises(InputError, match="no checkpoint 'mixste_t243_cpn'; name everyday, or an experiment"):
        find("mixste_t243_cpn")


@pytest.fixture
def project(prepared, tmp_path):
    """A project with a prepared set and one trained experiment; gives its folder and the network."""
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "experiments", folder / "experiments")
    shutil.copy(ROOT / "params.yaml", folder)
    (folder / "dvc.yaml").write_text("stages: {}\n")
    shutil.copytree(prepared.folder, folder / "data/prepared/h36m")
    model = build("uplift_upsample", **SMALL["uplift_upsample"])
    place = folder / "checkpoints/uu_t351_cpn"
    place.mkdir(parents=True)
    about = {"experiment": "uu_t351_cpn", "profile": "demo", "data": prepared.fingerprint}
    checkpoints.save(place / "seed0.safetensors", model, about)
    return folder, about


def test_a_trained_experiment_is_found_by_name_and_by_file(project, tmp_path, monkeypatch):
    folder, _ = project
    monkeypatch.chdir(folder)
    by_name = find("uu_t351_cpn")
    monkeypatch.chdir(tmp_path)
    by_file = find(folder / "checkpoints/uu_t351_cpn/seed0.safetensors")
    assert by_name.about == by_file.about and same(by_name, by_file) and by_name.name == "uu_t351_cpn"
    # The demo keeps every second frame, and strides shrink with it.
    assert (by_name.about.fps, by_name.about.frame_stride, by_name.about.input_stride) == (50, 2, 2)
    assert "experiment uu_t351_cpn, profile demo, h36m from synthetic" in by_name.about.trained_on
    assert by_name.about.limits == "never saw a real person"


def test_names_that_lead_nowhere_are_refused(project, monkeypatch):
    folder, about = project
    monkeypatch.chdir(folder)
    for name, sentence in (
        ("nothing", "no checkpoint 'nothing'; name everyday, or an experiment that is trained"),
        ("mixste_t243_cnp", "no checkpoint 'mixste_t243_cnp'; name mixste_t243_cpn or "),
        ("everday", "no checkpoint 'everday'; name everyday, or an experiment"),
        ("mixste_t243_cpn", "seed0.safetensors: no such checkpoint; train the experiment first"),
        ("nothing.safetensors", "nothing.safetensors: no such file; check its name"),
        ("official:ampose:x", "no published weights are known for model 'ampose'"),
        ("official:mixste", "no such checkpoint"),
        ("official:", "no published weights"),
    ):
        with pytest.raises(InputError, match=sentence):
            find(name)
    path, small = folder / "checkpoints/uu_t351_cpn/seed0.safetensors", build("ampose", **SMALL["ampose"])
    checkpoints.save(path, small, {**about, "data": "other"})
    with pytest.raises(InputError, match="trained on other data"):
        find("uu_t351_cpn")
    checkpoints.save(path, small, {"seed": 0})
    with pytest.raises(InputError, match="does not say what it was trained for"):
        find("uu_t351_cpn")
    checkpoints.save(path, small, {**about, "profile": ["demo"]})
    with pytest.raises(InputError, match="does not say what it was trained for"):
        find("uu_t351_cpn")
    checkpoints.save(folder.parent / "alone.safetensors", small, about)
    with pytest.raises(InputError, match="outside of the project that trained it; 'python -m poselib export' there"):
        find(folder.parent / "alone.safetensors")
    checkpoints.save(path, Refined(small), about)
    with pytest.raises(InputError, match="refinement needs the true distance"):
        find("uu_t351_cpn")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"fps": 0}, "lifting: fps: Input should be greater than 0"),
        ({"fps": "fast"}, "fps: Input should be a valid number"),
        ({"trained_on": None}, "trained_on"),
        ({"colour": "red"}, "known keys: joints, fps"),
        ({"joints": ["pelvis"]}, "joints are no joint set"),
        ({"joints": list(poselib.skeleton.MPI_INF_3DHP_17.names)}, "lifts head_top, which no detector gives"),
        ({"strategy": "tmt"}, "strategy 'tmt' does not fit its network"),
        ({"input_stride": 2}, "input_stride 2 does not fit its network"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(changed, sentence, network, tmp_path):
    small, path = network(), tmp_path / "odd.safetensors"
    checkpoints.save(path, small.model, {"lifting": small.about.model_dump(mode="json") | changed})
    with pytest.raises(InputError, match=sentence):
        find(path)


def test_a_network_of_the_mixed_training_takes_positions_alone(network, clip):
    small = network(strategy="tmt")
    model = build("mixste", **SMALL["mixste"], in_channels=5).eval()
    found = poselib.lift(clip.pixels, "h36m", clip.size, 25, checkpoint=replace(small, model=model))
    assert found.poses_3d.shape == (40, 17, 3) and np.isfinite(found.poses_3d).all()


def test_the_authors_weights_are_found_by_their_model(tmp_path, clip):
    torch.manual_seed(0)
    model = build("poseformer", frames=9, dim=32, depth=4, heads=8).eval()
    torch.save({"model_pos": {f"module.{key}": value for key, value in to_official(model).items()}}, tmp_path / "a.bin")
    found = find(f"official:poseformer:{tmp_path / 'a.bin'}")
    assert found.name == "official a" and found.about.fps == 50 and same(found, replace(found, model=model))
    assert poselib.lift(clip.pixels, "h36m", clip.size, 25, checkpoint=found).poses_3d.shape == (40, 17, 3)


def test_the_package_has_lift_and_no_other_names():
    assert poselib.lift is poselib.lifting.lift
    with pytest.raises(AttributeError, match="no attribute 'lower'"):
        poselib.lower  # noqa: B018
