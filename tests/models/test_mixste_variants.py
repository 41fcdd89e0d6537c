"""MixSTE's own ablations: the components of Table 5 and the sparse temporal attentions of Fig. 9."""

import pytest
import torch
from golden import clip, truth

from poselib.complexity import count, traced_macs
from poselib.errors import InputError
from poselib.geometry import mirror
from poselib.inference import lift_clips
from poselib.layers.attention import SelfAttention
from poselib.layers.sparse_attention import SPARSE
from poselib.models import build
from poselib.skeleton import H36M_17
from poselib.strategies import PLAIN

SMALL = {"frames": 9, "dim": 16, "depth": 3, "heads": 4, "drop_path": 0.0}
BASELINE = {"alternating": False, "joint_separation": False}
TABLE_5 = [BASELINE, {"joint_separation": False}, {}]  # its last row differs in the loss alone
VARIANTS = [*TABLE_5[:2], {"alternating": False}, *({"temporal_attention": kind} for kind in SPARSE)]


def small(**config):
    torch.manual_seed(0)
    model = build("mixste", **{**SMALL, **config}).double()
    for parameter in model.parameters():  # also what starts at zero or one
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model.eval()


def published(**config):
    with torch.device("meta"):
        return build("mixste", **config)


def of_frames(model, tokens, blocks):
    for block in blocks:
        tokens = torch.stack([block(sequence) for sequence in tokens.flatten(2)[:, None]]).view(tokens.shape)
    return model.temporal_norm(tokens.flatten(2)).view(tokens.shape)


def of_joints(model, tokens, blocks):
    for block in blocks:
        tokens = torch.stack([block(sequence) for sequence in tokens])
    return model.spatial_norm(tokens)


def test_baseline_is_all_spatial_then_all_temporal_blocks_over_whole_frames():
    model, inputs = small(**BASELINE), clip(2, 9, 2)
    with torch.inference_mode():
        tokens = of_joints(model, model.embedding(inputs) + model.spatial_position, model.spatial_blocks)
        tokens = tokens + model.temporal_position.view(1, 9, 17, 16)
        tokens = of_frames(model, tokens, model.temporal_blocks)
        expected = model.head(tokens.flatten(2)).view(2, 9, 17, 3)
        assert torch.allclose(model(inputs), expected, atol=1e-12)


def test_second_row_alternates_them():
    model, inputs = small(joint_separation=False), clip(2, 9, 2)
    with torch.inference_mode():
        tokens = model.embedding(inputs) + model.spatial_position
        for pair in range(3):
            tokens = of_joints(model, tokens, model.spatial_blocks[pair : pair + 1])
            tokens = tokens + (pair == 0) * model.temporal_position.view(1, 9, 17, 16)
            tokens = of_frames(model, tokens, model.temporal_blocks[pair : pair + 1])
        expected = model.head(tokens.flatten(2)).view(2, 9, 17, 3)
        assert torch.allclose(model(inputs), expected, atol=1e-12)


@pytest.mark.parametrize("depth", [1, 3])
def test_alternation_is_the_order_of_blocks_and_nothing_else(depth):
    model, sequential = small(depth=depth), small(depth=depth, alternating=False)
    sequential.load_state_dict(model.state_dict())
    with torch.inference_mode():
        difference = (model(clip(2, 9, 2)) - sequential(clip(2, 9, 2))).abs().max()
    assert difference == 0 if depth == 1 else difference > 0.01


def test_joint_separation_of_a_single_joint_changes_nothing():
    model, joined = small(joints=1), small(joints=1, joint_separation=False)
    joined.load_state_dict(model.state_dict())
    with torch.inference_mode():
        assert torch.equal(model(clip(2, 9, 2, joints=1)), joined(clip(2, 9, 2, joints=1)))


# MixSTE, Table 5 and the text below it, at T = 243, d_l = 8, d_m = 512.
def test_table_5_cells_of_the_rows_with_joint_separation():
    model = published()
    assert count(model, torch.empty(1, 243, 17, 2)).flops_per_frame_as_mixste / 1e6 == pytest.approx(645, abs=0.5)


@pytest.mark.parametrize("config", TABLE_5[:2])
def test_table_5_cells_without_joint_separation_are_not_counts(config):
    """The printed 186405 is 645 scaled by J^2: the square of the width grew, but there are J times fewer tokens."""
    printed, joints, dim, depth, frames = 186_405, 17, 512, 8, 243
    assert printed == 645 * joints**2
    model, inputs = published(**config), torch.empty(1, frames, joints, 2)
    cost, width = count(model, inputs), joints * dim
    assert cost.macs == traced_macs(model, inputs)
    assert cost.flops_per_frame_as_mixste / 1e6 == pytest.approx(9773, abs=0.5)
    assert cost.flops_per_frame / 1e6 == pytest.approx(10341, abs=0.5)
    blocks = depth * sum(8 * d * d + 11 * d for d in (dim, width))
    ends = 3 * dim + joints * dim + frames * width + 2 * dim + 4 * width + (width + 1) * 3 * joints
    assert cost.parameters == blocks + ends == 4_868_808_755


def test_joint_separation_saves_flops_fifteenfold_rather_than_289_fold():
    joined, separate = (
        count(published(**config), torch.empty(1, 243, 17, 2)) for config in ({"joint_separation": False}, {})
    )
    assert joined.flops_per_frame_as_mixste / separate.flops_per_frame_as_mixste == pytest.approx(15.1, abs=0.1)
    assert joined.flops_per_frame / separate.flops_per_frame == pytest.approx(8.5, abs=0.1)


@pytest.mark.parametrize("config", VARIANTS, ids=str)
def test_variants_lift_any_channels_and_show_their_maps(config):
    model, inputs = small(**config, in_channels=5), clip(2, 9, 5)
    with torch.inference_mode():
        plain, (output, maps) = model(inputs), model(inputs, return_attention=True)
    assert plain.shape == (2, 9, 17, 3) and torch.allclose(plain, output, atol=1e-12)
    assert maps["spatial"].shape == (2, 3, 9, 4, 17, 17)
    sequences = 17 if config.get("joint_separation", True) else 1
    columns = 3 if config.get("temporal_attention") == "linformer" else 9
    assert maps["temporal"].shape == (2, 3, sequences, 4, 9, columns)
    if config.get("temporal_attention") != "rectified":
        assert torch.allclose(maps["temporal"].sum(-1), torch.ones(()).double())


@pytest.mark.parametrize("config", VARIANTS, ids=str)
def test_variants_are_counted_treat_clips_alone_and_mirror(config):
    model, inputs, order = small(**config), clip(3, 9, 2), torch.tensor([2, 0, 1])
    assert count(model, inputs).macs == traced_macs(model, inputs)
    with torch.inference_mode():
        assert torch.allclose(model(inputs)[order], model(inputs[order]), atol=1e-12)
        averaged, _ = lift_clips(model, PLAIN, inputs, H36M_17.flip)
        mirrored, _ = lift_clips(model, PLAIN, mirror(inputs, H36M_17.flip), H36M_17.flip)
    assert torch.allclose(mirror(averaged, H36M_17.flip), mirrored, atol=1e-12)


@pytest.mark.parametrize("config", VARIANTS, ids=str)
def test_variants_learn(config):
    torch.manual_seed(0)
    model = build("mixste", **{**SMALL, "depth": 2}, **config)
    inputs, target = clip(4, 9, 2).float(), truth(4, 9).float()
    optimiser = torch.optim.AdamW(model.parameters(), lr=5e-3)
    losses = []
    for _ in range(60):
        loss = (model(inputs) - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


@pytest.mark.parametrize("kind", SPARSE)
def test_only_attention_over_frames_is_sparse(kind):
    model = small(temporal_attention=kind)
    assert all(type(block.attention) is SelfAttention for block in model.spatial_blocks)
    assert all(type(block.attention) is SPARSE[kind] for block in model.temporal_blocks)


def test_unknown_attention_is_named():
    with pytest.raises(InputError, match="no temporal attention 'dense'; choose one of: full, local"):
        build("mixste", temporal_attention="dense")
