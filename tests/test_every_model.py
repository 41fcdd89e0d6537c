"""What every model must do with every part of the package: be trained, resumed, evaluated, stored, and learn."""

import numpy as np
import pytest
import torch

from poselib import checkpoints, training
from poselib.data.windows import centred, stitch
from poselib.evaluation import summarise
from poselib.experiments import Experiment
from poselib.geometry import mirror
from poselib.inference import lift_clips, lift_windows, windows_of
from poselib.models import MODELS, WITH_TREE, build
from poselib.recipe import Recipe
from poselib.skeleton import H36M_17, MPI_INF_3DHP_17
from poselib.stages.train import build_model
from poselib.strategies import PLAIN, STRATEGIES

SMALL = {
    "mixste": {"frames": 5, "dim": 16, "depth": 1, "heads": 2, "drop_path": 0.1},
    "poseformer": {"frames": 9, "dim": 8, "depth": 1, "heads": 2},
    "mhformer": {"frames": 9, "dim": 16, "hidden": 24, "depth": 2, "heads": 2, "generation_depth": 1},
    "strided_transformer": {"frames": 9, "strides": (3, 3), "dim": 16, "hidden": 24, "depth": 1, "heads": 2},
    "uplift_upsample": {
        "frames": 9,
        "spatial_dim": 8,
        "dim": 16,
        "depth": 1,
        "heads": 2,
        "strides": (3, 3),
        "paddings": ((1, 1), (0, 0)),
    },
    "ampose": {"frames": 1, "dim": 16, "depth": 1, "heads": 2},
    "gla_gcn": {"frames": 9, "dim": 16},
}
RECIPE_OF_ANY = {"losses": {"position": 1.0}, "epochs": 1, "batch_clips": 1, "lr": 1e-3}
SPARSE = {"frame_stride": 2, "input_strides": (2, 4)}


def recipe(name, **changes):
    common = {
        "detector": "cpn",
        "terms": {"position": 1.0},
        "joint_weights": (1.0,) * 17,
        "epochs": 2,
        "batch_clips": 4,
        "lr": 1e-3,
        "schedule": "exponential",
        "lr_decay": 0.99,
        "weight_decay": 0.0,
        "batches": 3,
        "optimiser": "ranger" if name == "gla_gcn" else "adamw",
        "jitter": name == "gla_gcn",
        **(SPARSE | {"average": True} if name == "uplift_upsample" else {}),
    }
    return Recipe(**{**common, **changes})


def run(name, prepared, snapshot, strategy="plain", **changes):
    torch.manual_seed(0)
    model = build(name, in_channels=STRATEGIES[strategy].in_channels, **SMALL[name])
    chosen = recipe(name, **changes)
    return training.train(model, STRATEGIES[strategy], chosen, prepared, seed=0, snapshot=snapshot, name=name)


def in_double(name):
    torch.manual_seed(0)
    model = build(name, **SMALL[name]).double().eval()
    return model, torch.rand(3, model.config.frames, 17, 2, dtype=torch.float64) - 0.5


def test_every_model_is_here():
    assert set(SMALL) == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("strategy", ["plain", "tmt", "tmt_va3"])
def test_any_strategy_trains_any_model(name, strategy, prepared, tmp_path):
    progress = run(name, prepared, tmp_path / "snapshot", strategy)
    assert progress.updates == 6 * len(STRATEGIES[strategy].steps)
    assert all(np.isfinite(list(row.values())).all() for row in progress.log)


@pytest.mark.parametrize("name", MODELS)
def test_a_killed_training_of_any_model_resumes_to_the_same_bits(name, prepared, tmp_path, monkeypatch):
    whole = run(name, prepared, tmp_path / "whole")
    monkeypatch.setattr(training, "SNAPSHOT_EVERY_S", 0.0)
    left, gather = [5], training._Batches.gather

    def dying(self, numbers):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return gather(self, numbers)

    monkeypatch.setattr(training._Batches, "gather", dying)
    with pytest.raises(KeyboardInterrupt):
        run(name, prepared, tmp_path / "cut")
    torch.rand(3)
    resumed = run(name, prepared, tmp_path / "cut")
    assert whole.log == resumed.log
    for key, value in whole.best["validation"]["weights"].items():
        assert torch.equal(value, resumed.best["validation"]["weights"][key]), key


@pytest.mark.parametrize("name", MODELS)
def test_every_test_frame_gets_one_pose_and_a_stored_model_gives_the_same(name, prepared, tmp_path):
    torch.manual_seed(0)
    model = build(name, **SMALL[name]).eval()
    videos, stride = prepared.split("test"), 2 if name == "uplift_upsample" else None
    windows = windows_of(videos, model, stride or 1)
    lift = (PLAIN, prepared.poses_2d("gt"), windows, H36M_17.flip, stride)
    poses = stitch(lift_windows(model, *lift)[0], windows)
    assert poses.shape == (sum(video.frames for video in videos), 17, 3)
    assert summarise(poses, prepared, videos)["frame_mean"]["mpjpe"] > 0
    checkpoints.save(tmp_path / "model.safetensors", model, {})
    again = stitch(lift_windows(checkpoints.load(tmp_path / "model.safetensors")[0], *lift)[0], windows)
    assert np.array_equal(poses, again)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("mixste", "ampose")])
def test_a_many_to_one_model_gives_a_frame_the_same_pose_in_any_batch_and_video_position(name, prepared):
    torch.manual_seed(0)
    model = build(name, **SMALL[name]).eval()
    assert model.many_to_one
    poses_2d, video = prepared.poses_2d("gt"), prepared.split("test")[0]
    whole = centred([(video.start, video.frames)], 9)
    part = centred([(video.start + 2, video.frames - 4)], 9)
    first = lift_windows(model, PLAIN, poses_2d, whole, H36M_17.flip)[0]
    second = lift_windows(model, PLAIN, poses_2d, part, H36M_17.flip)[0]
    # Windows that do not reach over either end are the same clips, two frames further.
    assert np.allclose(first[6:-6], second[4:-4], atol=1e-6)
    assert not np.allclose(first[2], second[0], atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_what_clips_share_may_be_made_once_for_every_frame(name):
    torch.manual_seed(0)
    model = build(name, **SMALL[name]).eval()
    frames, length = torch.rand(14, 17, 2) - 0.5, model.config.frames
    places = torch.randint(14, (3, length), generator=torch.Generator().manual_seed(1))
    sparse = {"key_frames": torch.arange(length).expand(3, -1) % 3 == 1} if name == "uplift_upsample" else {}
    with torch.inference_mode():
        shared = model.of_clips(model.of_frames(frames)[places], **sparse)
        assert torch.allclose(shared, model(frames[places], **sparse), atol=1e-6)
        if name in ("poseformer", "uplift_upsample"):
            assert model.of_frames(frames).shape[1:] != frames.shape[1:]  # the spatial transformer is shared


@pytest.mark.parametrize("name", MODELS)
def test_mirrored_input_gives_the_mirrored_pose_after_averaging(name):
    model, inputs = in_double(name)
    with torch.inference_mode():
        averaged, _ = lift_clips(model, PLAIN, inputs, H36M_17.flip)
        mirrored, _ = lift_clips(model, PLAIN, mirror(inputs, H36M_17.flip), H36M_17.flip)
    assert torch.allclose(mirror(averaged, H36M_17.flip), mirrored, atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_clips_of_a_batch_do_not_see_each_other(name):
    model, inputs = in_double(name)
    order = torch.tensor([2, 0, 1])
    with torch.inference_mode():
        assert torch.allclose(model(inputs)[order], model(inputs[order]), atol=1e-12)


@pytest.mark.parametrize("name", WITH_TREE)
@pytest.mark.parametrize("joints", [H36M_17, MPI_INF_3DHP_17])
def test_a_model_with_a_tree_gets_that_of_its_joints(name, joints):
    setting = Experiment(
        paper="gla_gcn", model=name, frames=SMALL[name]["frames"], dim=16, detector="gt", **RECIPE_OF_ANY
    )
    model = build_model(setting, joints)
    assert model.config.skeleton == joints.name and model.config.joints == 17
