import pytest
import torch
from golden import filled

from poselib.errors import InputError
from poselib.interop import from_official, to_official
from poselib.models import build

CONFIG = {"frames": 5, "dim": 8, "depth": 2, "heads": 4}


@pytest.fixture
def official():
    state = filled(to_official(build("poseformer", **CONFIG)))
    return {name: value.float() for name, value in state.items()}


def test_published_names_and_shapes():
    with torch.device("meta"):
        state = to_official(build("poseformer"))
    block = {
        "norm1.weight": (1,),
        "norm1.bias": (1,),
        "attn.qkv.weight": (3, 1),
        "attn.qkv.bias": (3,),
        "attn.proj.weight": (1, 1),
        "attn.proj.bias": (1,),
        "norm2.weight": (1,),
        "norm2.bias": (1,),
        "mlp.fc1.weight": (2, 1),
        "mlp.fc1.bias": (2,),
        "mlp.fc2.weight": (1, 2),
        "mlp.fc2.bias": (1,),
    }
    shapes = {
        f"{stack}.{i}.{name}": tuple(width * side for side in sides)
        for stack, width in (("Spatial_blocks", 32), ("blocks", 544))
        for i in range(4)
        for name, sides in block.items()
    }
    shapes |= {
        "Spatial_pos_embed": (1, 17, 32),
        "Temporal_pos_embed": (1, 81, 544),
        "Spatial_patch_to_embedding.weight": (32, 2),
        "Spatial_patch_to_embedding.bias": (32,),
        "Spatial_norm.weight": (32,),
        "Spatial_norm.bias": (32,),
        "Temporal_norm.weight": (544,),
        "Temporal_norm.bias": (544,),
        "weighted_mean.weight": (1, 81, 1),
        "weighted_mean.bias": (1,),
        "head.0.weight": (544,),
        "head.0.bias": (544,),
        "head.1.weight": (51, 544),
        "head.1.bias": (51,),
    }
    assert {name: tuple(value.shape) for name, value in state.items()} == shapes
    assert len(shapes) == 110


def test_round_trips_are_exact(official):
    model = from_official("poseformer", official, heads=4)
    back = to_official(model)
    assert back.keys() == official.keys()
    assert all(torch.equal(back[name], official[name]) for name in official)
    assert {field: getattr(model.config, field) for field in CONFIG} == CONFIG and model.config.joints == 17

    ours = build("poseformer", **CONFIG)
    again = from_official("poseformer", to_official(ours), heads=4).state_dict()
    assert all(torch.equal(again[name], value) for name, value in ours.state_dict().items())


def test_prefixed_file(official, tmp_path):
    path = tmp_path / "best_epoch.bin"
    torch.save({"epoch": 3, "model_pos": {f"module.{name}": value for name, value in official.items()}}, path)
    back = to_official(from_official("poseformer", path, heads=4))
    assert all(torch.equal(back[name], official[name]) for name in official)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.update(weighted=s.pop("weighted_mean.bias")), "missing: weighted_mean.bias; unexpected: weighted"),
        (lambda s: s.pop("blocks.1.norm1.weight"), "missing: blocks.1.norm1.weight"),
        (lambda s: s.update({"head.1.weight": torch.zeros(4, 136)}), r"head.1.weight is \(4, 136\), not \(51, 136\)"),
        (lambda s: s.pop("Temporal_pos_embed"), "Temporal_pos_embed"),
    ],
)
def test_any_difference_is_named(official, change, message):
    change(official)
    with pytest.raises(InputError, match=message):
        from_official("poseformer", official, heads=4)


def test_other_models_weights_are_refused(official):
    mixste = to_official(build("mixste", frames=5, dim=8, depth=2, heads=4))
    with pytest.raises(InputError, match="not a poseformer checkpoint"):
        from_official("poseformer", mixste)
