import shutil

import numpy as np
import pytest
from numpy.testing import assert_allclose

from poselib.data.filming import film
from poselib.data.h36m import DETECTION_FILES, POSITIONS_FILE, cameras, read_h36m, write_h36m
from poselib.data.sequences import Motion
from poselib.errors import InputError
from poselib.geometry import project
from poselib.skeleton import H36M_17, H36M_32


def as_object(value):
    return np.array(value, dtype=object)


@pytest.fixture
def original(tmp_path):
    """The three files as the original scripts write them, with formula positions."""
    f, j, c = np.ogrid[:8, :32, :3]
    world = (0.5 * np.sin(0.3 * f + 0.7 * j + 1.3 * c) + np.array([0.1, 0.2, 0.9])).astype(np.float32)
    pixels = [np.full((8, 17, 2), 400 + i, np.float32) for i in range(4)]
    longer = [np.full((11, 17, 2), 300 + i, np.float32) for i in range(4)]
    symmetry = [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]
    metadata = as_object({"num_joints": 17, "keypoints_symmetry": symmetry})
    np.savez_compressed(tmp_path / POSITIONS_FILE, positions_3d=as_object({"S1": {"Walking 1": world}}))
    for name, views in (("gt", pixels), ("cpn", longer)):
        content = {"S1": {"Walking 1": views}, "S2": {"Walking": views}}
        np.savez_compressed(tmp_path / DETECTION_FILES[name], positions_2d=as_object(content), metadata=metadata)
    return tmp_path


def test_golden_loader_numbers(original):
    sequence = next(iter(read_h36m(original)))
    poses = sequence.poses_3d
    assert_allclose(poses[0, 0], (-0.133833, -0.462086, 4.607326), atol=1e-5)
    assert_allclose(poses[0, 1] - poses[0, 0], (-0.314414, 0.342358, -0.041716), atol=1e-5)
    assert_allclose(poses[0, 16] - poses[0, 0], (-0.021178, 0.023947, -0.011497), atol=1e-5)
    assert_allclose(poses[5, 13] - poses[5, 0], (-0.050539, 0.015581, 0.379861), atol=1e-5)


def test_four_videos_and_surplus_detections_cut_at_the_end(original):
    videos = list(read_h36m(original))
    assert [video.camera.id for video in videos] == ["54138969", "55011271", "58860488", "60457274"]
    assert {video.poses_2d["cpn"].shape for video in videos} == {(8, 17, 2)}
    assert videos[2].poses_2d["gt"][0, 0, 0] == 402


def test_hrnet_is_read_where_its_file_is(original):
    assert set(next(iter(read_h36m(original))).poses_2d) == {"gt", "cpn"}
    shutil.copy(original / DETECTION_FILES["cpn"], original / DETECTION_FILES["hrnet"])
    video = next(iter(read_h36m(original)))
    assert set(video.poses_2d) == {"gt", "cpn", "hrnet"} and (video.poses_2d["hrnet"] == 300).all()


@pytest.fixture
def motion():
    random = np.random.default_rng(0)
    body = random.uniform(-0.4, 0.4, (1, 17, 3)) + [0, 0, 1]
    positions = (body + 0.01 * random.normal(size=(12, 17, 3)).cumsum(axis=0)).astype(np.float32)
    return Motion("S9", "Sitting 1", H36M_17, 50.0, positions)


def test_written_files_come_back_through_the_reader(motion, tmp_path):
    write_h36m([motion], tmp_path, lambda pixels, seed: pixels + 1)
    videos = list(read_h36m(tmp_path))
    assert [video.action for video in videos] == ["Sitting 1"] * 4
    for video, camera in zip(videos, cameras()["S9"], strict=True):
        direct = film(motion, camera)
        assert_allclose(video.poses_3d, direct.poses_3d, atol=1e-6)
        assert_allclose(video.poses_2d["gt"], direct.poses_2d["gt"], atol=1e-3)
        assert_allclose(video.poses_2d["cpn"], direct.poses_2d["gt"] + 1, atol=1e-3)


def test_written_files_have_the_original_form(motion, tmp_path):
    write_h36m([motion], tmp_path, lambda pixels, seed: pixels)
    with np.load(tmp_path / POSITIONS_FILE, allow_pickle=True) as file:
        positions = file["positions_3d"].item()["S9"]["Sitting 1"]
    assert positions.shape == (12, 32, 3) and positions.dtype == np.float32
    assert_allclose(positions[:, H36M_32.index["left_toes"]], motion.positions[:, H36M_17.index["left_ankle"]])
    with np.load(tmp_path / DETECTION_FILES["gt"], allow_pickle=True) as file:
        assert file["metadata"].item()["keypoints_symmetry"] == [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]


def test_projection_round_trip_is_exact_to_a_hundredth_pixel(motion):
    for camera in cameras()["S9"]:
        video = film(motion, camera)
        again = project(video.poses_3d, (*camera.focal, *camera.centre, *camera.radial, *camera.tangential))
        assert np.abs(again - video.poses_2d["gt"]).max() < 0.01


def test_a_person_at_the_camera_is_refused(motion):
    camera = cameras()["S9"][0]
    near = Motion("S9", "Sitting", H36M_17, 50.0, motion.positions + np.float32(camera.position) * 0.9)
    with pytest.raises(InputError, match="within"):
        film(near, camera)
