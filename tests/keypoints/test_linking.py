"""People keep their ids by the overlap of their boxes."""

import json

import numpy as np
import pytest

from poselib.keypoints import read_keypoints
from poselib.keypoints.linking import link, overlaps


def square(x, side=10.0):
    return [x, 0.0, x + side, side]


def test_overlap_of_boxes_one_can_do_in_the_head():
    found = overlaps(np.array([square(0), square(5)]), np.array([square(0), square(5), square(10), [3.0, 3, 3, 3]]))
    np.testing.assert_allclose(found, [[1, 1 / 3, 0, 0], [1 / 3, 1, 1 / 3, 0]])


def test_people_who_pass_keep_their_ids_whatever_their_order_in_the_file():
    # One walks right in steps of 2, the other left; the file turns them around in every other frame.
    boxes, frames, expected = [], [], []
    for frame in range(11):
        two = [("1", [2.0 * frame, 0, 2 * frame + 10, 40]), ("2", [40 - 2.0 * frame, 10, 50 - 2 * frame, 50])]
        for person, box in two[:: 1 - 2 * (frame % 2)]:
            frames.append(frame)
            boxes.append(box)
            expected.append(person)
    assert link(frames, np.array(boxes)) == expected


def test_the_order_of_frames_in_the_file_does_not_matter():
    frames, boxes = [3, 1, 0, 2], np.array([square(3.0 * frame) for frame in (3, 1, 0, 2)])
    assert link(frames, boxes) == ["1"] * 4


def test_the_pairing_is_best_in_all_not_for_the_first():
    # Alone, the first new box would take the second old one; together that leaves the other new one without any.
    boxes = np.array([square(0), square(3), square(2), square(6)])
    assert link([0, 0, 1, 1], boxes) == ["1", "2", "1", "2"]


@pytest.mark.parametrize(("shift", "expected"), [(5.38, ["1", "1"]), (5.39, ["1", "2"])])
def test_an_overlap_below_three_tenths_is_another_person(shift, expected):
    # (10 - s) / (10 + s) = 0.3 at s = 5.385.
    assert link([0, 1], np.array([square(0), square(shift)])) == expected


def test_an_absence_ends_a_track_and_what_comes_back_is_new():
    assert link([0, 2], np.array([square(0), square(0)])) == ["1", "1"]
    assert link([0, 2], np.array([square(0), square(0)]), every=[0, 1, 2]) == ["1", "2"]
    assert link([0, 0, 1, 2, 2], np.array([square(x) for x in (0, 50, 0, 0, 50)])) == ["1", "2", "1", "1", "3"]


def test_a_frame_with_nobody_breaks_a_track_of_openpose(tmp_path):
    for frame in range(6):
        people = [] if frame == 3 else [{"pose_keypoints_2d": [100.0 + i for i in range(75)]}]
        people = [
            {"pose_keypoints_2d": [p if i % 3 < 2 else 0.5 for i, p in enumerate(one["pose_keypoints_2d"])]}
            for one in people
        ]
        (tmp_path / f"v_{frame:012d}_keypoints.json").write_text(json.dumps({"people": people}))
    tracks = read_keypoints(tmp_path)
    assert [(track.person, track.frames.tolist()) for track in tracks] == [("1", [0, 1, 2]), ("2", [4, 5])]
