"""A start with distinct joints changes what it says and nothing else."""

import torch

from poselib.distinct_start import set_joints_apart
from poselib.models import build


def started(name, **config):
    torch.manual_seed(0)
    model = build(name, **config)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    set_joints_apart(model)
    return before, model.state_dict()


def test_positions_inputs_and_spatial_logits_grow_and_nothing_else():
    before, after = started("mixste", frames=3, depth=2, dim=16, heads=2)
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    logits = {f"spatial_blocks.{i}.attention.qkv.weight" for i in range(2)}
    assert changed == {"spatial_position", "embedding.weight", *logits}
    assert 0.8 < after["spatial_position"].std() < 1.2
    torch.testing.assert_close(after["embedding.weight"], 3 * before["embedding.weight"])
    for key in logits:
        torch.testing.assert_close(after[key][:32], 2.5 * before[key][:32])
        torch.testing.assert_close(after[key][32:], before[key][32:])


def test_graph_networks_stay_as_they_are():
    before, after = started("gla_gcn", frames=9, dim=8)
    assert all(torch.equal(before[key], after[key]) for key in before)
