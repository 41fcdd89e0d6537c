import numpy as np
import pytest
from numpy.testing import assert_allclose

from poselib.data import load
from poselib.data.humaneva import DETECTIONS, POSITIONS_FILE, cameras, frames, read_humaneva, write_humaneva
from poselib.data.standins import humaneva_motions
from poselib.errors import InputError
from poselib.geometry import project, world_to_camera
from poselib.skeleton import COCO_17, HUMANEVA_15

GT, COCO = (file for file, _ in DETECTIONS.values())
LENS = np.array([480.0, 482.0, 322.0, 238.0, -0.2, 0.12, 0.01, 0.0008, -0.0012])
RECORDINGS = {"Validate/S1": ("Walking 1 chunk0", "Jog 1 chunk2"), "Train/S2": ("Walking 1 chunk0", "Box 1 chunk0")}


def as_object(value):
    return np.array(value, dtype=object)


def world_of(number, joints=15):
    random = np.random.default_rng(number)
    shape = random.uniform((-0.3, -0.3, 0.1), (0.3, 0.3, 1.7), (1, joints, 3))
    return (shape + 0.02 * random.normal(size=(7, joints, 3)).cumsum(axis=0)).astype(np.float32)


def coco_of(number):
    """17 joints that fit the 15: hips around the pelvis, shoulders around the thorax, ears around the head."""
    world, index = world_of(number), HUMANEVA_15.index
    poses = np.stack([world[:, index.get(joint, index["head"])] for joint in COCO_17.names], axis=1)
    for side, sign in (("left", 1), ("right", -1)):
        for joint, middle in (("hip", "pelvis"), ("shoulder", "thorax"), ("ear", "head")):
            poses[:, COCO_17.index[f"{side}_{joint}"]] = world[:, index[middle]] + sign * np.float32([0.1, 0.05, 0.02])
    return poses


def views(world, subject, surplus=0):
    shots = [project(world_to_camera(world, camera).astype(float), LENS) for camera in cameras(subject)]
    return [np.concatenate([shot, shot[:surplus]]).astype(np.float32) for shot in shots]


@pytest.fixture
def original(tmp_path):
    """The three files as VideoPose3D's scripts write them; detections last longer and know more subjects."""
    numbered = [(person, action) for person, actions in RECORDINGS.items() for action in actions]
    positions, exact, detected = {}, {}, {"Unlabeled/S4": {"Walking 1 chunk0": views(coco_of(0), "S1")}}
    for number, (person, action) in enumerate(numbered):
        subject = person.split("/")[1]
        positions.setdefault(person, {})[action] = world_of(number)
        exact.setdefault(person, {})[action] = views(world_of(number), subject)
        detected.setdefault(person, {})[action] = views(coco_of(number), subject, surplus=2)
    left, right = [2, 3, 4, 8, 9, 10], [5, 6, 7, 11, 12, 13]
    np.savez_compressed(tmp_path / POSITIONS_FILE, positions_3d=as_object(positions))
    metadata = {"layout_name": "humaneva15", "num_joints": 15, "keypoints_symmetry": [left, right]}
    np.savez_compressed(tmp_path / GT, positions_2d=as_object(exact), metadata=as_object(metadata))
    metadata = {"layout_name": "coco", "num_joints": 17, "keypoints_symmetry": [[1, 3], [2, 4]]}
    np.savez_compressed(tmp_path / COCO, positions_2d=as_object(detected), metadata=as_object(metadata))
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


def rewrite(folder, file, change):
    with np.load(folder / file, allow_pickle=True) as content:
        entries = {key: content[key].item() for key in content.files}
    change(entries)
    np.savez_compressed(folder / file, **{key: as_object(value) for key, value in entries.items()})


def walk(change):
    def harm(entries):
        recordings = next(iter(entries.values()))["Validate/S1"]
        recordings["Walking 1 chunk0"] = change(recordings["Walking 1 chunk0"])

    return harm


def people(change):
    return lambda entries: change(next(iter(entries.values())))


def with_nan(array):
    array[2, 1, 0] = np.nan
    return array


FAULTS = {
    "subject": (POSITIONS_FILE, people(lambda p: p.update({"S1": p["Train/S2"]})), "unknown subject 'S1'"),
    "recording": (
        POSITIONS_FILE,
        people(lambda p: p["Train/S2"].update({"Jump 1 chunk0": world_of(0)})),
        "unknown recording 'Jump 1 chunk0'",
    ),
    "too long": (POSITIONS_FILE, walk(lambda a: np.tile(a, (90, 1, 1))), "chunks of more than 585 frames"),
    "none": (POSITIONS_FILE, people(lambda p: p.update({"Train/S2": {}})), "Train/S2: no recording"),
    "17 joints": (POSITIONS_FILE, walk(lambda a: np.zeros((7, 17, 3), np.float32)), "17 joints, expected 15"),
    "millimetres": (POSITIONS_FILE, walk(lambda a: 1000 * a), "divide by 1000"),
    "nan": (POSITIONS_FILE, walk(with_nan), "NaN or infinity in frame 2"),
    "y up": (POSITIONS_FILE, walk(lambda a: a[..., [0, 2, 1]]), "misses the 2D by"),
    "layout": (GT, lambda e: e["metadata"].update(num_joints=17), "num_joints is 17, expected 15"),
    "4 cameras": (GT, walk(lambda v: [*v, v[0]]), "4 cameras, expected 3"),
    "a number": (GT, walk(lambda v: 3), "missing here"),
    "short": (GT, walk(lambda v: [a[:5] for a in v]), "5 frames of 2D for 7 of 3D"),
    "missing": (COCO, people(lambda p: p.pop("Train/S2")), "missing here, but in the 3D file"),
    "15 joints": (COCO, walk(lambda v: [a[:, :15] for a in v]), "15 joints, expected 17"),
    "normalised": (COCO, walk(lambda v: [a / 320 - 1 for a in v]), "look normalised"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_end_in_one_sentence_that_names_the_file(original, fault):
    file, change, message = FAULTS[fault]
    rewrite(original, file, change)
    with pytest.raises(InputError, match=message) as caught:
        list(read_humaneva(original))
    assert file in str(caught.value) and "\n" not in str(caught.value)
