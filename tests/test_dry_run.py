"""The dry run: real steps at published size, faults that are told, and hours that add up."""

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml

from poselib.data import humaneva, mpi_inf_3dhp
from poselib.experiments import Experiment, load_experiment, load_parameters
from poselib.gpu_hours import PUBLISHED, Gpu, clips_of, per_table, updates_of
from poselib.models import build
from poselib.protocols import HUMANEVA_ACTIONS
from poselib.scaling import scaled
from poselib.skeleton import H36M_17
from poselib.stages import dry_run
from poselib.stages.prepare import H36M_FRAMES
from poselib.stages.train import network, recipe_of
from poselib.strategies import STRATEGIES
from poselib.training import begin, take_batch, train

ROOT = Path(__file__).resolve().parent.parent
GPU = Gpu("test", 10.0, 0.5, 80)
PARTS = {"strides": [3, 9, 13], "hidden": 512, "dropout": 0.1, "embedding_dropout": 0.25}
EXPERIMENTS = {
    "mixste": {
        "lifter": {"model": "mixste", "frames": 9, "detector": "cpn"},
        "mixed": {"model": "mixste", "frames": 9, "dim": 64, "depth": 4, "strategy": "tmt", "detector": "gt"},
        "endless": {
            "model": "mixste",
            "frames": 9,
            "dim": 8,
            "depth": 1,
            "losses": {"position": 1e39},
            "detector": "gt",
        },
        "uneven": {"model": "mixste", "frames": 9, "dim": 8, "depth": 1, "heads": 3, "detector": "gt"},
        "elsewhere": {"model": "mixste", "frames": 9, "dim": 8, "depth": 1, "role": "humaneva", "detector": "gt"},
        "unfit": {"model": "mixste", "frames": 9, "dim": 8, "depth": 1, "start": "mixed", "detector": "gt"},
    },
    "uplift_upsample": {
        "motions": {"model": "uplift_upsample", "frames": 71, "role": "amass", "detector": "gt", "average": True},
        "tuned": {"model": "uplift_upsample", "frames": 71, "start": "motions", "detector": "cpn", "average": True},
        "strided": {"model": "strided_transformer", "frames": 351, "detector": "cpn", "options": PARTS},
        "refined": {
            "model": "strided_transformer",
            "frames": 351,
            "start": "strided",
            "refine": True,
            "detector": "cpn",
        },
    },
    "ampose": {"frame": {"model": "ampose", "frames": 1, "detector": "cpn", "also_on": ["h36m"]}},
}
ROWS = {"mixste/table01": ["mixed", "uneven"], "mixste/table02": ["mixed", "elsewhere"]}


@pytest.fixture
def project(prepared, world, tmp_path):
    """A checkout with these experiments and two prepared roles, shorter than most clips."""
    (tmp_path / "experiments").mkdir()
    for name in ("params.yaml", "experiments/recipes.yaml"):
        shutil.copy(ROOT / name, tmp_path / name)
    for paper, entries in EXPERIMENTS.items():
        content = {"experiments": {name: {"paper": paper, **entry} for name, entry in entries.items()}}
        if paper == "mixste":
            tables = {table: [{"experiment": name, "row": {}} for name in names] for table, names in ROWS.items()}
            content["tables"] = tables
        (tmp_path / f"experiments/{paper}.yaml").write_text(yaml.safe_dump(content))
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "data/prepared").mkdir(parents=True)
    prepared.folder.rename(tmp_path / "data/prepared/h36m")
    world.folder.rename(tmp_path / "data/prepared/amass")
    return tmp_path


# Millions of parameters as printed: TMT, Table 4; Uplift and Upsample, Table 4, without what only training uses. AMPose
# prints none; its number is the sum over its layers.
@pytest.mark.parametrize(
    ("name", "parameters", "batch", "used"),
    [
        ("lifter", 33.66, 113, 1),
        ("strided", 4.34, 256, 2),
        ("motions", 10.39, 512, 1),
        ("tuned", 10.39, 512, 1),
        ("frame", 18.44, 128, 2),
    ],
)
def test_a_step_at_published_size(project, name, parameters, batch, used):
    done = dry_run.step(project, name, "paper")
    assert done.parameters / 1e6 == pytest.approx(parameters, abs=0.02)
    assert (done.batch_clips, done.used_clips, done.source) == (batch, used, "synthetic")
    assert 0 < done.loss < 20 and done.batch_gib > 16 * done.parameters / dry_run.GIB


def test_refinement_is_stepped_behind_the_started_model(project):
    plain, refined = (dry_run.step(project, name, "paper") for name in ("strided", "refined"))
    assert refined.parameters - plain.parameters == 140_322


def test_the_step_is_the_first_one_of_the_training(project, tmp_path):
    done = dry_run.step(project, "lifter", "smoke", clips=3)
    parameters = load_parameters(project, "smoke")
    setting = scaled(load_experiment(project, "lifter"), parameters.chosen)
    prepared = dry_run.opened(project, setting)
    recipe = recipe_of(setting, parameters.chosen, prepared.skeleton.names)
    torch.manual_seed(0)
    model, _ = network(project, setting, parameters, prepared, None)
    short = replace(recipe, epochs=1, batches=1, batch_clips=3)
    whole = train(model, STRATEGIES["plain"], short, prepared, seed=0, snapshot=tmp_path / "snapshot", name="")
    assert done.loss == whole.log[0]["loss"] and (done.batch_clips, done.used_clips) == (16, 3)


@pytest.mark.parametrize("name", ["lifter", "strided"])
def test_without_room_for_moments_each_weight_takes_the_same_step(project, name, monkeypatch):
    parameters, moved = load_parameters(project, "smoke"), []
    setting = scaled(load_experiment(project, name), parameters.chosen)
    prepared = dry_run.opened(project, setting)
    recipe = recipe_of(setting, parameters.chosen, prepared.skeleton.names)
    for alone in (False, True):
        torch.manual_seed(0)
        progress, batches = begin(network(project, setting, parameters, prepared, None)[0], recipe, prepared, 0)
        if alone:
            dry_run._step_while_gradients_arrive(progress, recipe)
        torch.manual_seed(1)  # of dropout
        take_batch(progress, STRATEGIES["plain"], recipe, batches, batches.clips_of(0)[:4])
        moved.append(list(progress.model.parameters()))
    assert all(weights.grad is None for weights in moved[1]) and not progress.optimiser.state
    for whole, one in zip(*moved, strict=True):
        torch.testing.assert_close(one, whole, rtol=1e-6, atol=1e-8)
    kept = dry_run.step(project, name, "smoke")
    monkeypatch.setattr(dry_run, "_memory_bytes", lambda: 0)
    bare = dry_run.step(project, name, "smoke")
    assert (kept.moments, bare.moments, bare.loss) == (True, False, kept.loss)


def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_step_is_told_with_its_likely_cause(project, monkeypatch):
    monkeypatch.setattr(dry_run, "step", killed)
    steps, faults = dry_run._work(project, ["lifter"], "smoke", None)
    assert not steps and "killed, most likely for want of memory" in faults["lifter"]


def test_a_step_that_moves_nothing_or_has_no_finite_loss_is_a_fault(project, monkeypatch):
    with pytest.raises(ArithmeticError, match="loss of the first batch is inf"):
        dry_run.step(project, "endless", "smoke")
    monkeypatch.setattr(dry_run, "take_batch", lambda *arguments: None)
    with pytest.raises(ArithmeticError, match="moves no weight"):
        dry_run.step(project, "mixed", "smoke")


def test_clips_that_overlap_are_counted(project):
    parameters = load_parameters(project, "paper")
    experiment = load_experiment(project, "lifter")
    model = build("mixste", frames=9, dim=8, depth=1, heads=2)

    def updates(**more):
        setting = experiment.model_copy(update=more)
        recipe = recipe_of(setting, parameters.chosen, H36M_17.names)
        return dry_run._size(model, "h36m", STRATEGIES["plain"], recipe)["updates"]

    apart, all_clips = updates(), updates(interval=1)
    assert apart < all_clips == 160 * -(-2 * 1_559_752 // 113)
    assert updates(interval=1, equal_updates=True) == apart
    assert updates(batches=10) == 1600 and updates(batches=10, interval=1) == 160 * round(
        90 / (1 + 600 * 4 / 1_559_752)
    )


def test_faults_are_told_by_name_and_the_others_still_run(project):
    names = ("uneven", "mixed", "elsewhere", "unfit")
    command = [sys.executable, "-m", "poselib", "dry-run", *names, "--out", "dry_run.csv", "--gib", "0.1"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    found = pd.read_csv(project / "dry_run.csv", index_col="experiment")
    assert list(found.index) == list(names)
    faults = found["fault"].to_dict()
    assert "3 heads" in faults["uneven"] and "prepare ROLE" in faults["elsewhere"] and "cannot start" in faults["unfit"]
    assert pd.isna(faults["mixed"]) and found.loc["mixed", "tables"] == "mixste/table01 mixste/table02"
    mixed = found.loc["mixed"]
    # 600 videos and half a clip of each; two updates per batch of 1024 // 9 clips, 160 epochs.
    clips = 1_559_752 / 9 + 600 * 4 / 9
    assert mixed["updates"] == 2 * 160 * -(-2 * clips // 113) and 0.1 < mixed["peak_gib"] < 2
    hours = f"{mixed['gpu_hours_estimate']:,.2f}"
    for table in ("mixste/table01", "mixste/table02"):
        assert re.search(rf"{table} +2 +1 +{re.escape(hours)}", done.stdout), done.stdout
    assert re.search(rf"all +1 +1 +{re.escape(hours)}", done.stdout)
    assert "are estimates" in done.stdout and "0.1 GiB: mixed." in done.stdout and "synthetic" in done.stdout


def test_hours_add_up_and_no_training_counts_twice():
    def experiment(start):
        more = {"losses": {"position": 1.0}, "epochs": 1, "batch_clips": 1, "lr": 1e-3}
        return Experiment(paper="tmt", model="mixste", dim=8, detector="gt", start=start, **more)

    experiments = {"a": experiment(None), "b": experiment("a"), "c": experiment("b"), "d": experiment(None)}
    tables = {"x": ["c", "b", "c"], "y": ["a", "d"], "z": ["d"]}
    found = per_table(tables, experiments, {"a": 1.0, "b": 2.0, "c": 4.0}).set_index("table")
    assert found["trainings"].to_dict() == {"x": 3, "y": 2, "all": 3}
    assert found["estimated"].to_dict() == {"x": 3, "y": 1, "all": 3}
    assert found["gpu_hours_estimate"].to_dict() == {"x": 7.0, "y": 1.0, "all": 7.0}


def test_hours_and_updates_by_hand():
    assert GPU.hours(updates=1000, macs=5 * 10**12) == pytest.approx(1000 * 3 * 2 / 3600)
    # PoseFormer's public logs show 6093 steps in an epoch; MixSTE's code cuts Human3.6M into 6716 chunks.
    assert updates_of(clips_of("h36m", 1), 512, None, 2, 1) == 2 * 6093
    assert clips_of("h36m", 243) == pytest.approx(6716, abs=3)
    assert updates_of(clips_of("amass", 1), 512, 6000, 100, 2) == 1_200_000


def test_published_sizes_are_those_that_the_readers_know():
    assert PUBLISHED["h36m"][0] == sum(n for subjects, n in H36M_FRAMES.items() if "S9" not in subjects)
    known = [about["frames"] for about in mpi_inf_3dhp.recordings().values() if about["split"] == "train"]
    cameras = len(mpi_inf_3dhp.CAMERAS)
    assert PUBLISHED["mpi_inf_3dhp"] == (cameras * sum(known), cameras * len(known))
    parts = [recordings for part, recordings in humaneva.frames().items() if part.startswith("Train")]
    known = [part[f"{action} 1"] for part in parts for action in HUMANEVA_ACTIONS]
    assert PUBLISHED["humaneva"] == (3 * sum(known), 3 * len(known))
