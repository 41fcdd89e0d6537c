import numpy as np
import pytest
import torch
from golden import clip, filled, numbers

from poselib.data.h36m import cameras
from poselib.geometry import back_project, project, reproject
from poselib.models.refinement import PoseRefinement


def wave(shape, function):
    return torch.tensor(function(np.arange(np.prod(shape)))).reshape(shape)


@pytest.fixture(scope="module")
def scene():
    """Lifted poses, 2D joints, depth of the root and intrinsics of two frames."""
    poses = wave((2, 1, 17, 3), lambda i: 0.4 * np.sin(0.3 * i) + 0.2 * np.cos(1.1 * i))
    poses[:, :, 0] = 0
    screen = wave((2, 1, 17, 2), lambda i: 0.5 * np.sin(0.17 * i))
    intrinsics = torch.tensor([[[2.29, 2.2875, 0.0251, 0.0289]], [[2.2994, 2.2952, 0.0177, 0.0161]]]).double()
    return poses, screen, torch.tensor([[4.5], [5.25]]).double(), intrinsics


def flat(output, *places):
    return [
        output.mean().item(),
        output.std(unbiased=False).item(),
        *(output.flatten()[place].item() for place in places),
    ]


def network(amplitude):
    model = PoseRefinement().double().eval()
    for k, (_, parameter) in enumerate(sorted(model.named_parameters())):
        parameter.data = wave(tuple(parameter.shape), lambda i, k=k: amplitude * np.sin(i * (k + 1.0)))
    return model


def test_published_size_and_names():
    shapes = {name: tuple(value.shape) for name, value in PoseRefinement().state_dict().items()}
    assert shapes == {
        "post_refine.0.weight": (1024, 102),
        "post_refine.0.bias": (1024,),
        "post_refine.3.weight": (34, 1024),
        "post_refine.3.bias": (34,),
    }
    assert sum(parameter.numel() for parameter in PoseRefinement().parameters()) == 140_322


def test_golden_reprojection(scene):
    expected = (-0.004642, 0.314958, 0.115835, 0.311349, 0.540732, -0.088830, -0.442072)
    assert flat(scene[0], 3, 4, 5, 34, 101) == pytest.approx(expected, abs=1e-5)
    reprojected = reproject(*scene)
    expected = (0.161139, 0.704317, 0.361108, 0.364633, 0.540732, -0.815014, 0, -0.442072)
    assert flat(reprojected, 3, 4, 5, 34, 51, 101) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("amplitude", "expected"),
    [
        (0.02, (0.078279, 0.406862, 0.238793, 0.337877, -0.452281)),
        (0.2, (0.078646, 0.411014, 0.239787, 0.336441, -0.450356)),
        (1.0, (0.081749, 0.469715, 0.203811, 0.323087, -0.333860)),
    ],
)
def test_golden_refinement(scene, amplitude, expected):
    with torch.inference_mode():
        refined = network(amplitude)(scene[0], reproject(*scene))
    assert flat(refined, 3, 4, 34) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("amplitude", "expected"),
    [
        (0.2, (0.499946, 0.512371, 0.494634, 0.529092, 0.478278, 0.532141)),
        (1.0, (0.498657, 0.662154, 0.641313, 0.779708, 0.493175, 0.649614)),
    ],
)
def test_golden_trust(scene, amplitude, expected):
    with torch.inference_mode():
        trust = network(amplitude).trust(scene[0], reproject(*scene))
    assert trust[0].flatten()[:6].tolist() == pytest.approx(expected, abs=1e-5)


def test_golden_refinement_of_the_strided_transformer():
    model = PoseRefinement().double().eval()
    model.load_state_dict(filled(model.state_dict()))
    poses = clip(2, 1, 3)
    with torch.inference_mode():
        refined = model(0.8 * poses, 0.6 * poses.roll(1, dims=2))
    places = ((0, 0, 0, 0), (0, 0, 5, 1), (1, 0, 16, 0), (1, 0, 16, 2))
    expected = (-0.002188, 0.253112, -0.152416, -0.304690, -0.302490, 0.082587)
    assert numbers(refined, *places) == pytest.approx(expected, abs=1e-5)


def test_golden_reprojection_of_the_strided_transformer():
    values = clip(1, 1, 3)
    intrinsics = torch.tensor([[[2.29009891, 2.28756237, 0.02508307, 0.02890298]]]).double()
    depth = torch.tensor([[4.5]]).double()
    found = reproject(values, values[..., :2], depth, intrinsics)
    assert found[0, 0, 0].tolist() == [0, 0, 0]
    assert found[0, 0, 1].tolist() == pytest.approx((0.569545, -0.472621, -0.488765), abs=1e-5)
    assert numbers(found, (0, 0, 16, 0)) == pytest.approx((-0.330477, 0.765778, -1.035105), abs=1e-5)
    other = reproject(values.numpy(), values[..., :2].numpy(), depth.numpy(), intrinsics.numpy())
    np.testing.assert_allclose(other, found, atol=1e-12)


def test_reprojection_of_the_truth_is_the_truth():
    camera = cameras()["S5"][2]
    pose = np.random.default_rng(0).normal(scale=0.4, size=(17, 3)) + [0.3, 0.2, 4.0]
    screen = project(pose, camera.intrinsics, distortion=False)
    intrinsics = np.array(camera.intrinsics)
    np.testing.assert_allclose(back_project(screen, pose[:, 2:], intrinsics), pose, atol=1e-12)
    relative = pose - pose[0]
    np.testing.assert_allclose(reproject(relative, screen, pose[0, 2], intrinsics), relative, atol=1e-12)


def test_depth_stays_and_both_estimates_get_gradients(scene):
    model, poses = network(0.2).train(), scene[0].clone().requires_grad_()
    refined = model(poses, reproject(poses, *scene[1:]))
    assert torch.equal(refined[..., 2], poses[..., 2])
    refined[..., :2].square().sum().backward()
    assert (poses.grad[..., 1:, :].abs() > 0).all()
    with torch.inference_mode():
        assert torch.equal(model.eval()(poses, poses), poses)
