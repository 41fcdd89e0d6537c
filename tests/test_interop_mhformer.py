import pytest
import torch
from golden import filled

from poselib.errors import InputError
from poselib.interop import from_official, to_official
from poselib.models import build

CONFIG = {"dim": 8, "hidden": 6, "depth": 3, "generation_depth": 2, "heads": 2}
REFUSALS = [
    (lambda s: s.update(norm_0=s.pop("norm_2.weight")), "missing: norm_2.weight; unexpected: norm_0"),
    (lambda s: s.pop("Transformer_hypothesis.SHR_blocks.1.attn_3.qkv.bias"), "missing: .*SHR_blocks.1.attn_3.qkv.bias"),
    (
        lambda s: s.update({"Transformer_hypothesis.CHI_blocks.0.attn_2.linear_k.weight": torch.zeros(8, 7)}),
        r"attn_2.linear_k.weight is \(8, 7\), not \(8, 8\)",
    ),
    (lambda s: s.pop("regression.1.weight"), "regression.1.weight"),
    (lambda s: s.pop("regression.0.running_var"), "missing: regression.0.running_var"),
]


def official(frames):
    """Filled weights under the authors' names, the batch counters included."""
    state = to_official(build("mhformer", frames=frames, **CONFIG))
    return {**state, **{name: value.float() for name, value in filled(state).items()}}


def linear(name, outputs, inputs):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def vectors(name, width, kinds=("weight", "bias")):
    return {f"{name}.{kind}": (width,) for kind in kinds}


def batch_norm(name, width):
    buffers = {f"{name}.running_mean": (width,), f"{name}.running_var": (width,), f"{name}.num_batches_tracked": ()}
    return vectors(name, width) | buffers


def published(frames):
    """Every name and shape that the sheet lists for the default size."""
    shapes = {}
    for m in (1, 2, 3):
        encoder = f"Transformer_encoder_{m}"
        shapes |= vectors(f"norm_{m}", frames) | vectors(f"{encoder}.norm", frames)
        shapes |= {f"{encoder}.pos_embed": (1, 34, frames), f"Transformer_hypothesis.pos_embed_{m}": (1, frames, 512)}
        for i in range(4):
            block = f"{encoder}.blocks.{i}"
            shapes |= vectors(f"{block}.norm1", frames) | vectors(f"{block}.norm2", frames)
            shapes |= linear(f"{block}.attn.qkv", 3 * frames, frames) | linear(f"{block}.attn.proj", frames, frames)
            shapes |= linear(f"{block}.mlp.fc1", 2 * frames, frames) | linear(f"{block}.mlp.fc2", frames, 2 * frames)
        convolution = f"embedding_{m}.0" if frames <= 27 else f"embedding_{m}"
        shapes |= {f"{convolution}.weight": (512, 34, 1), f"{convolution}.bias": (512,)}
        if frames <= 27:
            shapes |= batch_norm(f"embedding_{m}.1", 512)
        for i in range(2):
            block = f"Transformer_hypothesis.SHR_blocks.{i}"
            shapes |= vectors(f"{block}.norm1_{m}", 512)
            shapes |= linear(f"{block}.attn_{m}.qkv", 1536, 512) | linear(f"{block}.attn_{m}.proj", 512, 512)
        block = "Transformer_hypothesis.CHI_blocks.0"
        for source in (1, 2, 3):
            shapes |= vectors(f"{block}.norm3_{m}{source}", 512)
        for layer in ("linear_q", "linear_k", "linear_v", "proj"):
            shapes |= linear(f"{block}.attn_{m}.{layer}", 512, 512)
    for block in ("SHR_blocks.0", "SHR_blocks.1", "CHI_blocks.0"):
        block = f"Transformer_hypothesis.{block}"
        shapes |= vectors(f"{block}.norm2", 1536)
        shapes |= linear(f"{block}.mlp.fc1", 1024, 1536) | linear(f"{block}.mlp.fc2", 1536, 1024)
    shapes |= vectors("Transformer_hypothesis.norm", 1536) | batch_norm("regression.0", 1536)
    return shapes | {"regression.1.weight": (51, 1536, 1), "regression.1.bias": (51,)}


@pytest.mark.parametrize(("frames", "entries"), [(351, 273), (27, 288)])
def test_published_names_and_shapes(frames, entries):
    with torch.device("meta"):
        state = to_official(build("mhformer", frames=frames))
    assert {name: tuple(value.shape) for name, value in state.items()} == published(frames)
    assert len(state) == entries


@pytest.mark.parametrize("frames", [9, 36])
def test_round_trips_are_exact(frames):
    theirs = official(frames)
    model = from_official("mhformer", theirs, heads=2)
    back = to_official(model)
    assert back.keys() == theirs.keys()
    assert all(torch.equal(back[name], theirs[name]) for name in theirs)
    assert model.config == type(model.config)(frames=frames, **CONFIG)

    ours = build("mhformer", frames=frames, **CONFIG)
    again = from_official("mhformer", to_official(ours), heads=2).state_dict()
    assert all(torch.equal(again[name], value) for name, value in ours.state_dict().items())


def test_bare_state_dict_file(tmp_path):
    theirs = official(9)
    torch.save(theirs, tmp_path / "model_12_4300.pth")
    back = to_official(from_official("mhformer", tmp_path / "model_12_4300.pth", heads=2))
    assert all(torch.equal(back[name], theirs[name]) for name in theirs)


def test_weights_without_refinement_and_with_five_channels():
    config = {"frames": 9, "in_channels": 5, "dim": 8, "hidden": 6, "depth": 1, "generation_depth": 1, "heads": 2}
    model = from_official("mhformer", to_official(build("mhformer", **config)), heads=2)
    assert {field: getattr(model.config, field) for field in config} == config


@pytest.mark.parametrize(("change", "message"), REFUSALS)
def test_any_difference_is_named(change, message):
    theirs = official(9)
    change(theirs)
    with pytest.raises(InputError, match=message):
        from_official("mhformer", theirs, heads=2)


def test_heads_that_the_weights_cannot_have_are_named():
    theirs = to_official(build("mhformer", frames=10, generation_heads=5, **CONFIG))
    with pytest.raises(InputError, match="^mhformer: frames 10 cannot be split over 9 heads"):
        from_official("mhformer", theirs, heads=2)
    assert from_official("mhformer", theirs, heads=2, generation_heads=5).config.frames == 10
