"""Joint sets by name, and the 17 joints of Human3.6M from each."""

import numpy as np
import pytest

from poselib.errors import InputError
from poselib.keypoints import Track, to_h36m_17
from poselib.keypoints.joint_sets import JOINT_SETS, mirrored, set_of
from poselib.skeleton import COCO_17, H36M_17

# Where each joint is, by name: left at x > 0, right at x < 0, the body's middle at x = 0.
HEIGHT = {
    "nose": 160.0, "eye": 164.0, "ear": 162.0, "head": 180.0, "neck": 148.0, "mouth": 155.0,
    "shoulder": 144.0, "elbow": 120.0, "wrist": 96.0, "pelvis": 93.0, "hip": 92.0, "knee": 50.0, "ankle": 10.0,
}  # fmt: skip


def place(joint):
    side, _, rest = joint.partition("_")
    kind = rest if side in ("left", "right") else joint
    height = HEIGHT.get(kind, 5.0 + sum(map(ord, kind)) % 7)
    return [{"left": 1, "right": -1}.get(side, 0) * (8.0 + len(kind)), height]


def track_of(name, **missed):
    joints = JOINT_SETS[name]
    keypoints = np.array([[place(joint) for joint in joints]] * 2, np.float32)
    confidence = np.linspace(0.3, 0.9, 2 * len(joints), dtype=np.float32).reshape(2, -1)
    for joint, value in missed.items():
        confidence[0, joints.index(joint)] = value
    return Track("1", name, np.arange(2), keypoints, confidence)


@pytest.mark.parametrize("name", JOINT_SETS)
def test_sets_have_their_number_of_joints_each_once_and_each_side_twice(name):
    joints = JOINT_SETS[name]
    assert len(joints) == len(set(joints)) == int(name.split("_")[1])
    assert {mirrored(joint) for joint in joints} == set(joints)
    assert sum(joint.startswith("left_") for joint in joints) == sum(joint.startswith("right_") for joint in joints)


def test_sets_that_the_package_knows_are_the_same():
    assert JOINT_SETS["coco_17"] == COCO_17.names and JOINT_SETS["h36m_17"] == H36M_17.names


@pytest.mark.parametrize("name", [name for name in JOINT_SETS if name != "h36m_17"])
def test_joints_of_human36m_are_where_the_rules_say(name):
    found = to_h36m_17(track_of(name))
    by_name = dict(zip(H36M_17.names, found.keypoints[0].tolist(), strict=True))
    assert found.joints == "h36m_17" and found.keypoints.shape == (2, 17, 2) and found.keypoints.dtype == np.float32
    for joint in H36M_17.names:
        if H36M_17.side(joint) != "centre":
            assert by_name[joint] == pytest.approx(place(joint)), joint
    # Hips at 92, shoulders at 144, ears at 162: the means, not OpenPose's or Halpe's own pelvis and neck.
    assert by_name["pelvis"] == [0, 92] and by_name["thorax"] == [0, 144] and by_name["spine"] == [0, 118]
    assert by_name["nose"] == [0, 160] and by_name["head"] == [0, 180 if name == "halpe_26" else 162]


@pytest.mark.parametrize("name", JOINT_SETS)
def test_mirroring_before_and_after_is_the_same(name):
    def mirror(track, joints):
        flip = [joints.index(mirrored(joint)) for joint in joints]
        keypoints = (track.keypoints * [-1, 1])[:, flip].astype(np.float32)
        return Track("1", track.joints, track.frames, keypoints, track.confidence[:, flip])

    track = track_of(name)
    before = to_h36m_17(mirror(track, JOINT_SETS[name]))
    after = mirror(to_h36m_17(track), H36M_17.names)
    np.testing.assert_allclose(before.keypoints, after.keypoints, atol=1e-5)
    np.testing.assert_array_equal(before.confidence, after.confidence)
    # The body is drawn symmetrical, so its mirror image is the body itself.
    np.testing.assert_array_equal(mirror(track, JOINT_SETS[name]).keypoints, track.keypoints)


def test_a_mean_is_as_sure_as_its_least_sure_joint_and_missed_with_it():
    found = to_h36m_17(track_of("coco_17", left_hip=0.05, right_shoulder=0.0))
    confidence = dict(zip(H36M_17.names, found.confidence[0].tolist(), strict=True))
    assert confidence["pelvis"] == confidence["left_hip"] == pytest.approx(0.05)
    missed = [joint for joint in H36M_17.names if not confidence[joint]]
    assert missed == ["spine", "thorax", "right_shoulder"]
    assert not found.keypoints[0][[H36M_17.index[joint] for joint in missed]].any()
    assert found.keypoints[1].any(axis=-1).all()


def test_human36m_stays_as_it_is():
    track = track_of("h36m_17")
    assert to_h36m_17(track) is track


@pytest.mark.parametrize("given", ["coco_17", "coco", JOINT_SETS["coco_17"], np.array(JOINT_SETS["coco_17"])])
def test_a_set_is_known_by_its_names_and_by_those_of_its_joints(given):
    assert set_of(given, "joints") == "coco_17"


@pytest.mark.parametrize("given", ["cocoa", ["coco_17"], JOINT_SETS["coco_17"][::-1], 17])
def test_an_unknown_set_is_refused(given):
    with pytest.raises(InputError, match="^a.npz, joints: no joint set .*; name one of coco_17"):
        set_of(given, "a.npz, joints")


def test_a_set_that_is_not_named_is_asked_for():
    with pytest.raises(InputError, match="^joints: not named; name one of coco_17"):
        set_of(None, "joints")
