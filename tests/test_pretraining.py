"""Pre-training on motions under virtual cameras, and trainings that start from another's weights."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from poselib import checkpoints, training
from poselib.data import synthetic
from poselib.data.camera_table import camera_pool
from poselib.errors import InputError
from poselib.experiments import load_experiments
from poselib.geometry import mirror, project, rotate
from poselib.models import build
from poselib.recipe import Recipe
from poselib.skeleton import H36M_17, HUMANEVA_15, MPI_INF_3DHP_17, SPIN_17
from poselib.stages import evaluate, prepare, side_by_side, synthesise
from poselib.stages import train as train_stage
from poselib.strategies import PLAIN

ROOT = Path(__file__).resolve().parent.parent
RECIPE = Recipe(
    detector="gt",
    terms={"position": 1.0},
    joint_weights=(1.0,) * 17,
    epochs=2,
    batch_clips=3,
    lr=3e-3,
    schedule="exponential",
    lr_decay=0.99,
    weight_decay=0.0,
    batches=3,
)
SMALL = {
    "mixste": {"frames": 5, "dim": 8, "depth": 1, "heads": 2},
    "poseformer": {"frames": 9, "dim": 8, "depth": 1, "heads": 2},
    "strided_transformer": {"frames": 9, "strides": (3, 3), "dim": 16, "hidden": 24, "depth": 1, "heads": 2},
    "uplift_upsample": {"frames": 9, "spatial_dim": 8, "dim": 16, "depth": 1, "heads": 2, "strides": (9,)}
    | {"paddings": ((1, 1),)},
}


def batches_of(world, **changes):
    recipe = Recipe(**{**RECIPE.__dict__, **changes})
    return training._FilmedBatches(world, recipe, build("mixste", frames=5, dim=8, depth=1, heads=2), 0)


def test_a_clip_is_what_its_camera_sees_of_its_motion(world):
    batches, pool = batches_of(world), camera_pool("training")
    windows, row, clip = len(batches.windows), 7, 2
    (points, exact, poses) = vars(batches.gather(np.array([clip + 2 * windows * row]))).values()
    motion = world.poses_world[batches.windows.frame_numbers(np.array([clip]))].astype(float)
    back = pool.orientations[row].astype(float) * [1, -1, -1, -1]
    seen = rotate(back, motion - pool.positions[row])
    assert points.shape == (1, 5, 17, 2) and torch.equal(points, exact)
    assert np.allclose(points, project(seen, pool.intrinsics[row].astype(float)), atol=1e-6)
    assert np.allclose(poses, seen - seen[..., :1, :], atol=1e-5) and poses[..., 0, :].abs().max() == 0


def test_the_flip_is_in_the_world_and_keeps_the_camera(world):
    batches, pool = batches_of(world), camera_pool("training")
    windows, row = len(batches.windows), 13
    plain, flipped = (batches.gather(np.array([number + 2 * windows * row])) for number in (1, 1 + windows))
    motion = world.poses_world[batches.windows.frame_numbers(np.array([1]))].astype(float)
    mirrored = mirror(motion, H36M_17.flip)
    assert np.allclose(mirrored[..., 4, 0], -motion[..., 1, 0])
    screen, poses = pool.film(mirrored, np.array([[row]]))
    assert np.allclose(flipped.poses_2d, screen, atol=1e-6)
    assert np.allclose(flipped.truth_3d, poses - poses[..., :1, :], atol=1e-5)
    # The image of the mirrored person is not the mirrored image.
    assert (flipped.poses_2d - mirror(plain.poses_2d, H36M_17.flip)).abs().max() > 0.01


def test_every_window_draws_a_camera_per_epoch_that_its_mirror_image_shares(world):
    batches = batches_of(world, batches=None, batch_clips=4)
    clips = len(batches.windows)
    drawn = []
    for epoch in (0, 1):
        cameras, numbers = np.divmod(batches.clips_of(epoch), 2 * clips)
        assert sorted(numbers) == list(range(2 * clips)) and cameras.max() < 20
        drawn.append(cameras[np.argsort(numbers)])
        assert np.array_equal(drawn[-1][:clips], drawn[-1][clips:])
    assert not np.array_equal(*drawn)
    assert np.array_equal(batches.clips_of(0), batches_of(world, batches=None, batch_clips=4).clips_of(0))
    rows = np.concatenate([batches_of(world, camera_pool="all").clips_of(epoch) for epoch in range(60)])
    assert set(rows // (2 * clips)) == set(range(28))


def run(name, prepared, snapshot, start=None, **changes):
    torch.manual_seed(0)
    model = build(name, **SMALL[name])
    if start is not None:
        checkpoints.transfer(start, model, H36M_17, H36M_17)
    sparse = {"frame_stride": 2, "input_strides": (2, 4)} if name == "uplift_upsample" else {}
    recipe = Recipe(**{**RECIPE.__dict__, **sparse, **changes})
    return training.train(model, PLAIN, recipe, prepared, seed=0, snapshot=snapshot, name=name)


@pytest.mark.parametrize("name", SMALL)
def test_models_are_pre_trained_and_then_fine_tuned(name, world, prepared, tmp_path):
    before = run(name, world, tmp_path / "pt")
    before.model.load_state_dict(before.best["validation"]["weights"])
    after = run(name, prepared, tmp_path / "ft", before.model, lr=1e-9)
    cold = run(name, prepared, tmp_path / "cold", lr=1e-9)
    for key, value in after.best["validation"]["weights"].items():
        if value.is_floating_point() and "running" not in key:
            assert torch.allclose(value, before.best["validation"]["weights"][key], atol=1e-6), key
    assert after.log[0]["loss"] != cold.log[0]["loss"]
    # A fresh optimiser: only the steps of the fine-tuning itself are counted.
    steps = {int(state["step"]) for state in after.optimiser.state.values()}
    assert steps == {6} and after.updates == 6


def test_pre_training_learns_and_is_one_and_the_same_for_one_seed(world, tmp_path):
    first = run("mixste", world, tmp_path / "a", batches=60, lr=1e-2)
    again = run("mixste", world, tmp_path / "b", batches=60, lr=1e-2)
    assert first.log == again.log
    assert first.log[-1]["loss"] < 0.8 * first.log[0]["loss"]
    assert first.log[-1]["validation_mpjpe_mm"] == first.log[-1]["test_mpjpe_mm"]


def test_mixste_starts_other_joints_from_their_namesakes():
    torch.manual_seed(0)
    trained = build("mixste", **SMALL["mixste"])
    torch.nn.init.normal_(trained.spatial_position)
    model = build("mixste", joints=15, **SMALL["mixste"])
    checkpoints.transfer(trained, model, H36M_17, HUMANEVA_15)
    for joint, row in HUMANEVA_15.index.items():
        assert torch.equal(model.spatial_position[0, row], trained.spatial_position[0, H36M_17.index[joint]]), joint
    for key, value in trained.state_dict().items():
        assert key == "spatial_position" or torch.equal(value, model.state_dict()[key])
    assert model(torch.rand(2, 5, 15, 2)).shape == (2, 5, 15, 3)
    # Joints in another order are the same joints.
    ordered = build("mixste", **SMALL["mixste"]).eval()
    checkpoints.transfer(trained, ordered, H36M_17, SPIN_17)
    inputs, order = torch.rand(2, 5, 17, 2), [H36M_17.index[joint] for joint in SPIN_17.names]
    assert torch.allclose(ordered(inputs[:, :, order]), trained.eval()(inputs)[:, :, order], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "changes", "joints", "message"),
    [
        ("mixste", {"frames": 7}, H36M_17, r"temporal_position is \(1, 5, 8\) there and \(1, 7, 8\) here"),
        ("mixste", {"depth": 2}, H36M_17, "is None there"),
        ("mixste", {"in_channels": 5}, H36M_17, "embedding.weight"),
        ("poseformer", {"frames": 5}, H36M_17, "poseformer cannot start from mixste"),
        ("poseformer", {"joints": 15}, HUMANEVA_15, "cannot go from h36m_17 to humaneva_15"),
        ("strided_transformer", {}, MPI_INF_3DHP_17, "cannot go from h36m_17 to mpi_inf_3dhp_17"),
    ],
)
def test_weights_that_do_not_fit_are_named(name, changes, joints, message):
    trained = build("mixste", **SMALL["mixste"])
    model = build(name, **{**SMALL[name], **changes})
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(InputError, match=message):
        checkpoints.transfer(trained, model, H36M_17, joints)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


EXPERIMENTS = """experiments:
  mocap: {paper: mixste, model: mixste, frames: 27, role: amass, detector: gt, camera_pool: all}
  tuned: {paper: mixste, model: mixste, frames: 27, detector: cpn, start: mocap}
  cold: {paper: mixste, model: mixste, frames: 27, detector: cpn}
  starred:
    {paper: mixste, model: mixste, frames: 27, detector: cpn, start: cold, refine: true, losses: {position: 1.0}}
  sparse: {paper: mixste, model: uplift_upsample, frames: 71, detector: cpn}
  every4: {paper: mixste, model: poseformer, frames: 21, frame_stride: 4, detector: cpn}
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout of its own with stand-ins prepared for both roles and an experiment that starts from another."""
    root = tmp_path_factory.mktemp("project")
    (root / "experiments").mkdir()
    shutil.copy(ROOT / "experiments/recipes.yaml", root / "experiments")
    (root / "experiments/mixste.yaml").write_text(EXPERIMENTS)
    text = (ROOT / "params.yaml").read_text().replace("profile: demo", "profile: smoke")
    (root / "params.yaml").write_text(text.replace("synthetic_seconds: 0.3", "synthetic_seconds: 0.2"))
    patch = pytest.MonkeyPatch()
    patch.setattr(synthetic, "PROGRAMMES", dict(list(synthetic.PROGRAMMES.items())[:2]))
    for role in ("h36m", "amass"):
        synthesise.run(root, role)
        prepare.run(root, role)
    patch.setattr(train_stage, "closure", lambda *_: set())
    yield root
    patch.undo()


def test_stand_in_pre_training_fine_tuning_and_evaluation(checkout):
    with pytest.raises(InputError, match="mocap/seed0.safetensors: no such checkpoint; train the experiment first"):
        train_stage.run(checkout, "tuned")
    records = {}
    for name in ("mocap", "tuned", "cold", "starred"):
        train_stage.run(checkout, name)
        evaluate.run(checkout, name)
        records[name] = json.loads((checkout / f"results/metrics/{name}.json").read_text())
    assert records["mocap"]["test_subjects"] == ["MPImosh/S9", "SFU/S11"]
    assert records["tuned"]["test_subjects"] == ["S11", "S9"]
    start = records["tuned"]["seeds"][0]["start"]
    assert start == {"experiment": "mocap", "source": "synthetic", "data": records["mocap"]["data"]}
    assert "start" not in records["cold"]["seeds"][0] and "start" not in records["mocap"]["seeds"][0]
    assert records["starred"]["told_in_the_test"] == "the true depth of the root in every frame"
    assert "told_in_the_test" not in records["tuned"]
    assert checkpoints.load(checkout / "checkpoints/starred/seed0.safetensors")[1]["refined"] is True
    tuned, cold = (records[name]["seeds"][0]["action_mean"]["mpjpe"] for name in ("tuned", "cold"))
    assert np.isfinite([tuned, cold]).all() and tuned != cold


@pytest.mark.parametrize(("name", "strides"), [("sparse", ["5", "10", "20"]), ("every4", ["4"])])
def test_a_record_has_the_errors_at_every_input_stride(checkout, name, strides):
    train_stage.run(checkout, name)
    evaluate.run(checkout, name)
    (seed,) = json.loads((checkout / f"results/metrics/{name}.json").read_text())["seeds"]
    found = seed["by_input_stride"]
    assert list(found) == strides
    # The record's own errors are those at the first stride, where nothing is left to fill but straight lines.
    for summary in (found[strides[0]], found[strides[0]]["bilinear"]):
        assert summary["action_mean"] == seed["action_mean"] and summary["per_recording"] == seed["per_recording"]
    keys = [summary["key_frames"]["action_mean"]["p_mpjpe"] for summary in found.values()]
    assert len(set(keys)) == len(strides) and seed["action_mean"]["p_mpjpe"] not in keys


def test_a_start_of_other_settings_or_other_data_is_refused(checkout):
    path = checkout / "data/prepared/amass/set.json"
    if not (checkout / "checkpoints/mocap").is_dir():
        train_stage.run(checkout, "mocap")
    before = path.read_text()
    path.write_text(before.replace('"fingerprint": "', '"fingerprint": "0'))
    with pytest.raises(InputError, match="mocap/seed0.safetensors: trained on other data"):
        train_stage.run(checkout, "tuned")
    path.write_text(before)
    weights = checkout / "checkpoints/mocap/seed0.safetensors"
    model, about = checkpoints.load(weights)
    checkpoints.save(weights, model, about | {"setting": about["setting"] | {"threads": 7}})
    with pytest.raises(InputError, match="mocap/seed0.safetensors: trained with another threads than is set now"):
        train_stage.run(checkout, "tuned")
    checkpoints.save(weights, model, about)


def test_no_stand_in_for_an_unknown_role(checkout):
    with pytest.raises(
        InputError, match="role 'kinetics' has no stand-in; choose from h36m, mpi_inf_3dhp, humaneva, amass"
    ):
        synthesise.run(checkout, "kinetics")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("start: mocap", "start: mocup", "mixste.yaml, tuned: starts from 'mocup', which does not exist"),
        ("start: mocap", "start: tuned", "tuned: starts from itself"),
        ("camera_pool: all", "camera_pool: all, start: tuned", "mocap: starts from itself"),
        ("camera_pool: all", "camera_pool: 28", "camera_pool"),
        ("start: cold, refine", "refine", "refine needs a start"),
        ("camera_pool: all", "start: cold, refine: true", "refine needs a start, the trained model, and role h36m"),
    ],
)
def test_mistakes_in_experiments_are_named(checkout, old, new, message):
    path = checkout / "experiments/mixste.yaml"
    path.write_text(EXPERIMENTS.replace(old, new))
    with pytest.raises(InputError, match=message):
        load_experiments(checkout)
    path.write_text(EXPERIMENTS)


@pytest.mark.parametrize("broken", [None, "train@mocap"])
def test_side_by_side_trains_a_start_before_what_starts_from_it(checkout, monkeypatch, broken):
    from concurrent.futures import ThreadPoolExecutor

    order = []

    def do(root, stages):
        order.append(stages[0])
        if stages[0] == broken:
            raise InputError("no data")

    monkeypatch.setattr(side_by_side, "_run", do)
    chains = {f"train@{name}": [f"train@{name}", f"evaluate@{name}"] for name in ("tuned", "cold", "mocap")}
    with ThreadPoolExecutor(2) as pool:
        ended = dict(side_by_side._finished(pool, 2, checkout, chains, {"train@tuned": "train@mocap"}))
    failed = [first for first in chains if ended[first]]
    assert set(ended) == set(chains)
    if broken is None:
        assert not failed and set(order) == set(chains) and order.index("train@mocap") < order.index("train@tuned")
    else:
        assert failed == ["train@tuned", "train@mocap"] and "train@tuned" not in order
