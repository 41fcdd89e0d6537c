import pytest
import torch

from poselib import checkpoints
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


def test_nothing_half_written_stays(saved):
    path, model = saved
    before = path.read_bytes()
    with pytest.raises(TypeError):
        checkpoints.save(path, model, {"bad": object()})
    assert path.read_bytes() == before
