import numpy as np
import pytest
import torch

from poselib import checkpoints
from poselib.complexity import count, traced_macs
from poselib.errors import InputError
from poselib.geometry import mirror
from poselib.inference import lift_clips
from poselib.interop import to_official
from poselib.interop.uplift_upsample import FORMAT
from poselib.models import build
from poselib.models.uplift_upsample import ORDER
from poselib.skeleton import H36M_17
from poselib.strategies import PLAIN

SMALL = {
    "frames": 9,
    "spatial_dim": 8,
    "dim": 16,
    "heads": 2,
    "depth": 2,
    "strides": (3, 3),
    "paddings": ((1, 1), (0, 0)),
}
N_81 = {"frames": 41, "strides": (4, 4, 3), "paddings": ((1, 1), (0, 0), (0, 0))}
M_1 = torch.tensor([[1, 0, 0, 0, 1, 0, 0, 0, 1]] * 2, dtype=torch.bool)
M_2 = torch.tensor([[0, 1, 0, 0, 0, 1, 0, 0, 0], [0, 0, 1, 0, 0, 0, 1, 0, 0]], dtype=torch.bool)
GAMMAS = tuple(f"block_{i}/{part}" for i in (1, 2, 3, 4) for part in (0, 10)) + ("spatial_norm/0",)


def load_double(amplitude, **config):
    """The sheet's filling: array k is amplitude * sin(i (k + 1)), one added to every gamma."""
    model = build("uplift_upsample", **config).double().eval()
    theirs = to_official(model)
    for k, (name, value) in enumerate(theirs.items()):
        values = amplitude * np.sin(np.arange(value.numel()) * (k + 1.0)) + name.endswith(GAMMAS)
        theirs[name] = torch.tensor(values.reshape(tuple(value.shape)))
    model.load_state_dict(FORMAT.to_ours(theirs, model.state_dict()))
    return model


def clip(batch, frames):
    """The sheet's input (B, T, 17, 2) in the authors' joint order, before masking."""
    i = np.arange(batch * frames * 34)
    return torch.tensor(0.5 * np.sin(0.1 * i) + 0.3 * np.cos(0.37 * i)).reshape(batch, frames, 17, 2)


def usual(poses):
    """From the authors' joint order to the usual one."""
    return poses[:, :, np.argsort(ORDER)]


@torch.inference_mode()
def golden(model, key_frames):
    """Both outputs in the authors' joint order."""
    inputs = clip(len(key_frames), model.config.frames) * key_frames[..., None, None]
    both = model.supervised(usual(inputs), key_frames)
    return both["sequence"][:, :, ORDER], both["poses"][:, :, ORDER]


def numbers(output, places):
    values = output.flatten()[list(places)].tolist()
    return [output.mean().item(), output.std(unbiased=False).item(), *values]


SEQUENCE_PLACES, POSE_PLACES = (0, 1, 2, 306, 459, 917), (0, 1, 2, 34, 51, 101)


@pytest.mark.parametrize(
    ("amplitude", "key_frames", "sequence", "poses"),
    [
        (
            0.02,
            M_1,
            (0.000371, 0.014403, 0.000408, 0.019796, -0.016659, -0.001407, 0.000395, 0.016875),
            (0.000011, 0.014217, -0.001573, -0.015653, 0.015679, -0.017847, -0.001560, 0.018291),
        ),
        (
            0.02,
            M_2,
            (0.000371, 0.014404, 0.000241, 0.019897, -0.016416, -0.001409, 0.000240, 0.017067),
            (0.000011, 0.014215, -0.001676, -0.015556, 0.015588, -0.017723, -0.001590, 0.018334),
        ),
        (
            0.2,
            M_1,
            (0.012691, 0.413182, -0.045163, 0.830537, 0.357729, -0.232158, 0.013119, 0.590626),
            (0.001117, 0.299978, -0.335817, 0.147003, -0.129593, 0.166737, -0.337804, 0.555136),
        ),
        (
            0.2,
            M_2,
            (0.012989, 0.431084, -0.128624, 0.677821, 0.326498, -0.272806, -0.039380, 0.616023),
            (-0.001297, 0.247192, -0.136911, -0.037008, 0.039162, -0.151679, -0.237981, 0.126331),
        ),
    ],
)
def test_golden_outputs(amplitude, key_frames, sequence, poses):
    found_sequence, found = golden(load_double(amplitude, **SMALL), key_frames)
    assert found_sequence.shape == (2, 9, 17, 3) and found.shape == (2, 1, 17, 3)
    assert numbers(found_sequence, SEQUENCE_PLACES) == pytest.approx(sequence, abs=3e-6)
    assert numbers(found, POSE_PLACES) == pytest.approx(poses, abs=3e-6)


@pytest.mark.parametrize(
    ("config", "keys", "sequence_places", "sequence", "poses"),
    [
        (
            N_81,
            range(0, 41, 5),
            (0, 1, 2, 697, 1045, 2090),
            (-0.000007, 0.021269, 0.004232, 0.047204, 0.046123, 0.015819, 0.004531, 0.004732),
            (-0.000261, 0.030420, -0.014803, -0.015329, 0.041307, 0.033255, -0.013958, -0.011913),
        ),
        (
            {},
            range(3, 68, 4),
            (0, 1, 2, 1207, 1810, 3620),
            (-0.000004, 0.021801, -0.000641, 0.019266, 0.002079, -0.033139, 0.004763, -0.003769),
            (-0.000203, 0.030855, -0.011926, -0.018796, 0.044003, 0.035639, -0.010725, -0.008483),
        ),
    ],
)
def test_golden_outputs_at_published_sizes(config, keys, sequence_places, sequence, poses):
    model = load_double(0.02, **config)
    key_frames = torch.zeros(1, model.config.frames, dtype=torch.bool)
    key_frames[:, list(keys)] = True
    found_sequence, found = golden(model, key_frames)
    assert numbers(found_sequence, sequence_places) == pytest.approx(sequence, abs=3e-6)
    assert numbers(found, (0, 1, 2, 17, 25, 50)) == pytest.approx(poses, abs=3e-6)


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (N_81, 10_377_254),
        (N_81 | {"sequence_head": False}, 10_357_619),
        (N_81 | {"upsampling_token": False}, 10_376_870),
        (N_81 | {"upsampling_token": False, "sequence_head": False}, 10_357_235),
        ({}, 10_404_902),
        ({"sequence_head": False}, 10_385_267),
        (SMALL, 16_598),
    ],
)
def test_published_parameter_counts(config, parameters):
    with torch.device("meta"):
        model = build("uplift_upsample", **config)
    assert sum(parameter.numel() for parameter in model.parameters()) == parameters


@pytest.mark.parametrize(
    ("config", "stride_in", "matrix_products", "all_real", "published"),
    [(N_81, 10, 539.1, 592.9, 542.56), ({}, 20, 959.3, 1048.5, 966.19)],
)
def test_published_cost(config, stride_in, matrix_products, all_real, published):
    with torch.device("meta"):
        model = build("uplift_upsample", **config)
    tokens, frames = model.config.frames, 81 if config else 351
    key_frames = torch.arange(tokens)[None] < (frames - 1) // stride_in + 1
    inputs = torch.empty(1, tokens, 17, 2)
    macs = count(model, inputs, key_frames=key_frames).macs
    assert macs == traced_macs(model, inputs, key_frames=key_frames)
    assert 2 * macs / 1e6 == pytest.approx(matrix_products, abs=0.05)
    # The rest of what the authors' profiler counts is element-wise.
    assert 0 < published - 2 * macs / 1e6 < 0.008 * published
    assert 2 * count(model, inputs).macs / 1e6 == pytest.approx(all_real, abs=0.05)


def test_the_authors_joint_order():
    assert ORDER == (3, 2, 1, 4, 5, 6, 0, 8, 7, 9, 10, 16, 15, 14, 11, 12, 13)
    flip = [ORDER.index(H36M_17.flip[joint]) for joint in ORDER]
    assert flip == [5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 10, 16, 15, 14, 13, 12, 11]


def test_other_joint_sets_keep_their_order():
    model = build("uplift_upsample", **SMALL, joints=15, in_channels=5).eval()
    assert model.order.tolist() == list(range(15))
    assert model(torch.randn(2, 9, 15, 5)).shape == (2, 1, 15, 3)


@pytest.fixture(scope="module")
def small():
    return load_double(0.2, **SMALL)


def test_poses_between_key_frames_have_no_influence(small):
    inputs = clip(2, 9)
    other = torch.where(M_2[..., None, None], inputs, 7.0)
    with torch.inference_mode():
        assert torch.equal(small(inputs, M_2), small(other, M_2))
        assert not torch.allclose(small(inputs, M_2), small(inputs, M_1))


def test_no_mask_means_that_every_frame_is_real(small):
    inputs = clip(2, 9)
    with torch.inference_mode():
        every = small.supervised(inputs, torch.ones(2, 9, dtype=torch.bool))
        for name, output in small.supervised(inputs).items():
            assert torch.allclose(output, every[name], atol=1e-12)


def test_a_clip_without_key_frames_stays_finite_and_alone(small):
    inputs, key_frames = clip(2, 9), M_1.clone()
    key_frames[1] = False
    with torch.inference_mode():
        mixed = small(inputs, key_frames)
        assert mixed.isfinite().all() and small(inputs, torch.zeros_like(M_1)).isfinite().all()
        assert torch.allclose(mixed[:1], small(inputs[:1], M_1[:1]), atol=1e-12)


def test_only_the_first_temporal_block_is_masked(small):
    with torch.inference_mode():
        _, maps = small(clip(2, 9), M_1, return_attention=True)
    first, second = maps["temporal"][:, 0], maps["temporal"][:, 1]
    assert (first[..., ~M_1[0]] == 0).all() and (first[..., M_1[0]] > 0).all()
    assert (second > 0).all()


@pytest.mark.parametrize("key_frames", [None, M_2])
def test_attention_comes_on_request_and_changes_nothing(small, key_frames):
    inputs = clip(2, 9)
    with torch.inference_mode():
        plain, (poses, maps) = small(inputs, key_frames), small(inputs, key_frames, return_attention=True)
    assert torch.allclose(plain, poses, atol=1e-12)
    assert torch.equal(plain, small.supervised(inputs, key_frames)["poses"])
    assert {kind: tuple(values.shape) for kind, values in maps.items()} == {
        "spatial": (2, 2, 9, 2, 17, 17),
        "temporal": (2, 2, 2, 9, 9),
        "strided_1": (2, 1, 2, 9, 9),
        "strided_2": (2, 1, 2, 3, 3),
    }
    for kind, values in maps.items():
        expected = torch.ones(()).double()
        if kind == "spatial" and key_frames is not None:
            expected = key_frames.double()[:, None, :, None, None]
        assert torch.allclose(values.sum(-1), expected)


def test_spatial_maps_are_in_the_usual_joint_order(small):
    inputs = clip(1, 9)
    with torch.inference_mode():
        _, maps = small(inputs, return_attention=True)
        tokens = small.embedding(inputs[0][:, list(ORDER)]) + small.spatial_position
        block = small.spatial_blocks[0]
        _, first = block.attention.with_map(block.norm1(tokens))
    wrist, hip = H36M_17.index["left_wrist"], H36M_17.index["right_hip"]
    expected = first[:, :, ORDER.index(wrist), ORDER.index(hip)]
    assert torch.allclose(maps["spatial"][0, 0, :, :, wrist, hip], expected, atol=1e-12)


def test_clips_of_a_batch_do_not_see_each_other(small):
    inputs, key_frames, order = clip(3, 9), torch.cat([M_1, M_2[:1]]), torch.tensor([2, 0, 1])
    with torch.inference_mode():
        permuted = small(inputs[order], key_frames[order])
        assert torch.allclose(small(inputs, key_frames)[order], permuted, atol=1e-12)


def test_flip_averaging_commutes_with_mirroring(small):
    inputs = clip(2, 9)
    with torch.inference_mode():
        averaged, _ = lift_clips(small, PLAIN, inputs, H36M_17.flip)
        mirrored, _ = lift_clips(small, PLAIN, mirror(inputs, H36M_17.flip), H36M_17.flip)
    assert torch.allclose(mirror(averaged, H36M_17.flip), mirrored, atol=1e-12)


def test_stochastic_depth_rises_in_the_spatial_part_and_is_off_in_the_temporal_one():
    model = build("uplift_upsample", **SMALL | {"depth": 4})
    rates = [block.drop_path.rate for block in model.spatial_blocks]
    assert rates == pytest.approx([0, 0.1 / 3, 0.2 / 3, 0.1])
    assert {block.drop_path.rate for block in model.temporal_blocks} == {0}
    meant = build("uplift_upsample", **SMALL | {"depth": 4}, temporal_drop_path=0.1)
    assert [block.drop_path.rate for block in meant.temporal_blocks] == pytest.approx(rates)


def test_start_values():
    torch.manual_seed(0)
    model = build("uplift_upsample")
    attention = model.temporal_blocks[0].attention
    bound = (6 / 768) ** 0.5
    for part in attention.qkv.weight.chunk(3):
        assert 0.99 * bound < part.abs().max() <= bound
    convolution = model.strided.blocks[0].mlp.fc2
    bound = (6 / (3 * 768 + 3 * 384)) ** 0.5
    assert 0.99 * bound < convolution.weight.abs().max() <= bound
    assert not convolution.bias.any() and not attention.qkv.bias.any()
    assert 0.015 < model.temporal_position.std() < 0.02 and model.temporal_position.abs().max() <= 0.04
    assert model.upsampling_token.any() and model.strided.positions[2].any()


def test_it_learns_a_few_clips():
    torch.manual_seed(0)
    model = build("uplift_upsample", **SMALL | {"dim": 32}, drop_path=0.0)
    key_frames = torch.cat([M_1, M_2])
    inputs, target = torch.randn(4, 9, 17, 2), torch.randn(4, 9, 17, 3)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(80):
        both = model.supervised(inputs, key_frames)
        loss = (both["sequence"] - target).norm(dim=-1).mean() + (both["poses"] - target[:, 4:5]).norm(dim=-1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.4 * losses[0], losses[:: len(losses) - 1]
    assert all(parameter.grad.any() for name, parameter in model.named_parameters() if "key.bias" not in name)


def test_without_its_sequence_head_only_the_pose_is_supervised():
    model = build("uplift_upsample", **SMALL, sequence_head=False)
    assert list(model.supervised(torch.randn(1, 9, 17, 2))) == ["poses"]


def test_a_checkpoint_brings_strides_and_paddings_back(tmp_path):
    model = build("uplift_upsample", **SMALL)
    checkpoints.save(tmp_path / "a.safetensors", model, {})
    loaded, _ = checkpoints.load(tmp_path / "a.safetensors")
    assert loaded.config == model.config and loaded.order.tolist() == list(ORDER)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"frames": 243}, "leave 2 of 243 tokens, not 1"),
        ({"dim": 348}, "width 348 cannot be split over 8 heads"),
        ({"spatial_dim": 12}, "width 12 cannot be split"),
        ({"paddings": ((0, 0), (0, 0))}, "a pair of 0 or 1 for each of strides"),
        ({"paddings": ((0, 2), (0, 0), (0, 0))}, "a pair of 0 or 1 for each of strides"),
    ],
)
def test_impossible_settings_are_named(config, message):
    with pytest.raises(InputError, match=message):
        build("uplift_upsample", **config)


def test_the_dense_variant_takes_no_mask():
    model = build("uplift_upsample", **SMALL, upsampling_token=False)
    assert model(torch.randn(2, 9, 17, 2)).shape == (2, 1, 17, 3)
    with pytest.raises(InputError, match="without an upsampling token takes no key_frames"):
        model(torch.randn(2, 9, 17, 2), M_1)
