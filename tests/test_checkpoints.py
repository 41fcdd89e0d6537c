import pytest
import torch

from poselib import checkpoints
from poselib.errors import InputError
from poselib.models import build


@pytest.fixture
def saved(tmp_path):
    model = build("mixste", frames=3, dim=8, depth=1, heads=2)
    checkpoints.save(tmp_path / "a.safetensors", model, {"experiment": "a", "seed": 3})
    return tmp_path / "a.safetensors", model


def test_a_checkpoint_rebuilds_its_own_model(saved):
    path, model = saved
    loaded, description = checkpoints.load(path)
    assert loaded.config == model.config and not loaded.training
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), loaded.parameters(), strict=True))
    assert (description["experiment"], description["seed"], description["model"]) == ("a", 3, "mixste")


@pytest.mark.parametrize("kept", [0, 7, 100, -1])
def test_truncated_checkpoints_are_named(saved, kept):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"a\.safetensors.*train it again"):
        checkpoints.load(path)


def test_foreign_and_absent_checkpoints_are_named(tmp_path):
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match="not a readable poselib checkpoint"):
        checkpoints.load(tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match="no such checkpoint"):
        checkpoints.load(tmp_path / "absent.safetensors")


def test_nothing_half_written_stays(saved):
    path, model = saved
    before = path.read_bytes()
    with pytest.raises(TypeError):
        checkpoints.save(path, model, {"bad": object()})
    assert path.read_bytes() == before
