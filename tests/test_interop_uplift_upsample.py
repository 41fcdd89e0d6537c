import h5py
import numpy as np
import pytest
import torch

from poselib.errors import InputError
from poselib.interop import from_official, keras_file, to_official
from poselib.models import build

SMALL = {
    "frames": 41,
    "spatial_dim": 8,
    "dim": 16,
    "heads": 2,
    "depth": 2,
    "strides": (4, 4, 3),
    "paddings": ((1, 1), (0, 0), (0, 0)),
}
BLOCK = (
    *("layer_normalization_{}/gamma", "layer_normalization_{}/beta"),
    *(f"mha_{{}}/{part}/{kind}" for part in ("wq", "wk", "wv", "dense") for kind in ("kernel", "bias")),
    *("layer_normalization_{}b/gamma", "layer_normalization_{}b/beta"),
    *("dense_{}/kernel", "dense_{}/bias", "dense_{}b/kernel", "dense_{}b/bias"),
)


@pytest.fixture
def weights():
    """What their file holds, written down from its description, group by group."""
    random = np.random.default_rng(0)
    n, joint, width, hidden = 41, 8, 16, 32

    def block(dim, hidden, kernels=((), ())):
        square, vector = (dim, dim), (dim,)
        attention = [square, vector] * 4
        first, second = kernels
        return [
            vector,
            vector,
            *attention,
            vector,
            vector,
            (*first, dim, hidden),
            (hidden,),
            (*second, hidden, dim),
            vector,
        ]

    shapes = {
        "keypoint_embedding": [(2, joint), (joint,)],
        "token_dropout": [],
        "spatial_pe": [(17, joint)],
        "temporal_pe": [(n, width)],
        **{f"strided_temporal_pe_{i + 1}": [(length, width)] for i, length in enumerate((n, 11, 3))},
        "strided_input_token_layer": [(width,)],
        **{f"spatial_block_{i}": block(joint, 2 * joint) for i in (1, 2)},
        "spatial_norm": [(joint,), (joint,)],
        "spatial_to_temporal_fc": [(17 * joint, width), (width,)],
        **{f"temporal_block_{i}": block(width, hidden) for i in (1, 2)},
        **{f"strided_temporal_block_{i}": block(width, hidden, ((1,), (3,))) for i in (1, 2, 3)},
        "temporal_fc": [(width, 51), (51,)],
        "strided_temporal_fc": [(width, 51), (51,)],
    }
    return {layer: [random.normal(size=shape).astype(np.float32) for shape in shapes[layer]] for layer in shapes}


def write(path, weights, counter=17):
    """A file as Keras writes it: inner names are counters that say nothing and need not start at 1."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in weights]
        file.attrs["backend"] = b"tensorflow"
        file.attrs["keras_version"] = b"2.4.0"
        for number, (layer, arrays) in enumerate(weights.items(), start=counter):
            group = file.create_group(layer)
            parts = BLOCK if len(arrays) > 2 else (f"z_{number}/kernel", f"a_{number}/bias")
            names = [f"{layer}/{part.format(number)}:0" for part in parts[: len(arrays)]]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, array in zip(names, arrays, strict=True):
                group[name] = array
    return path


def test_a_keras_file_is_read_by_layer_and_order(weights, tmp_path):
    model = from_official("uplift_upsample", write(tmp_path / "h36m_81.h5", weights), heads=2)
    assert model.config == build("uplift_upsample", **SMALL).config
    back = to_official(model)
    expected = {f"{layer}/{i}": array for layer, arrays in weights.items() for i, array in enumerate(arrays)}
    assert list(back) == list(expected)
    assert all(np.array_equal(back[name], expected[name]) for name in expected)
    ours, their_block = model.strided.blocks[1], weights["strided_temporal_block_2"]
    assert np.array_equal(ours.attention.qkv.weight[16:32].detach(), their_block[4].T)
    assert np.array_equal(ours.mlp.fc2.weight.detach(), their_block[14].transpose(2, 1, 0))
    assert np.array_equal(model.temporal_position.detach(), weights["temporal_pe"][0])


def test_our_weights_come_back_exactly_through_a_file(tmp_path):
    model = build("uplift_upsample", **SMALL)
    keras_file.write(tmp_path / "ours.h5", to_official(model))
    again = from_official("uplift_upsample", tmp_path / "ours.h5", heads=2).state_dict()
    assert all(torch.equal(value, again[name]) for name, value in model.state_dict().items())
    assert [path.name for path in tmp_path.iterdir()] == ["ours.h5"]


def test_published_arrays():
    with torch.device("meta"):
        state = to_official(build("uplift_upsample"))
        older = to_official(build("uplift_upsample", **{k: SMALL[k] for k in ("frames", "strides", "paddings")}))
    assert len(state) == len(older) == 192
    shapes = {
        "keypoint_embedding/0": (2, 32),
        "strided_temporal_pe_1/0": (71, 384),
        "strided_temporal_pe_2/0": (23, 384),
        "strided_temporal_pe_3/0": (3, 384),
        "strided_input_token_layer/0": (384,),
        "spatial_block_4/12": (32, 64),
        "spatial_to_temporal_fc/0": (544, 384),
        "temporal_block_4/14": (768, 384),
        "strided_temporal_block_3/12": (1, 384, 768),
        "strided_temporal_block_3/14": (3, 768, 384),
        "strided_temporal_fc/0": (384, 51),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


@pytest.mark.parametrize("left_out", ["temporal_fc", "strided_input_token_layer"])
def test_files_without_an_optional_layer(weights, tmp_path, left_out):
    del weights[left_out]
    model = from_official("uplift_upsample", write(tmp_path / "a.h5", weights), heads=2)
    assert (model.sequence_head is None, model.upsampling_token is None) == (
        left_out == "temporal_fc",
        left_out != "temporal_fc",
    )


def test_unknown_lengths_need_strides(tmp_path):
    config = {**SMALL, "frames": 9, "strides": (3, 3), "paddings": ((1, 1), (0, 0))}
    keras_file.write(tmp_path / "a.h5", to_official(build("uplift_upsample", **config)))
    told = {name: config[name] for name in ("heads", "strides", "paddings")}
    assert from_official("uplift_upsample", tmp_path / "a.h5", **told).config.frames == 9
    with pytest.raises(InputError, match="strides"):
        from_official("uplift_upsample", tmp_path / "a.h5", heads=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.update(temporal_fc_=w.pop("strided_temporal_fc")), "missing: strided_temporal_fc/0"),
        (lambda w: w["spatial_block_1"].pop(), r"missing: spatial_block_1/15"),
        (lambda w: w.pop("spatial_pe"), "spatial_pe/0"),
        (lambda w: w["temporal_fc"].reverse(), r"temporal_fc/0 is \(51,\), not \(16, 51\)"),
    ],
)
def test_any_difference_is_named(weights, tmp_path, change, message):
    change(weights)
    with pytest.raises(InputError, match=message):
        from_official("uplift_upsample", write(tmp_path / "a.h5", weights), heads=2)
