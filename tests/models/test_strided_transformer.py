import pytest
import torch
from golden import clip, filled_model, numbers

from poselib import checkpoints
from poselib.complexity import count, traced_macs
from poselib.errors import InputError
from poselib.geometry import mirror
from poselib.inference import lift_clips
from poselib.models import build
from poselib.skeleton import H36M_17
from poselib.strategies import PLAIN

SMALL = {"frames": 27, "strides": (3, 3, 3), "dim": 32, "hidden": 48, "depth": 2}


@pytest.fixture(scope="module")
def small():
    return filled_model("strided_transformer", **SMALL)


@torch.inference_mode()
def outputs(model, batch):
    both = model.supervised(clip(batch, model.config.frames, 2))
    return both["poses"], both["sequence"]


def test_golden_outputs(small):
    poses, sequence = outputs(small, 2)
    assert poses.shape == (2, 1, 17, 3) and sequence.shape == (2, 27, 17, 3)
    places = ((0, 0, 0, 0), (0, 0, 0, 2), (0, 0, 8, 1), (0, 0, 16, 2), (1, 0, 3, 0), (1, 0, 16, 1))
    expected = (-0.108411, 2.296654, -0.105633, -0.555274, 1.096053, -3.337693, -3.691272, -3.509648)
    assert numbers(poses, *places) == pytest.approx(expected, abs=1e-5)
    places = ((0, 0, 0, 0), (0, 0, 0, 2), (0, 13, 8, 1), (0, 26, 16, 2), (1, 0, 3, 0), (1, 13, 16, 1))
    expected = (0.137766, 1.402459, -0.027250, 0.927242, 0.989392, 3.435695, 0.155321, 1.795031)
    assert numbers(sequence, *places) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("config", "pose", "sequence"),
    [
        (
            {"frames": 27, "strides": (3, 3, 3)},
            (0.019661, 3.025536, -0.561610, -1.332708, -5.807144, -1.571631),
            (0.700084, 1.502784, 4.266865, -1.850381, 0.365479, 2.246041),
        ),
        (
            {},
            (-0.006088, 3.091489, -0.716437, 0.149783, -4.587279, -2.069799),
            (0.737488, 1.527836, 3.654458, -2.472146, 2.351796, 0.396711),
        ),
    ],
)
def test_golden_outputs_at_published_widths(config, pose, sequence):
    found, found_sequence = outputs(filled_model("strided_transformer", **config), 1)
    assert numbers(found, (0, 0, 0, 0), (0, 0, 0, 2), (0, 0, 8, 1), (0, 0, 16, 2)) == pytest.approx(pose, abs=1e-5)
    middle, last = found_sequence.shape[1] // 2, found_sequence.shape[1] - 1
    places = ((0, 0, 0, 0), (0, 0, 0, 2), (0, middle, 8, 1), (0, last, 16, 2))
    assert numbers(found_sequence, *places) == pytest.approx(sequence, abs=1e-5)


def test_golden_flip_average(small):
    with torch.inference_mode():
        averaged, _ = lift_clips(small, PLAIN, clip(2, 27, 2), H36M_17.flip)
    places = ((0, 0, 0, 0), (0, 0, 3, 0), (0, 0, 6, 0), (1, 0, 13, 1), (1, 0, 16, 1))
    expected = (-0.033341, 1.522661, 0.330275, -1.697639, 1.837019, -2.602901, -2.298074)
    assert numbers(averaged, *places) == pytest.approx(expected, abs=1e-5)


def test_golden_initialisation():
    model = build("strided_transformer", **SMALL).eval()
    torch.manual_seed(0)
    model.initialise()
    with torch.inference_mode():
        both = model.supervised(clip(2, 27, 2).float())
    expected = (0.145342, 1.117823, -0.962705, -0.246827)
    assert numbers(both["poses"], (0, 0, 0, 0), (1, 0, 16, 2)) == pytest.approx(expected, abs=1e-5)
    expected = (0.003258, 0.682319, -0.804966, -0.391269)
    assert numbers(both["sequence"], (0, 0, 0, 0), (1, 0, 16, 2)) == pytest.approx(expected, abs=1e-5)


def test_a_new_model_is_made_of_copies():
    model = build("strided_transformer", **SMALL)
    for blocks in (model.temporal_blocks, model.strided.blocks):
        parts = [part for b in blocks for part in (*b.attention.qkv.weight.chunk(3), b.attention.proj.weight)]
        assert all(torch.equal(part, parts[0]) for part in parts)
    first, second = (block.mlp.fc1.weight for block in model.temporal_blocks)
    assert torch.equal(first, second)
    first, second, _ = (block.mlp.fc2.weight for block in model.strided.blocks)
    assert not torch.equal(first, second)


@pytest.mark.parametrize(
    ("frames", "strides", "parameters", "macs"),
    [
        (27, (3, 3, 3), 4_014_438, 65_054_208),
        (81, (3, 3, 9), 4_069_734, 203_584_512),
        (81, (3, 9, 3), 4_069_734, 198_829_056),
        (81, (3, 3, 3, 3), 4_858_982, 205_948_416),
        (243, (3, 9, 9), 4_235_622, 678_563_328),
        (243, (3, 3, 3, 9), 5_024_870, 700_170_240),
        (243, (3, 3, 3, 3, 3), 5_814_118, 702_534_144),
        (351, (3, 9, 13), 4_346_214, 1_059_785_216),
    ],
)
def test_measured_parameters_and_macs(frames, strides, parameters, macs):
    with torch.device("meta"):
        model = build("strided_transformer", frames=frames, strides=strides)
    inputs = torch.empty(1, frames, 17, 2)
    cost = count(model, inputs)
    assert cost.parameters == parameters
    # The sheet's numbers hold the head that lifts all frames, which only training needs.
    assert cost.macs + frames * 256 * 51 == macs
    assert cost.macs == traced_macs(model, inputs)


def test_parts_of_the_published_size():
    with torch.device("meta"):
        model = build("strided_transformer")
    sizes = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    assert sizes["embedding"] == 9_472
    assert sizes["head"] == sizes["sequence_head"] == 13_619
    own_norm = 512
    assert sizes["temporal_blocks"] + model.temporal_position.numel() + own_norm == 1_671_680
    assert sizes["strided"] + own_norm == 2_637_824


def test_the_skip_path_starts_from_frame_0(small):
    block = small.strided.blocks[0]
    tokens = torch.randn(1, 27, 32).double()
    with torch.inference_mode():
        attended = block.attend(tokens)
        branch = block.mlp(block.norm2(attended).mT).mT
        assert torch.equal(block(tokens), attended[:, ::3] + branch)


def test_attention_comes_on_request_and_changes_nothing(small):
    inputs = clip(2, 27, 2)
    with torch.inference_mode():
        plain, (poses, maps) = small(inputs), small(inputs, return_attention=True)
    assert torch.allclose(plain, poses, atol=1e-12)
    assert torch.equal(plain, small.supervised(inputs)["poses"])
    lengths = {"temporal": (2, 27), "strided_1": (1, 27), "strided_2": (1, 9), "strided_3": (1, 3)}
    assert {kind: tuple(values.shape) for kind, values in maps.items()} == {
        kind: (2, blocks, 8, length, length) for kind, (blocks, length) in lengths.items()
    }
    for values in maps.values():
        assert torch.allclose(values.sum(-1), torch.ones(()).double())


def test_clips_of_a_batch_do_not_see_each_other(small):
    inputs, order = clip(3, 27, 2), torch.tensor([2, 0, 1])
    with torch.inference_mode():
        assert torch.allclose(small(inputs)[order], small(inputs[order]), atol=1e-12)


def test_flip_averaging_commutes_with_mirroring(small):
    inputs = clip(2, 27, 2)
    with torch.inference_mode():
        averaged, _ = lift_clips(small, PLAIN, inputs, H36M_17.flip)
        mirrored, _ = lift_clips(small, PLAIN, mirror(inputs, H36M_17.flip), H36M_17.flip)
    assert torch.allclose(mirror(averaged, H36M_17.flip), mirrored, atol=1e-12)


def test_it_learns_a_few_clips():
    torch.manual_seed(0)
    model = build("strided_transformer", **SMALL, dropout=0.0, embedding_dropout=0.0, in_channels=5)
    inputs, target = torch.randn(4, 27, 17, 5), torch.randn(4, 27, 17, 3)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(60):
        both = model.supervised(inputs)
        loss = (both["sequence"] - target).norm(dim=-1).mean() + (both["poses"] - target[:, 13:14]).norm(dim=-1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.4 * losses[0], losses[:: len(losses) - 1]
    trained = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    idle = {name for name, _ in model.named_parameters()} - trained
    assert all(name.startswith("unused_norms") for name in idle)


def test_a_checkpoint_brings_the_strides_back(tmp_path):
    model = build("strided_transformer", **SMALL)
    checkpoints.save(tmp_path / "a.safetensors", model, {})
    loaded, _ = checkpoints.load(tmp_path / "a.safetensors")
    assert loaded.config == model.config


@pytest.mark.parametrize(
    ("config", "message"),
    [({"frames": 81}, r"strides \(3, 9, 13\) is not 81 frames"), ({"heads": 7}, "256 cannot be split over 7 heads")],
)
def test_impossible_settings_are_named(config, message):
    with pytest.raises(InputError, match=message):
        build("strided_transformer", **config)
