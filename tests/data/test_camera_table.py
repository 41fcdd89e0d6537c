import numpy as np
import torch
from numpy.testing import assert_allclose

from poselib.data.camera_table import camera_pool, cameras
from poselib.geometry import mirror, world_to_camera
from poselib.skeleton import H36M_17

WORLD = np.array([(0, 0, 0.9), (0.3, -0.2, 1.5), (-0.5, 0.4, 0.1)], np.float32)


def test_golden_numbers_of_the_first_camera():
    screen, poses = camera_pool("training").film(WORLD, np.array(0))
    seen = [(-0.322878, -0.337040, 5.307243), (-0.662400, -0.946999, 5.255513), (0.274928, 0.495131, 5.296445)]
    assert_allclose(poses, seen, atol=1e-5)
    assert_allclose(screen, [(-0.114057, -0.116187), (-0.261053, -0.379721), (0.143633, 0.242177)], atol=1e-5)
    assert_allclose(camera_pool("all").intrinsics[0, :4], (2.290099, 2.287562, 0.025083, 0.028903), atol=1e-6)


def test_the_default_pool_has_20_cameras_and_none_of_a_test_subject():
    default, everything = camera_pool("training"), camera_pool("all")
    assert (len(default), len(everything)) == (20, 28)
    assert default.names == everything.names[:20] and len(set(everything.names)) == 28
    assert {name.split("/")[0] for name in everything.names[20:]} == {"S9", "S11"}
    assert not {name.split("/")[0] for name in default.names} & {"S9", "S11"}
    for name, position in zip(everything.names, everything.positions, strict=True):
        rig, identity = name.split("/")
        camera = next(camera for camera in cameras()[rig] if camera.id == identity)
        assert_allclose(position, camera.position, atol=1e-6)


def test_every_window_has_its_own_camera_in_numpy_and_in_torch():
    random, pool = np.random.default_rng(0), camera_pool("all")
    world = random.uniform(-0.5, 0.5, (28, 3, 17, 3)).astype(np.float32) + np.float32([0, 0, 1])
    screen, poses = pool.film(world, np.arange(28)[:, None])
    for row, name in enumerate(pool.names):
        camera = next(camera for camera in cameras()[name.split("/")[0]] if camera.id == name.split("/")[1])
        assert_allclose(poses[row], world_to_camera(world[row].astype(float), camera), atol=1e-5)
    again = pool.film(torch.from_numpy(world), np.arange(28)[:, None])
    assert_allclose(again[0].numpy(), screen, atol=1e-6)
    assert_allclose(again[1].numpy(), poses, atol=1e-5)
    assert screen.dtype == np.float32


def test_rays_are_cut_off_at_45_degrees():
    pool = camera_pool("training")
    beside = np.float32([[100.0, 3.0, 1.0]])
    screen, poses = pool.film(beside, np.array(0))
    assert np.abs(poses[0, 0] / poses[0, 2]) > 1
    assert np.isfinite(screen).all() and np.abs(screen).max() < 5


def test_a_mirrored_person_is_another_image_than_the_mirrored_image():
    random, pool = np.random.default_rng(1), camera_pool("training")
    world = random.uniform(-0.5, 0.5, (2, 17, 3)).astype(np.float32) + np.float32([0.4, 0, 1])
    flipped = mirror(world, H36M_17.flip)
    assert_allclose(flipped[:, H36M_17.index["left_knee"]], world[:, H36M_17.index["right_knee"]] * [-1, 1, 1])
    seen, image = pool.film(flipped, np.array(2))[0], mirror(pool.film(world, np.array(2))[0], H36M_17.flip)
    assert np.abs(seen - image).max() > 0.05
