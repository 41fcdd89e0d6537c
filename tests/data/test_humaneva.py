import numpy as np
import pytest
from numpy.testing import assert_allclose
from samples.humaneva import LENS, coco_of, views, world_of, write

from poselib.data import load
from poselib.data.humaneva import DETECTIONS, POSITIONS_FILE, cameras, frames, read_humaneva, write_humaneva
from poselib.data.standins import humaneva_motions
from poselib.geometry import project, world_to_camera
from poselib.skeleton import COCO_17, HUMANEVA_15

GT, COCO = (file for file, _ in DETECTIONS.values())


@pytest.fixture
def original(tmp_path):
    write(tmp_path)
    return tmp_path


def test_videos_cameras_and_parts(original):
    videos = list(load("humaneva", source="humaneva", path=original))
    assert len(videos) == 4 * 3 and {video.fps for video in videos} == {60.0}
    assert [(v.subject, v.action, v.camera.id, v.split) for v in videos[:3]] == [
        ("S1", "Jog 1 chunk2", "C1", "test"),
        ("S1", "Walking 1 chunk0", "C1", "test"),
        ("S1", "Jog 1 chunk2", "C2", "test"),
    ]
    assert {video.split for video in videos if video.subject == "S2"} == {"train"}
    assert {video.poses_3d.shape for video in videos} == {(7, 15, 3)}
    assert_allclose(videos[1].poses_3d, world_to_camera(world_of(0), cameras("S1")[0]), atol=1e-6)


def test_cameras_stand_where_they_are_published():
    first, second = cameras("S1")[0], cameras("S2")[0]
    assert first.position == pytest.approx((4.062227, 0.6632477, 1.528397)) and first.size == (640, 480)
    assert first.orientation == pytest.approx((0.424207, -0.4983646, -0.5802981, 0.4847012))
    assert [camera.position for camera in cameras("S3")] == [camera.position for camera in cameras("S1")]
    assert second.position == pytest.approx((4.1129121, 0.6264929, 1.5452988))
    for subject in ("S1", "S2", "S3"):
        for camera in cameras(subject):
            assert np.linalg.norm(camera.orientation) == pytest.approx(1, abs=1e-6)
            above = world_to_camera(np.array([[0.0, 0, 0], [0, 0, 1]]), camera)
            assert above[0, 1] > above[1, 1] and above[0, 2] > 3


def test_cameras_project_3d_onto_2d_within_a_hundredth_pixel(original):
    for video in read_humaneva(original):
        camera = video.camera
        lens = (*camera.focal, *camera.centre, *camera.radial, *camera.tangential)
        assert np.abs(project(video.poses_3d, lens) - video.poses_2d["gt"]).max() < 0.01
        # The formula body nearly stands still: only the focal lengths are certain.
        assert_allclose(camera.focal, LENS[:2], rtol=0.02)


def test_joints_of_coco_become_the_fifteen_by_name(original):
    video = next(v for v in read_humaneva(original) if v.action == "Walking 1 chunk0" and v.split == "test")
    found, raw = video.poses_2d["mask_rcnn"], views(coco_of(0), "S1")[0]
    assert found.shape == (7, 15, 2)
    by_name = dict(zip(HUMANEVA_15.names, np.moveaxis(found, 1, 0), strict=True))
    assert_allclose(by_name["left_wrist"], raw[:, 9])
    assert_allclose(by_name["right_ankle"], raw[:, 16])
    assert_allclose(by_name["pelvis"], (raw[:, 11] + raw[:, 12]) / 2, atol=1e-4)
    assert_allclose(by_name["thorax"], (raw[:, 5] + raw[:, 6]) / 2, atol=1e-4)
    assert_allclose(by_name["head"], (raw[:, 3] + raw[:, 4]) / 2, atol=1e-4)


def test_coco_has_its_public_order():
    names = "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist"
    names += " right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
    assert COCO_17.names == tuple(names.split())
    assert COCO_17.flip[1] == 2 and COCO_17.flip[15] == 16 and COCO_17.parents[9] == 7


def test_frame_ranges_are_the_sheets():
    assert frames()["Train/S1"]["Walking 1"] == 613 and frames()["Validate/S3"]["Box 1"] == 507
    assert sum(frames()[f"Validate/S{s}"][action] for s in (1, 2, 3) for action in ("Walking 1", "Jog 1")) == 2612


def test_the_stand_in_has_the_original_form(tmp_path):
    write_humaneva(humaneva_motions(seconds=0.4, seed=0), tmp_path, lambda pixels, seed: pixels + 1)
    world, exact, coco = (
        np.load(tmp_path / file, allow_pickle=True)[key].item()
        for file, key in ((POSITIONS_FILE, "positions_3d"), (GT, "positions_2d"), (COCO, "positions_2d"))
    )
    assert set(world) == set(frames())
    assert list(world["Train/S1"]) == [f"{a} 1 chunk{c}" for a in ("Walking", "Jog", "Box") for c in (0, 2)]
    assert world["Validate/S3"]["Box 1 chunk0"].shape == (24, 15, 3)
    assert [view.shape for view in exact["Train/S2"]["Jog 1 chunk2"]] == [(10, 15, 2)] * 3
    assert coco["Train/S2"]["Jog 1 chunk2"][0].shape == (10, 17, 2)
    videos = list(load("humaneva", source="synthetic", path=tmp_path))
    assert len(videos) == 27 * 3
    assert_allclose(videos[0].poses_2d["mask_rcnn"], videos[0].poses_2d["gt"] + 1, atol=40)
    left = HUMANEVA_15.index["left_ankle"]
    assert_allclose(videos[0].poses_2d["mask_rcnn"][:, left], videos[0].poses_2d["gt"][:, left] + 1, atol=1e-3)


def test_a_long_profile_keeps_to_the_recordings_lengths():
    longest = {}
    for motion in humaneva_motions(seconds=40, seed=0):
        recording = motion.subject, motion.action.rsplit(" ", 1)[0]
        longest[recording] = longest.get(recording, 0) + len(motion.positions)
    assert all(length <= frames()[person][recording] for (person, recording), length in longest.items())
