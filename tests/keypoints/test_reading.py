"""Files as each tool writes them, from known poses, read back exactly; the right side never becomes the left."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from poselib.errors import InputError
from poselib.keypoints import read_keypoints
from poselib.keypoints.joint_sets import JOINT_SETS
from poselib.keypoints.reading import FORMATS

FRAMES, SIZE = 4, (1280, 720)

# The published orders, written out once more: L and R by the tools' own documents.
_COCO = "nose Leye Reye Lear Rear Lshoulder Rshoulder Lelbow Relbow Lwrist Rwrist Lhip Rhip Lknee Rknee Lankle Rankle"
ORDERS = {
    "coco_17": _COCO,
    "coco_18": "nose neck Rshoulder Relbow Rwrist Lshoulder Lelbow Lwrist Rhip Rknee Rankle Lhip Lknee Lankle"
    " Reye Leye Rear Lear",
    "body_25": "nose neck Rshoulder Relbow Rwrist Lshoulder Lelbow Lwrist pelvis Rhip Rknee Rankle Lhip Lknee Lankle"
    " Reye Leye Rear Lear Lbig_toe Lsmall_toe Lheel Rbig_toe Rsmall_toe Rheel",
    "halpe_26": f"{_COCO} head neck pelvis Lbig_toe Rbig_toe Lsmall_toe Rsmall_toe Lheel Rheel",
    "mediapipe_33": "nose Leye_inner Leye Leye_outer Reye_inner Reye Reye_outer Lear Rear Lmouth Rmouth"
    " Lshoulder Rshoulder Lelbow Relbow Lwrist Rwrist Lpinky Rpinky Lindex Rindex Lthumb Rthumb"
    " Lhip Rhip Lknee Rknee Lankle Rankle Lheel Rheel Lfoot_index Rfoot_index",
}
ORDERS = {
    name: [w.replace("L", "left_").replace("R", "right_") if w[0] in "LR" else w for w in text.split()]
    for name, text in ORDERS.items()
}


def people(joints, count=2, seed=0):
    """(people, frames, J, 3): all left joints at odd x, all right ones at even x, all others at a half."""
    random = np.random.default_rng(seed)
    points = random.integers(10, 90, (count, FRAMES, len(joints), 3)).astype(float)
    points[..., 0] = 2 * points[..., 0] + [{"left": 1, "right": 0}.get(joint.split("_")[0], 0.5) for joint in joints]
    points[..., 0] += 300 * np.arange(count)[:, None, None]
    points[..., 2] /= 128
    return points


def write_openpose(folder, points, ids=(-1, -1)):
    place = folder / "openpose"
    place.mkdir()
    for frame in range(FRAMES):
        content = {
            "version": 1.3,
            "people": [
                {"person_id": [i], "pose_keypoints_2d": one[frame].ravel().tolist(), "face_keypoints_2d": []}
                for i, one in zip(ids, points, strict=True)
            ],
        }
        (place / f"walk_2_{frame:012d}_keypoints.json").write_text(json.dumps(content))
    return place


def write_alphapose(folder, points, ids=True):
    found = [
        {
            "image_id": f"{frame}.jpg",
            "category_id": 1,
            "keypoints": one[frame].ravel().tolist(),
            "score": 2.9,
            "box": [300.0 * person, 10.0, 250.0, 100.0],
        }
        | ({"idx": [1234567.0 + person]} if ids else {})
        for frame in range(FRAMES)
        for person, one in enumerate(points)
    ]
    return written(folder / "alphapose-results.json", found)


def write_mmpose(folder, points):
    names = {"coco_17": 17, "halpe_26": 26}
    name = next(name for name, count in names.items() if count == points.shape[2])
    called = {str(i): "hip" if joint == "pelvis" else joint for i, joint in enumerate(ORDERS[name])}
    shots = [
        {
            "frame_id": frame + 1,
            "instances": [
                {
                    "keypoints": one[frame, :, :2].tolist(),
                    "keypoint_scores": one[frame, :, 2].tolist(),
                    "bbox": [[300.0 * i, 10.0, 300.0 * i + 250, 110.0]],
                    "bbox_score": 0.9,
                }
                for i, one in enumerate(points)
            ],
        }
        for frame in range(FRAMES)
    ]
    return written(folder / "results.json", {"meta_info": {"keypoint_id2name": called}, "instance_info": shots})


def write_mediapipe(folder, points, one=0):
    marks = [
        [{"x": x / SIZE[0], "y": y / SIZE[1], "z": 0.1, "visibility": c} for x, y, c in frame] for frame in points[one]
    ]
    frames = [{"frame": i, "landmarks": landmarks} for i, landmarks in enumerate(marks)]
    return written(folder / "pose.json", {"width": SIZE[0], "height": SIZE[1], "fps": 25, "frames": frames})


def write_mediapipe_csv(folder, points):
    path = folder / "pose.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["frame", "landmark", "x", "y", "z", "visibility"])
        for frame, pose in enumerate(points[0]):
            for mark, (x, y, c) in enumerate(pose):
                rows.writerow([frame, mark, x / SIZE[0], y / SIZE[1], 0.1, c])
    return path


def write_detectron(folder, points):
    boxes, keypoints = (np.empty((FRAMES, 2), object) for _ in range(2))
    for frame in range(FRAMES):
        shot = points[:, frame]
        boxes[frame, 0] = keypoints[frame, 0] = []
        boxes[frame, 1] = np.array([[300.0 * i, 10, 300 * i + 250, 110, 0.9] for i in range(len(points))])
        rows = [shot[..., 0], shot[..., 1], np.full(shot.shape[:2], 7.7), shot[..., 2]]
        keypoints[frame, 1] = np.stack(rows, axis=1).astype(np.float32)
    path = folder / "video.mp4.npz"
    np.savez_compressed(
        path, boxes=boxes, segments=np.array(None), keypoints=keypoints, metadata={"w": SIZE[0], "h": SIZE[1]}
    )
    return path


def write_csv(folder, points, joints):
    path = folder / "points.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["frame", "person", "joint", "x", "y", "confidence"])
        for person, one in enumerate(points):
            for frame, pose in enumerate(one):
                rows.writerows([frame, person + 4, joint, *point] for joint, point in zip(joints, pose, strict=True))
    return path


def written(path, content):
    path.write_text(json.dumps(content))
    return path


def check(track, points, name, frames=None):
    """The track is these points, and a left joint is where a left joint was written."""
    assert track.joints == name and list(JOINT_SETS[name]) == ORDERS[name]
    np.testing.assert_array_equal(track.frames, np.arange(FRAMES) if frames is None else frames)
    np.testing.assert_allclose(track.keypoints, points[..., :2], rtol=3e-7, atol=0)
    np.testing.assert_array_equal(track.confidence, points[..., 2].astype(np.float32))
    assert track.keypoints.dtype == track.confidence.dtype == np.float32
    for joint, x in zip(JOINT_SETS[name], track.keypoints[0, :, 0], strict=True):
        assert round(2 * float(x)) % 4 == {"left": 2, "right": 0}.get(joint.split("_")[0], 1), joint


@pytest.mark.parametrize("name", ["body_25", "coco_18"])
@pytest.mark.parametrize("ids", [(-1, -1), (7, 3)])
def test_openpose(tmp_path, name, ids):
    points = people(ORDERS[name])
    tracks = read_keypoints(write_openpose(tmp_path, points, ids))
    assert [track.person for track in tracks] == (["1", "2"] if ids[0] < 0 else ["7", "3"])
    for track, one in zip(tracks, points, strict=True):
        check(track, one, name)
        assert track.boxes is None and track.fps is None and track.size is None


@pytest.mark.parametrize("name", ["coco_17", "halpe_26"])
@pytest.mark.parametrize("ids", [True, False])
def test_alphapose(tmp_path, name, ids):
    points = people(ORDERS[name])
    tracks = read_keypoints(write_alphapose(tmp_path, points, ids))
    assert [track.person for track in tracks] == (["1234567", "1234568"] if ids else ["1", "2"])
    for person, (track, one) in enumerate(zip(tracks, points, strict=True)):
        check(track, one, name)
        np.testing.assert_array_equal(track.boxes, [[300 * person, 10, 300 * person + 250, 110]] * FRAMES)


def test_cocos_annotations(tmp_path):
    points = people(ORDERS["coco_17"])
    points[..., 2] = np.random.default_rng(1).integers(0, 3, points.shape[:3])
    points[points[..., 2] == 0] = 0
    found = [
        {"image_id": frame, "track_id": i, "keypoints": one[frame].ravel().tolist(), "bbox": [1, 2, 3, 4]}
        for frame in range(FRAMES)
        for i, one in enumerate(points)
    ]
    images = [{"id": 0, "file_name": "000000.jpg", "width": SIZE[0], "height": SIZE[1]}]
    tracks = read_keypoints(written(tmp_path / "a.json", {"images": images, "annotations": found}))
    for track, one in zip(tracks, points, strict=True):
        np.testing.assert_array_equal(track.keypoints, one[..., :2])
        np.testing.assert_array_equal(track.confidence, one[..., 2] > 0)
        assert track.size == SIZE


@pytest.mark.parametrize("name", ["coco_17", "halpe_26"])
def test_mmpose(tmp_path, name):
    points = people(ORDERS[name])
    path = write_mmpose(tmp_path, points)
    shots = json.loads(path.read_text())["instance_info"]
    for tracks in (read_keypoints(path), read_keypoints(written(tmp_path / "bare.json", shots), "mmpose")):
        for person, (track, one) in enumerate(zip(tracks, points, strict=True)):
            check(track, one, name, frames=np.arange(1, FRAMES + 1))
            assert track.boxes[0].tolist() == [300 * person, 10, 300 * person + 250, 110]


def test_mediapipe(tmp_path):
    points = people(ORDERS["mediapipe_33"], 1)
    path = write_mediapipe(tmp_path, points)
    (track,) = read_keypoints(path)
    check(track, points[0], "mediapipe_33")
    assert (track.fps, track.size) == (25, SIZE)
    landmarks = [shot["landmarks"] for shot in json.loads(path.read_text())["frames"]]
    (track,) = read_keypoints(written(tmp_path / "bare.json", landmarks), image_size=SIZE)
    check(track, points[0], "mediapipe_33")
    several = [{"pose_landmarks": [marks]} for marks in landmarks[:2]] + [{"pose_landmarks": []}]
    (track,) = read_keypoints(written(tmp_path / "several.json", several), image_size=SIZE)
    np.testing.assert_allclose(track.keypoints, points[0, :2, :, :2], rtol=3e-7)


def test_mediapipe_csv_by_number_and_by_name(tmp_path):
    points = people(ORDERS["mediapipe_33"], 1)
    path = write_mediapipe_csv(tmp_path, points)
    (track,) = read_keypoints(path, image_size=SIZE)
    check(track, points[0], "mediapipe_33")
    lines = [line.split(",") for line in path.read_text().splitlines()]
    own = {"9": "MOUTH_LEFT", "10": "mouth_right", "11": "LEFT_SHOULDER", "12": "right_shoulder"}
    path.write_text("\n".join(",".join([a, own.get(mark, mark), *rest]) for a, mark, *rest in lines))
    check(read_keypoints(path, image_size=SIZE)[0], points[0], "mediapipe_33")


def test_detectron(tmp_path):
    points = people(ORDERS["coco_17"])
    for person, (track, one) in enumerate(zip(read_keypoints(write_detectron(tmp_path, points)), points, strict=True)):
        check(track, one, "coco_17")
        assert track.size == SIZE and track.boxes[2].tolist() == [300 * person, 10, 300 * person + 250, 110]


@pytest.mark.parametrize("name", ORDERS)
def test_plain_npz(tmp_path, name):
    points = people(ORDERS[name], 1)
    np.savez(tmp_path / "a.npz", keypoints=points[0], joints=name, fps=29.97, width=SIZE[0], height=SIZE[1])
    (track,) = read_keypoints(tmp_path / "a.npz")
    check(track, points[0], name)
    assert (track.fps, track.size) == (29.97, SIZE)
    places = points[0, ..., :2].copy()
    places[1, 3] = np.nan
    np.savez(tmp_path / "b.npz", keypoints=places, joints=name)
    (track,) = read_keypoints(tmp_path / "b.npz", "npz")
    assert np.argwhere(track.confidence == 0).tolist() == [[1, 3]] and not track.keypoints[1, 3].any()
    assert (track.fps, track.size) == (None, None)


@pytest.mark.parametrize("name", ORDERS)
def test_plain_csv_finds_the_smallest_set_of_its_joints(tmp_path, name):
    points = people(ORDERS[name])
    tracks = read_keypoints(write_csv(tmp_path, points, ORDERS[name]))
    assert [track.person for track in tracks] == ["4", "5"]
    for track, one in zip(tracks, points, strict=True):
        check(track, one, name)


def test_a_row_that_is_not_there_and_an_empty_cell_are_missed_joints(tmp_path):
    path = write_csv(tmp_path, people(ORDERS["coco_17"], 1), ORDERS["coco_17"])
    lines = path.read_text().splitlines()
    lines[3] = "0,4,right_eye,,,"
    path.write_text("\n".join(lines[:5] + lines[6:]))
    (track,) = read_keypoints(path)
    missed = [JOINT_SETS["coco_17"][joint] for _, joint in np.argwhere(track.confidence == 0)]
    assert missed == ["right_eye", "right_ear"] and not track.keypoints[track.confidence == 0].any()


def test_the_size_of_the_image_can_be_given(tmp_path):
    path = write_alphapose(tmp_path, people(ORDERS["coco_17"]))
    assert [track.size for track in read_keypoints(path, image_size=(1920, 1080))] == [(1920, 1080)] * 2


def test_confidences_above_one_are_one_and_below_zero_are_missed(tmp_path):
    points = people(ORDERS["body_25"], 1)
    points[0, 0, :3, 2] = 1.02, -0.01, np.nan
    (track,) = read_keypoints(write_openpose(tmp_path, points, ids=(-1,)))
    assert track.confidence[0, :3].tolist() == [1, 0, 0] and not track.keypoints[0, 1:3].any()


def test_the_format_can_be_named_but_not_against_the_content(tmp_path):
    path = write_alphapose(tmp_path, people(ORDERS["coco_17"]))
    assert len(read_keypoints(path, "coco")) == 2
    for other in set(FORMATS) - {"coco"}:
        with pytest.raises(InputError, match=f"looks like coco, not {other}"):
            read_keypoints(path, other)


def test_reading_needs_no_torch():
    code = "import sys, poselib.keypoints; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
