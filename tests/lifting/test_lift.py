"""`poselib.lift`: the same 3D from every tool's file, at any rate, with gaps, for several people."""

from dataclasses import replace

import numpy as np
import pytest
from keypoints import test_reading as tools

import poselib
from poselib.errors import InputError
from poselib.keypoints import Track, read_keypoints
from poselib.keypoints.joint_sets import JOINT_SETS
from poselib.skeleton import H36M_17

AT = H36M_17.index
WRITERS = {
    "OpenPose BODY_25": ("body_25", lambda folder, points: tools.write_openpose(folder, points, ids=(-1,))),
    "OpenPose COCO": ("coco_18", lambda folder, points: tools.write_openpose(folder, points, ids=(-1,))),
    "AlphaPose COCO": ("coco_17", tools.write_alphapose),
    "AlphaPose Halpe": ("halpe_26", tools.write_alphapose),
    "MMPose COCO": ("coco_17", tools.write_mmpose),
    "MMPose Halpe": ("halpe_26", tools.write_mmpose),
    "MediaPipe JSON": ("mediapipe_33", tools.write_mediapipe),
    "MediaPipe CSV": ("mediapipe_33", tools.write_mediapipe_csv),
    "Detectron": ("coco_17", tools.write_detectron),
    **{f"plain CSV {name}": (name, None) for name in JOINT_SETS},
    **{f"plain npz {name}": (name, None) for name in JOINT_SETS},
}


def as_seen(pixels, name):
    """The joints that a set has, (F, J, 3), of a body whose Human3.6M joints are these pixels."""
    random, joints = np.random.default_rng(0), JOINT_SETS[name]
    aside = random.integers(3, 9, (len(pixels), 1)) * [1.0, -0.5]
    head = pixels[:, AT["head"]]
    points = np.ones((len(pixels), len(joints), 3))
    for number, joint in enumerate(joints):
        if joint in AT and name in ("h36m_17", "halpe_26") or joint.partition("_")[0] in ("left", "right"):
            place = pixels[:, AT[joint]] if joint in AT else head + random.uniform(-40, 40, 2)
        else:
            # Pelvis and neck of the tools are not Human3.6M's.
            place = pixels[:, AT["nose"]] if joint == "nose" else head + random.uniform(-40, 40, 2)
        if joint in ("left_ear", "right_ear"):
            place = head + (aside if joint == "left_ear" else -aside)
        points[:, number, :2] = place
    return points


def plain(folder, points, name, kind, size):
    if kind == "CSV":
        return tools.write_csv(folder, points, JOINT_SETS[name])
    np.savez(folder / "plain.npz", keypoints=points[0], joints=name, fps=25.0, width=size[0], height=size[1])
    return folder / "plain.npz"


@pytest.mark.parametrize("tool", WRITERS)
def test_every_format_gives_the_3d_that_its_joints_give(tool, clip, network, tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "FRAMES", len(clip.pixels))
    monkeypatch.setattr(tools, "SIZE", clip.size)
    (name, write), small = WRITERS[tool], network()
    direct = poselib.lift(clip.pixels, "h36m", clip.size, 25, checkpoint=small).poses_3d
    swapped = poselib.lift(clip.pixels[:, list(H36M_17.flip)], "h36m", clip.size, 25, checkpoint=small).poses_3d
    points = as_seen(clip.pixels, name)[None]
    path = write(tmp_path, points) if write else plain(tmp_path, points, name, tool.split()[1], clip.size)
    lifted = poselib.lift(path, name, clip.size, 25, checkpoint=small)
    assert lifted.poses_3d.shape == (40, 17, 3) and not lifted.person.filled.any()
    np.testing.assert_allclose(lifted.poses_3d, direct, atol=1e-4)
    # The bound tells left from right.
    assert np.abs(swapped - direct).max() > 1e-2


def test_an_array_needs_no_confidences_and_a_track_is_taken_as_it_is(clip, network):
    points, small = as_seen(clip.pixels, "coco_17"), network()
    first = poselib.lift(points, "coco", clip.size, 25, checkpoint=small)
    second = poselib.lift(points[..., :2], "coco_17", clip.size, 25, checkpoint=small)
    track = Track("7", "coco_17", np.arange(40) + 3, *(points[..., :2].astype(np.float32), points[..., 2]), fps=25.0)
    third = poselib.lift([replace(track, size=clip.size)], checkpoint=small)
    np.testing.assert_array_equal(first.poses_3d, second.poses_3d)
    np.testing.assert_array_equal(first.poses_3d, third.poses_3d)
    for same in (points.tolist(), list(points)):
        fourth = poselib.lift(same, JOINT_SETS["coco_17"], clip.size, 25, checkpoint=small)
        np.testing.assert_array_equal(first.poses_3d, fourth.poses_3d)
    assert repr(first) == f"<Lifted by {first.checkpoint}: {first.summary}>"
    assert third.person.frames.tolist() == list(range(3, 43)) and third.person.person == "7"
    assert first.fps == 25 and first.summary.startswith("1 person, 40 frames at 25 fps; 0 joints not seen")


@pytest.mark.parametrize("named", [{}, {"joints": JOINT_SETS["coco_17"]}, {"joints": "coco"}])
def test_a_plain_file_says_its_joints_or_is_told_them(named, clip, network, tmp_path):
    points, small = as_seen(clip.pixels, "coco_17"), network()
    told = {} if named else {"joints": "coco"}
    direct = poselib.lift(points, "coco", clip.size, 25, checkpoint=small)
    np.savez(tmp_path / "own.npz", keypoints=points, image_size=clip.size, fps=25, **named)
    np.save(tmp_path / "own.npy", points)
    first = poselib.lift(tmp_path / "own.npz", checkpoint=small, **told)
    second = poselib.lift(tmp_path / "own.npy", "coco", clip.size, 25, checkpoint=small)
    np.testing.assert_array_equal(first.poses_3d, direct.poses_3d)
    np.testing.assert_array_equal(second.poses_3d, direct.poses_3d)
    with pytest.raises(InputError, match="own.npy, joints: not named"):
        poselib.lift(tmp_path / "own.npy", None, clip.size, 25, checkpoint=small)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "own.npy").read_bytes()[:200])
    with pytest.raises(InputError, match="cut.npy: damaged or no array of numbers; save it again"):
        poselib.lift(tmp_path / "cut.npy", "coco", clip.size, 25, checkpoint=small)


def test_a_few_joints_may_lie_outside_of_the_image(clip, network):
    points = clip.pixels.copy()
    points[0, :5] += 1500
    assert len(poselib.lift(points, "h36m", clip.size, 25, checkpoint=network()).poses_3d) == 40


@pytest.mark.parametrize("name", ["mixste", "gla_gcn", "ampose"])
def test_twice_the_networks_rate_gives_its_poses_and_their_means(name, clip, network):
    small, slow = network(name), clip.pixels[:21]
    fast = np.stack([slow[:-1], (slow[:-1] + slow[1:]) / 2], axis=1).reshape(-1, 17, 2)
    fast = np.concatenate([fast, slow[-1:]])
    expected = poselib.lift(slow, "h36m", clip.size, 25, checkpoint=small).poses_3d
    found = poselib.lift(fast, "h36m", clip.size, 50, checkpoint=small).poses_3d
    assert found.shape == (41, 17, 3)
    np.testing.assert_allclose(found[::2], expected, atol=1e-5)
    np.testing.assert_allclose(found[1::2], (expected[1:] + expected[:-1]) / 2, atol=1e-5)


@pytest.mark.parametrize("fps", [10, 23.976, 30, 60])
@pytest.mark.parametrize("frames", [1, 2, 40])
def test_any_rate_and_length_gives_a_pose_for_every_frame(fps, frames, clip, network):
    still = np.repeat(clip.pixels[:1], frames, axis=0)
    found = poselib.lift(still, "h36m", clip.size, fps, checkpoint=network("ampose"))
    alone = poselib.lift(still[:1], "h36m", clip.size, fps, checkpoint=network("ampose"))
    assert found.fps == fps
    np.testing.assert_allclose(found.poses_3d, np.repeat(alone.poses_3d, frames, axis=0), atol=1e-6)


def test_missed_joints_are_filled_in_and_marked(clip, network):
    points = as_seen(clip.pixels, "h36m_17")
    points[12, AT["left_wrist"]] = np.nan
    points[20:23, :, 2] = 0
    line = clip.pixels.copy()
    line[12, AT["left_wrist"]] = (line[11, AT["left_wrist"]] + line[13, AT["left_wrist"]]) / 2
    line[20:23] = line[19] + np.array([1, 2, 3])[:, None, None] / 4 * (line[23] - line[19])
    found = poselib.lift(points, "h36m", clip.size, 25, checkpoint=network())
    expected = poselib.lift(line, "h36m", clip.size, 25, checkpoint=network())
    np.testing.assert_allclose(found.poses_3d, expected.poses_3d, atol=1e-5)
    marked = np.zeros((40, 17), bool)
    marked[12, AT["left_wrist"]] = marked[20:23] = True
    np.testing.assert_array_equal(found.person.filled, marked)
    np.testing.assert_array_equal(found.person.confidence, np.where(marked, 0, 1))
    assert "52 joints not seen and filled in (7.6%) in 4 frames; 0 breaks" in found.summary


def test_a_long_absence_breaks_the_sequence_and_nothing_reaches_across_it(clip, network):
    small, points = network("gla_gcn"), as_seen(clip.pixels, "h36m_17")
    tracks = [
        poselib.lift(part, "h36m", clip.size, 25, checkpoint=small).poses_3d for part in (points[:15], points[15:])
    ]
    away = np.concatenate([points[:15], np.full((30, 17, 3), np.nan), points[15:]])
    found = poselib.lift(away, "h36m", clip.size, 25, checkpoint=small)
    assert found.person.frames.tolist() == [*range(15), *range(45, 70)] and found.person.breaks == 1
    np.testing.assert_allclose(found.poses_3d, np.concatenate(tracks), atol=1e-6)
    assert not found.person.filled.any() and "1 break" in found.summary
    filled = poselib.lift(away, "h36m", clip.size, 25, checkpoint=small, longest_gap=2)
    assert len(filled.poses_3d) == 70 and filled.person.filled[15:45].all()


def test_one_ear_stands_for_both_and_the_head_is_marked(clip, network):
    points = as_seen(clip.pixels, "coco_17")
    left, right = (JOINT_SETS["coco_17"].index(f"{side}_ear") for side in ("left", "right"))
    same = points.copy()
    same[5:, right] = same[5:, left]
    points[5:, right] = 0
    found = poselib.lift(points, "coco", clip.size, 25, checkpoint=network())
    expected = poselib.lift(same, "coco", clip.size, 25, checkpoint=network())
    np.testing.assert_array_equal(found.poses_3d, expected.poses_3d)
    assert np.argwhere(found.person.filled).tolist() == [[frame, AT["head"]] for frame in range(5, 40)]


def test_people_have_sequences_of_their_own_and_half_bodies_are_left_out(clip, network, tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "FRAMES", 20)
    points = as_seen(clip.pixels, "coco_17")
    half = points[:20].copy()
    half[:, JOINT_SETS["coco_17"].index("left_ankle"), 2] = 0
    path = tools.write_alphapose(tmp_path, np.stack([points[:20], half, points[20:]]))
    found = poselib.lift(path, image_size=clip.size, fps=25, checkpoint=network())
    assert [one.person for one in found.people] == ["1234567", "1234569"]
    assert found.left_out == {"1234568": "its left_ankle cannot be made from what was seen"}
    alone = poselib.lift(points[20:], "coco", clip.size, 25, checkpoint=network())
    np.testing.assert_allclose(found.people[1].poses_3d, alone.poses_3d, atol=1e-6)
    assert (
        "2 people, 40 frames" in found.summary
        and "1 person left out, as person 1234568: its left_ankle" in found.summary
    )
    with pytest.raises(InputError, match="2 people were lifted, 1234567, 1234569; take one of .people"):
        found.poses_3d  # noqa: B018
    with pytest.raises(InputError, match="person 1: its left_ankle cannot be made"):
        poselib.lift(half, "coco", clip.size, 25, checkpoint=network())


def test_other_joint_sets_come_out_by_name(clip, network):
    from poselib.models import build
    from poselib.skeleton import H36M_16

    small = network("ampose", joints=H36M_16.names)
    small = replace(small, model=build("ampose", joints=16, dim=16, depth=1, heads=2).eval())
    found = poselib.lift(clip.pixels, "h36m", clip.size, 25, checkpoint=small, focal=1000.0)
    assert found.poses_3d.shape == (40, 16, 3) and found.skeleton is H36M_16


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"joints": "human"}, "no joint set 'human'; name one of"),
        ({"joints": None}, "joints: not named; name one of"),
        ({"joints": "body_25"}, r"shape \(40, 17, 2\), expected \(frames, 25, 2 or 3\) of body_25"),
        ({"image_size": None}, r"does not say its image_size; give image_size \(--image-size\)$"),
        ({"image_size": None, "fps": None}, "does not say its image_size and fps; give image_size .*, fps"),
        ({"image_size": "1000x1002"}, r"image_size '1000x1002' is not \(width, height\)"),
        ({"image_size": (300, 300)}, r"joints reach to x \d+, y \d+, outside of 300x300; correct image_size"),
        ({"focal": 1.2}, "focal 1.2: too short for an image 1000 wide; give it in pixels"),
        ({"image_size": (0, 5)}, "expected one number above zero"),
        ({"fps": None}, "does not say its fps; give fps"),
        ({"fps": -1}, "fps: expected one number above zero"),
        ({"focal": np.nan}, "focal: expected one number above zero"),
        ({"keypoints": np.full((4, 17, 2), np.inf)}, "beyond 1e.09"),
        ({"keypoints": np.full((4, 17, 2), 0.5)}, "look normalised"),
        ({"keypoints": []}, "nobody is in it"),
        ({"keypoints": [["a"]]}, "keypoints: expected numbers"),
        ({"keypoints": "nowhere.json"}, "nowhere.json: no such file"),
    ],
)
def test_bad_input_is_one_sentence(changed, sentence, clip, network):
    given = {"keypoints": clip.pixels, "joints": "h36m", "image_size": clip.size, "fps": 25} | changed
    with pytest.raises(InputError, match=sentence):
        poselib.lift(given.pop("keypoints"), **given, checkpoint=network())


def test_what_a_file_says_is_not_overruled(clip, network, tmp_path):
    path = plain(tmp_path, as_seen(clip.pixels, "coco_17")[None], "coco_17", "npz", clip.size)
    assert read_keypoints(path)[0].fps == 25
    for changed, sentence in (
        ({"fps": 30}, "its fps is 25.0, not 30"),
        ({"joints": "halpe"}, "its joints are coco_17, not halpe"),
        ({"image_size": (1920, 1080)}, "its image is 1000x1002, not 1920x1080"),
    ):
        with pytest.raises(InputError, match=sentence):
            poselib.lift(path, checkpoint=network(), **changed)
