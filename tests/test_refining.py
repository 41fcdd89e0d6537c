"""A trained model with the refinement behind it, in training and in the test."""

import numpy as np
import pytest
import torch

from poselib import checkpoints, training
from poselib.data.h36m import cameras
from poselib.geometry import mirror, project, reproject
from poselib.inference import lift_set, lift_windows, lifted_frames, targets_of, windows_of
from poselib.models import build
from poselib.models.refinement import Refined
from poselib.recipe import Recipe
from poselib.skeleton import H36M_17
from poselib.strategies import PLAIN, STRATEGIES

SMALL = {
    "mixste": {"frames": 5, "dim": 8, "depth": 1, "heads": 2},
    "ampose": {"frames": 1, "dim": 16, "depth": 1, "heads": 2},
    "uplift_upsample": {"frames": 9, "spatial_dim": 8, "dim": 16, "depth": 1, "heads": 2, "strides": (9,)}
    | {"paddings": ((1, 1),)},
}
RECIPE = Recipe(
    detector="cpn",
    terms={"position": 1.0},
    joint_weights=(1.0,) * 17,
    epochs=1,
    batch_clips=3,
    lr=1e-3,
    schedule="exponential",
    lr_decay=1.0,
    weight_decay=0.0,
    batches=2,
)


def refined(name, in_channels=2):
    torch.manual_seed(0)
    return Refined(build(name, in_channels=in_channels, **SMALL[name]))


def test_rays_are_those_of_the_frame_and_its_camera(prepared):
    frames = np.array([[0, 22], [23 + 4, 11 * 23 + 9]])
    rays = prepared.rays(frames)
    assert rays["root_depth"].shape == (2, 2) and rays["intrinsics"].shape == (2, 2, 9)
    assert np.array_equal(rays["root_depth"], np.asarray(prepared.poses_3d)[frames][..., 0, 2])
    for place, number in np.ndenumerate(frames):
        video = prepared.videos[number // 23]
        camera = next(camera for camera in cameras()[video.subject] if camera.id == video.camera)
        assert np.allclose(rays["intrinsics"][place], camera.intrinsics, atol=1e-6)


@pytest.mark.parametrize("name", ["mixste", "uplift_upsample"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_truth_re_projected_on_its_own_image_stays(prepared, name, mirrored):
    model = refined(name)
    batches = training._Batches(prepared, RECIPE, model, 0)
    number = np.array([3, 4])
    frames = lifted_frames(model, batches.windows.select(number))
    plain = {key: torch.from_numpy(part) for key, part in prepared.rays(frames).items()}
    truth = torch.from_numpy(targets_of(prepared, frames))
    whole = truth + torch.from_numpy(np.asarray(prepared.poses_3d)[frames][..., :1, :])
    screen = project(whole, plain["intrinsics"][..., None, :], distortion=False)
    rays = batches.rays(number + len(batches.windows) * mirrored, model)
    if mirrored:
        screen, truth = mirror(screen, H36M_17.flip), mirror(truth, H36M_17.flip)
    found = reproject(truth, screen, rays["root_depth"], rays["intrinsics"])
    assert torch.allclose(found, truth, atol=1e-5)


@pytest.mark.parametrize(("name", "strategy"), [("mixste", "tmt"), ("ampose", "plain"), ("uplift_upsample", "plain")])
def test_both_networks_are_trained_on_the_refined_poses_alone(prepared, tmp_path, name, strategy):
    model = refined(name, STRATEGIES[strategy].in_channels)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    sparse = {"frame_stride": 2, "input_strides": (2,)} if name == "uplift_upsample" else {}
    recipe = Recipe(**{**RECIPE.__dict__, **sparse})
    progress = training.train(model, STRATEGIES[strategy], recipe, prepared, seed=0, snapshot=tmp_path / "s", name=name)
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert any(key.startswith("base.") for key in changed) and any("post_refine.0" in key for key in changed)
    # The head that lifts all frames of a clip has no part in it.
    assert not [key for key in changed if "sequence_head" in key]
    assert np.isfinite(progress.log[0]["validation_mpjpe_mm"])


@pytest.mark.parametrize("name", ["mixste", "uplift_upsample"])
def test_refinement_comes_after_the_mean_of_both_images_and_without_dropout(prepared, tmp_path, name):
    model = refined(name)
    torch.nn.init.constant_(model.refinement.post_refine[3].bias, -50)
    torch.nn.init.zeros_(model.refinement.post_refine[3].weight)
    stride = 2 if name == "uplift_upsample" else None
    windows = windows_of(prepared.split("test"), model, stride or 1)
    poses_2d, frames = prepared.poses_2d("cpn"), lifted_frames(model, windows)
    averaged, _ = lift_windows(model, PLAIN, poses_2d, windows, H36M_17.flip, stride)
    averaged[..., 0, :] = 0
    # Nothing is trusted but the rays, so the x and y are those of the re-projection, and z is the lifted one.
    expected = reproject(averaged, poses_2d[frames], *prepared.rays(frames).values())
    found, plain = lift_set(model, PLAIN, prepared, "cpn", windows, stride)
    assert np.allclose(found[..., :2], expected[..., :2], atol=1e-5)
    assert np.array_equal(found[..., 2], averaged[..., 2]) and not np.allclose(found, plain, atol=1e-4)
    assert (found[..., 0, :] == 0).all() and model.training
    torch.nn.init.normal_(model.refinement.post_refine[3].weight)
    first, second = (lift_set(model, PLAIN, prepared, "cpn", windows, stride)[0] for _ in range(2))
    assert np.array_equal(first, second)
    checkpoints.save(tmp_path / "m.safetensors", model, {})
    stored = checkpoints.load(tmp_path / "m.safetensors")[0]
    assert np.array_equal(lift_set(stored, PLAIN, prepared, "cpn", windows, stride)[0], first)


@pytest.mark.parametrize("name", ["mixste", "uplift_upsample"])
def test_training_re_projects_onto_the_2d_of_the_frames_that_are_lifted(name):
    model = refined(name)
    torch.nn.init.constant_(model.refinement.post_refine[3].bias, -50)
    torch.nn.init.zeros_(model.refinement.post_refine[3].weight)
    length = model.config.frames
    inputs = torch.rand(2, length, 17, 2) - 0.5
    frames = slice(length // 2, length // 2 + 1) if model.many_to_one else slice(None)
    depth = 4 + torch.rand(2, length)[:, frames]
    intrinsics = torch.tensor([2.29, 2.28, 0.03, 0.02, 0, 0, 0, 0, 0]).expand(*depth.shape, 9)
    poses = model.eval()(inputs).clone()
    poses[..., 0, :] = 0
    expected = reproject(poses, inputs[:, frames], depth, intrinsics)
    (found,) = model.supervised(inputs, depth, intrinsics).values()
    assert torch.allclose(found[..., :2], expected[..., :2], atol=1e-5)
