from dataclasses import replace

import numpy as np
import pytest
import torch
from faults import archives
from faults.catalogue import TRACE

from poselib import training
from poselib.errors import InputError
from poselib.models import build
from poselib.recipe import SCHEDULES, Recipe
from poselib.strategies import STRATEGIES
from poselib.training import train

RECIPE = Recipe(
    detector="cpn",
    terms={"position": 1.0, "velocity": 2.0},
    joint_weights=(1.0,) * 17,
    epochs=3,
    batch_clips=2,
    lr=3e-3,
    schedule="linear_tail",
    lr_decay=0.99,
    weight_decay=0.1,
    batches=4,
)
MODEL = build("mixste", frames=5, dim=8, depth=1, heads=2)


def run(prepared, snapshot, seed=0, name="tmt", recipe=RECIPE):
    torch.manual_seed(seed)
    strategy = STRATEGIES[name]
    model = build("mixste", frames=5, dim=8, depth=2, heads=2, drop_path=0.3, in_channels=strategy.in_channels)
    return train(model, strategy, recipe, prepared, seed=seed, snapshot=snapshot, name="test")


def weights(progress, split="validation"):
    return torch.cat([tensor.flatten() for tensor in progress.best[split]["weights"].values()])


class Killed(Exception):
    pass


@pytest.mark.parametrize("die_at", [1, 5, 8, 11])
def test_a_killed_training_resumes_to_the_same_bits(prepared, tmp_path, monkeypatch, die_at):
    whole = run(prepared, tmp_path / "whole")
    monkeypatch.setattr(training, "SNAPSHOT_EVERY_S", 0.0)
    calls = {"left": die_at}
    gather = training._Batches.gather

    def dying(self, numbers):
        calls["left"] -= 1
        if calls["left"] == 0:
            raise Killed
        return gather(self, numbers)

    monkeypatch.setattr(training._Batches, "gather", dying)
    with pytest.raises(Killed):
        run(prepared, tmp_path / "cut")
    torch.rand(7)
    resumed = run(prepared, tmp_path / "cut")
    for split in ("validation", "test"):
        assert torch.equal(weights(whole, split), weights(resumed, split))
    assert whole.log == resumed.log and whole.updates == resumed.updates


def test_one_seed_gives_one_result_and_another_seed_another(prepared, tmp_path):
    first, second, other = (run(prepared, tmp_path / name, seed) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert torch.equal(weights(first), weights(second))
    assert not torch.equal(weights(first), weights(other))


def test_updates_are_counted_by_strategy(prepared, tmp_path):
    counts = {name: run(prepared, tmp_path / name, name=name).updates for name in STRATEGIES}
    assert counts["plain"] == counts["tmt_equal_updates"] == counts["tmt_step2"] == 12
    assert counts["tmt"] == 24


def test_an_epoch_without_bound_takes_every_clip_once_plain_and_once_mirrored(prepared):
    recipe = Recipe(**{**RECIPE.__dict__, "batches": None})
    batches = training._Batches(prepared, recipe, MODEL, 0)
    assert sorted(batches.clips_of(0).tolist()) == list(range(2 * len(batches.windows)))
    assert batches.clips_of(0).tolist() != batches.clips_of(1).tolist()
    assert len(batches) * recipe.batch_clips >= 2 * len(batches.windows)


def test_overlapping_clips_make_an_epoch_longer_unless_updates_are_to_be_equal(prepared):
    def lengths(**changes):
        batches = training._Batches(prepared, replace(RECIPE, **changes), MODEL, 0)
        return len(batches), len(batches.windows)

    _, apart = lengths()
    count, clips = lengths(interval=1)
    assert clips > 2 * apart and count == round(4 * clips / apart)
    assert lengths(interval=1, equal_updates=True) == (4, clips)
    assert lengths(interval=1, batches=None) == (clips, clips)
    assert lengths(interval=1, batches=None, equal_updates=True) == (apart, clips)


def test_mirrored_clips_are_mirrored_in_input_and_target(prepared):
    batches = training._Batches(prepared, RECIPE, MODEL, 0)
    n, flip = len(batches.windows), list(prepared.skeleton.flip)
    both = batches.gather(np.array([3, 3 + n]))
    for a, b in vars(both).values():
        assert torch.equal(b[..., 0], -a[..., flip, 0])
        assert torch.equal(b[..., 1:], a[..., flip, 1:])
    assert both.truth_3d[..., 0, :].abs().sum() == 0


def test_a_target_of_the_middle_frame_is_that_of_the_whole_clip(prepared):
    alone, whole = (
        training._Batches(prepared, RECIPE, build("poseformer", frames=9, dim=8, depth=1, in_channels=channels), 0)
        for channels in (2, 5)
    )
    numbers = np.arange(0, 2 * len(alone.windows), 3)
    found, expected = (batches.gather(numbers).truth_3d for batches in (alone, whole))
    assert found.shape[1] == 1 and torch.equal(found, expected[:, 4:5])


def test_a_target_that_is_not_finite_is_told(prepared):
    batches = training._Batches(prepared, RECIPE, MODEL, 0)
    prepared.poses_3d[batches.windows.frame_numbers([3])[0, 2], 5] = np.inf
    with pytest.raises(InputError, match="3D: NaN or infinity; prepare the role again"):
        batches.gather(np.array([3, 3 + len(batches.windows)]))


def test_training_lowers_the_error(prepared, tmp_path):
    log = run(prepared, tmp_path / "long", recipe=Recipe(**{**RECIPE.__dict__, "batches": 60, "lr": 1e-2})).log
    assert log[-1]["validation_mpjpe_mm"] < 0.8 * log[0]["validation_mpjpe_mm"]
    assert log[-1]["loss"] < log[0]["loss"]


def test_learning_rate_rules():
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    progress = training.Progress(None, optimiser, None)
    rates = []
    for progress.epoch in range(3):
        for progress.batch in range(40):
            training._set_learning_rate(progress, RECIPE, 40)
            rates.append(optimiser.param_groups[0]["lr"] / RECIPE.lr)
    assert rates[0] < 0.05 and rates[10] == 1.0 and rates[70] == 1.0 and 0 < rates[-1] < 0.03
    exponential = Recipe(**{**RECIPE.__dict__, "schedule": "exponential"})
    training._set_learning_rate(progress, exponential, 40)
    assert optimiser.param_groups[0]["lr"] == pytest.approx(RECIPE.lr * 0.99**2)


def test_published_learning_rates():
    halving = Recipe(**{**RECIPE.__dict__, "lr": 1e-3, "lr_decay": 0.95})
    rates = [1e-3 * SCHEDULES["halving"](halving, epoch, 0) for epoch in (0, 1, 4, 5, 10, 18)]
    assert rates == pytest.approx([1e-3, 9.5e-4, 8.145e-4, 4.073e-4, 1.659e-4, 5.79e-5], rel=1e-3)
    cosine = Recipe(**{**RECIPE.__dict__, "lr": 0.01, "epochs": 80})
    rates = [0.01 * SCHEDULES["cosine"](cosine, epoch, 0) for epoch in (1, 20, 40, 60, 79)]
    assert rates == pytest.approx([0.0099961, 0.0085370, 0.0050050, 0.0014730, 0.0000139], abs=1e-7)


@pytest.mark.parametrize("harm", [archives.text, archives.malicious_weights, lambda path: torch.save([1], path)])
def test_a_damaged_snapshot_is_named_and_nothing_in_it_runs(prepared, tmp_path, monkeypatch, harm):
    monkeypatch.chdir(tmp_path)
    harm(tmp_path / "snapshot")
    with pytest.raises(InputError, match="damaged snapshot; delete it"):
        run(prepared, tmp_path / "snapshot")


def test_a_snapshot_made_on_a_gpu_goes_on_without_one(prepared, tmp_path, monkeypatch):
    path, here = tmp_path / "snapshot", torch.get_rng_state()
    progress = run(prepared, path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda: here)
    progress.save(path)
    taken = []
    monkeypatch.setattr(torch.cuda, "set_rng_state", taken.append)
    progress.restore(path)
    assert torch.equal(taken.pop(), here)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    progress.restore(path)
    assert not taken
    assert not (tmp_path / TRACE).exists()
