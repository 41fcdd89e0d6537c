import numpy as np
import pytest
import torch
from golden import filled

from poselib.errors import InputError
from poselib.interop import from_official, to_official
from poselib.models import build

CONFIG = {"frames": 5, "dim": 16, "depth": 2, "heads": 4}


@pytest.fixture
def official():
    state = filled(to_official(build("mixste", **CONFIG)))
    return {name: value.float() for name, value in state.items()}


def test_published_names_and_shapes():
    with torch.device("meta"):
        state = to_official(build("mixste"))
    assert len(state) == 204
    shapes = {
        "Spatial_pos_embed": (1, 17, 512),
        "Temporal_pos_embed": (1, 243, 512),
        "Spatial_patch_to_embedding.weight": (512, 2),
        "STEblocks.7.attn.qkv.weight": (1536, 512),
        "TTEblocks.0.mlp.fc1.bias": (1024,),
        "TTEblocks.3.norm2.weight": (512,),
        "Temporal_norm.bias": (512,),
        "head.0.weight": (512,),
        "head.1.weight": (3, 512),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


def test_round_trip_is_exact(official):
    model = from_official("mixste", official, heads=4)
    back = to_official(model)
    assert back.keys() == official.keys()
    assert all(torch.equal(back[name], official[name]) for name in official)
    assert not model.training
    assert (model.config.frames, model.config.dim, model.config.depth) == (5, 16, 2)


def test_wrapped_prefixed_file_with_a_random_state(official, tmp_path):
    path = tmp_path / "best_epoch.bin"
    weights = {f"module.{name}": value for name, value in official.items()}
    torch.save({"epoch": 3, "lr": 1e-5, "random_state": np.random.RandomState(1234), "model_pos": weights}, path)
    back = to_official(from_official("mixste", path, heads=4))
    assert all(torch.equal(back[name], official[name]) for name in official)


def test_an_expected_size_must_be_met(official):
    with pytest.raises(InputError, match="Temporal_pos_embed"):
        from_official("mixste", official, heads=4, frames=7)
