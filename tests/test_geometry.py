import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from poselib.data.h36m import cameras
from poselib.geometry import (
    acceleration,
    camera_to_world,
    centre_on_root,
    denormalise_screen,
    mirror,
    normalise_screen,
    project,
    rotate,
    velocity,
    world_to_camera,
)
from poselib.skeleton import H36M_17

POINTS = np.array([[0, 0, 0], [0.3, -0.4, 1.5]])
GOLDEN = [
    ("S1", 0, 0, (-0.346051, 0.546981, 5.474480), (-0.119285, 0.256749), (440.3573, 629.3747)),
    ("S1", 0, 1, (-0.742762, -0.983074, 5.435070), (-0.284995, -0.381058), (357.5026, 310.4709)),
    ("S9", 2, 0, (0.455401, 0.273359, 5.657814), (0.224331, 0.113607), (612.1656, 556.8033)),
    ("S9", 2, 1, (0.268679, -1.290241, 5.800266), (0.145221, -0.503346), (572.6107, 248.3269)),
    ("S11", 3, 0, (-0.155136, 0.422163, 4.435416), (-0.050036, 0.219168), (474.9819, 610.5838)),
    ("S11", 3, 1, (0.374801, -0.929390, 3.808940), (0.252507, -0.550304), (626.2534, 225.8479)),
]


@pytest.mark.parametrize(("subject", "index", "point", "space", "screen", "pixels"), GOLDEN)
def test_published_cameras_project_as_the_reference(subject, index, point, space, screen, pixels):
    camera = cameras()[subject][index]
    seen = world_to_camera(POINTS[point], camera)
    assert_allclose(seen, space, atol=1e-6)
    assert_allclose(project(seen, camera.intrinsics), screen, atol=1e-6)
    assert_allclose(denormalise_screen(project(seen, camera.intrinsics), camera.size), pixels, atol=2e-4)


def test_linear_projection_and_intrinsics_of_the_first_camera():
    camera = cameras()["S1"][0]
    linear = project(world_to_camera(POINTS[0], camera), camera.intrinsics, distortion=False)
    assert_allclose(linear, (-0.119678, 0.257464), atol=1e-6)
    expected = (2.29009891, 2.28756237, 0.02508307, 0.02890298, -0.20709892, 0.24777518)
    assert_allclose(camera.intrinsics, (*expected, -0.00307515, -0.00097570, -0.00142447), atol=1e-7)
    assert_allclose(camera.position, (1.841107, 4.955285, 1.563445), atol=1e-6)


def test_every_published_orientation_is_a_unit_quaternion():
    assert len(cameras()) == 7
    for rig in cameras().values():
        assert len(rig) == 4
        for camera in rig:
            assert abs(np.linalg.norm(camera.orientation) - 1) < 1e-6


def test_screen_normalisation_divides_both_axes_by_the_width():
    assert_allclose(normalise_screen(np.array([[0.0, 0], [250, 750]]), (1000, 1002)), [[-1, -1.002], [-0.5, 0.498]])
    assert_allclose(normalise_screen(np.array([0.0, 0]), (1920, 1080)), [-1, -0.5625])
    assert_allclose(normalise_screen(np.array([2048.0, 2048]), (2048, 2048)), [1, 1])


COORDINATES = st.lists(st.floats(-3, 3), min_size=3, max_size=3)


@settings(derandomize=True, database=None, deadline=None)
@given(COORDINATES, st.sampled_from(["S1", "S5", "S11"]), st.integers(0, 3))
def test_round_trips(point, subject, index):
    camera, point = cameras()[subject][index], np.array(point)
    assert_allclose(camera_to_world(world_to_camera(point, camera), camera), point, atol=1e-6)
    pixels = 500 + 100 * point[:2]
    assert_allclose(denormalise_screen(normalise_screen(pixels, camera.size), camera.size), pixels, atol=1e-9)
    assert abs(np.linalg.norm(rotate(np.array(camera.orientation), point)) - np.linalg.norm(point)) < 1e-6


def test_numpy_and_torch_agree():
    camera, points = cameras()["S7"][1], np.random.default_rng(0).normal(size=(4, 17, 3)) + [0, 0, 5]
    ours = project(torch.tensor(points), camera.intrinsics).numpy()
    assert_allclose(project(points, camera.intrinsics), ours, atol=1e-12)
    assert_allclose(mirror(torch.tensor(points), H36M_17.flip).numpy(), mirror(points, H36M_17.flip))


def test_mirror_twice_is_nothing_and_once_moves_left_to_right():
    poses = np.random.default_rng(1).normal(size=(3, 17, 3))
    assert_allclose(mirror(mirror(poses, H36M_17.flip), H36M_17.flip), poses)
    left, right = H36M_17.index["left_wrist"], H36M_17.index["right_wrist"]
    assert_allclose(mirror(poses, H36M_17.flip)[:, left], poses[:, right] * [-1, 1, 1])


def test_centre_on_root():
    poses = np.random.default_rng(2).normal(size=(3, 17, 3))
    centred = centre_on_root(poses)
    assert_allclose(centred[:, 0], 0)
    assert_allclose(centred[:, 5] - centred[:, 3], poses[:, 5] - poses[:, 3])


def test_velocity_and_acceleration_of_a_falling_body():
    # x = t^2 / 2: velocity t - 1/2 from frame 1 on, acceleration 1 from frame 2 on (TMT, Eq. 1 and 4).
    t = np.arange(6.0)
    positions = (t**2 / 2)[:, None, None] * np.ones((1, 17, 3))
    assert_allclose(velocity(positions)[:, 4, 1], [0, 0.5, 1.5, 2.5, 3.5, 4.5])
    assert_allclose(acceleration(positions)[:, 4, 1], [0, 0.5, 1, 1, 1, 1])
