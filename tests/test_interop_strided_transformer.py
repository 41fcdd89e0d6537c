import pytest
import torch
from golden import filled

from poselib.errors import InputError
from poselib.interop import from_official, to_official
from poselib.models import build

SMALL = {"frames": 27, "strides": (3, 3, 3), "dim": 16, "hidden": 24, "depth": 2}


@pytest.fixture
def official():
    state = to_official(build("strided_transformer", **SMALL))
    return {**state, **{name: value.float() for name, value in filled(state).items()}}


def test_published_names_and_shapes():
    with torch.device("meta"):
        model = build("strided_transformer")
    state = to_official(model)
    assert len(state) == 125
    assert sum(not name.endswith(("running_mean", "running_var", "batches_tracked")) for name in state) == 116
    for part in ("Transformer", "Transformer_reduce"):
        layers = f"{part}.model.layers.2"
        kernel = () if part == "Transformer" else (1,)
        shapes = {
            **{f"{layers}.self_attn.linears.{i}.weight": (256, 256) for i in range(4)},
            **{f"{layers}.self_attn.linears.{i}.bias": (256,) for i in range(4)},
            f"{layers}.feed_forward.w_1.weight": (512, 256, *kernel),
            f"{layers}.feed_forward.w_2.weight": (256, 512, *(3 * k for k in kernel)),
            **{f"{layers}.sublayer.{i}.norm.{name}": (256,) for i in (0, 1) for name in ("a_2", "b_2")},
            **{f"{part}.model.norm.{name}": (256,) for name in ("a_2", "b_2")},
        }
        assert {name: tuple(state[name].shape) for name in shapes} == shapes
    shapes = {
        "encoder.0.weight": (256, 34, 1),
        "encoder.1.num_batches_tracked": (),
        "Transformer.pos_embedding": (1, 351, 256),
        "Transformer_reduce.model.pos_embedding_1": (1, 351, 256),
        "Transformer_reduce.model.pos_embedding_3": (1, 351, 256),
        "fcn.0.running_var": (256,),
        "fcn.1.weight": (51, 256, 1),
        "fcn_1.1.bias": (51,),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


def test_names_in_byte_order():
    state = to_official(build("strided_transformer", **SMALL))
    names = sorted(name for name in state if not name.endswith("num_batches_tracked"))
    assert len(names) == 106
    assert names[0] == "Transformer.model.layers.0.feed_forward.w_1.bias"
    assert names[4] == "Transformer.model.layers.0.self_attn.linears.0.bias"
    assert names[12] == "Transformer.model.layers.0.sublayer.0.norm.a_2"
    assert names[32] == "Transformer.model.norm.a_2"
    assert names[34] == "Transformer.pos_embedding"
    assert names[83] == "Transformer_reduce.model.norm.a_2"
    assert names[85:88] == [f"Transformer_reduce.model.pos_embedding_{i}" for i in (1, 2, 3)]
    assert names[105] == "fcn_1.1.weight"


def test_round_trip_through_a_file_is_exact(official, tmp_path):
    torch.save(official, tmp_path / "no_refine_4_4370.pth")
    model = from_official("strided_transformer", tmp_path / "no_refine_4_4370.pth")
    back = to_official(model)
    assert back.keys() == official.keys()
    assert all(torch.equal(back[name], official[name]) for name in official)
    assert model.config.strides == (3, 3, 3) and model.config.hidden == 24 and model.config.depth == 2


def test_our_weights_come_back_exactly():
    model = build("strided_transformer", **SMALL)
    again = from_official("strided_transformer", to_official(model)).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in model.state_dict().items())


def test_strides_of_other_lengths_are_told():
    config = {**SMALL, "frames": 81, "strides": (3, 9, 3)}
    state = to_official(build("strided_transformer", **config))
    assert from_official("strided_transformer", state, strides=(3, 9, 3)).config.strides == (3, 9, 3)
    with pytest.raises(InputError, match="strides"):
        from_official("strided_transformer", state)


@pytest.mark.parametrize("name", ["Transformer.model.norm.a_2", "fcn_1.0.running_mean", "fcn.1.bias"])
def test_any_difference_is_named(official, name):
    official[f"{name}_"] = official.pop(name)
    with pytest.raises(InputError, match=f"missing: {name}; unexpected: {name}_"):
        from_official("strided_transformer", official)
    official[name] = torch.zeros(3)
    official.pop(f"{name}_")
    with pytest.raises(InputError, match=rf"{name} is \(3,\), not"):
        from_official("strided_transformer", official)
