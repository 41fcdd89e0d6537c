"""Two processes that torchrun starts, on the CPU, against one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from test_every_model import SMALL
from train_together import CASES, flat, trained

from poselib.distributed import WITH_UNUSED, Alone, Together, processes
from poselib.errors import InputError
from poselib.models import build

HERE = Path(__file__).parent


def test_two_processes_come_to_the_weights_of_one_and_resume_to_the_same_bits(prepared, tmp_path):
    launch = ("-m", "torch.distributed.run", "--nproc-per-node", "2", str(HERE / "train_together.py"), str(tmp_path))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": f"{HERE.parent}"}
    done = subprocess.run([sys.executable, *launch], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000]
    ranks = [load_file(tmp_path / f"rank{rank}") for rank in range(2)]
    for name, case in CASES.items():
        alone = trained(case, prepared, tmp_path / "alone" / name, Alone())
        assert alone.epoch * case[3].batches == 20
        assert (flat(alone) - ranks[0][name]).abs().max() < 1e-9, name
        losses = torch.tensor([row["loss"] for row in alone.log])
        assert torch.allclose(ranks[0][f"losses of {name}"], losses, rtol=1e-6) and losses[1] < losses[0]
    assert all(torch.equal(ranks[0][name], ranks[1][name]) for name in ranks[0])
    assert torch.equal(ranks[0]["killed"], ranks[0]["whole"])
    # The other process wrote no snapshots of its own.
    assert sorted(path.name for path in (tmp_path / "together").iterdir()) == sorted([*CASES, "killed", "whole"])


def test_a_model_with_batch_norms_is_refused_without_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    one = Together.__new__(Together)
    with pytest.raises(InputError, match="strided_transformer: has batch norms.*; train it in one process"):
        one.prepare(build("strided_transformer", frames=9, dim=16, depth=2, heads=2, strides=(3, 3)))
    model = build("mixste", frames=5, dim=16, depth=1, heads=2)
    assert one.prepare(model) is model


def test_models_with_unused_weights_are_known():
    for name, sizes in SMALL.items():
        model = build(name, **sizes).train()
        outputs = model.supervised(torch.randn(2, model.config.frames, 17, 2)).values()
        sum(output.square().sum() for output in outputs).backward()
        unused = any(weights.grad is None for weights in model.parameters())
        assert unused == (name in WITH_UNUSED), name


def test_shares_are_all_clips_and_differ_by_one_at_most():
    shares = []
    for rank in range(3):
        one = Together.__new__(Together)
        one.rank, one.count = rank, 3
        shares.append(list(range(8))[one.share(8, 0, 1, 2)])
        drawn = torch.rand(1)
        one.share(8, 0, 1, 2)
        assert torch.equal(torch.rand(1), drawn)
        one.share(8, 0, 1, 3)
        assert not torch.equal(torch.rand(1), drawn)
    assert sum(shares, []) == list(range(8)) and sorted(map(len, shares)) == [2, 3, 3]


def test_a_process_without_a_clip_of_its_own_adds_nothing(monkeypatch):
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda value: None)
    weight, found = torch.ones(1, requires_grad=True), []
    for rank in range(3):
        one = Together.__new__(Together)
        one.rank, one.count = rank, 3
        own = list(range(2))[one.share(2, 0, 1, 2)]
        found.append((own, one.backward((rank + 1) * weight.sum(), 2)))
    assert found == [([0], 0.0), ([0], 1.0), ([1], 1.5)] and weight.grad.item() == 3 * (1.0 + 1.5)


def test_the_option_and_torchrun_belong_together(monkeypatch):
    with pytest.raises(InputError, match="not started by torchrun; give"):
        processes(together=True)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    with pytest.raises(InputError, match="started by torchrun; give it --distributed"):
        processes(together=False)
