"""BVH reader: positions one can work out in the head, real files against recorded numbers, malformed files."""

import gzip

import numpy as np
import pytest

from poselib.data.bvh import read_bvh
from poselib.data.mocap_clip import read_lines
from poselib.errors import InputError

# An arm along x of length 2 on a root at height 1, then a hand of length 3.
ARM = """HIERARCHY
ROOT Hips
{
  OFFSET 0 1 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT Arm
  {
    OFFSET 2 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 3 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.02
0 0 0 0 0 0 0 0 0
10 20 30 90 0 0 90 0 0
"""


def write(folder, text, name="arm.bvh"):
    path = folder / name
    path.write_text(text)
    return path


def test_positions_of_a_turned_arm(tmp_path):
    clip = read_bvh(write(tmp_path, ARM))
    assert clip.joints == ("Hips", "Arm", "ArmEnd")
    assert clip.parents == (-1, 0, 1)
    assert clip.fps == pytest.approx(50)
    np.testing.assert_allclose(clip.positions[0], [[0, 1, 0], [2, 1, 0], [5, 1, 0]], atol=1e-12)
    # Root at (10, 20 + 1, 30); turned by 90 degrees about z the arm points up, turned twice the hand points back.
    np.testing.assert_allclose(clip.positions[1], [[10, 21, 30], [10, 23, 30], [7, 23, 30]], atol=1e-12)


@pytest.mark.parametrize(
    ("channels", "hand"),
    # x turned by 90 degrees about y gives -z, which stays put when z turned first; z first makes x into y, x into z.
    [("Zrotation Yrotation Xrotation", (0, 0, -3)), ("Xrotation Zrotation Yrotation", (0, 3, 0))],
)
def test_rotations_apply_in_the_order_of_the_file(tmp_path, channels, hand):
    text = ARM.replace("Zrotation Xrotation Yrotation", channels)
    angles = {"Zrotation": 90, "Yrotation": 90, "Xrotation": 90}
    row = " ".join(str(angles[channel]) for channel in channels.split())
    clip = read_bvh(write(tmp_path, text.replace("10 20 30 90 0 0 90 0 0", f"0 0 0 0 0 0 {row}")))
    np.testing.assert_allclose(clip.positions[1, 2] - clip.positions[1, 1], hand, atol=1e-12)


def test_gzipped_file_and_other_line_ends_read_the_same(tmp_path):
    path = tmp_path / "arm.bvh.gz"
    path.write_bytes(gzip.compress(ARM.replace("\n", "\r\n").encode()))
    np.testing.assert_array_equal(read_bvh(path).positions, read_bvh(write(tmp_path, ARM)).positions)


def test_offsets_are_mended_before_positions_are_worked_out(tmp_path):
    clip = read_bvh(write(tmp_path, ARM), mend=lambda offsets: {**offsets, "Arm": np.array([4.0, 0, 0])})
    np.testing.assert_allclose(clip.positions[1, 1], [10, 25, 30], atol=1e-12)


LAST = "10 20 30 90 0 0 90 0 0\n"
MALFORMED = {
    "no hierarchy": ("HIERARCHY\n", "\n", "HIERARCHY"),
    "misspelt hierarchy": ("HIERARCHY", "HIERACHY", "HIERARCHY"),
    "no motion": ("MOTION", "MOTIONS", "MOTION"),
    "misspelt root": ("ROOT", "ROOTS", "line 2"),
    "joint without parent": ("ROOT Hips", "JOINT Hips", "no parent"),
    "second root": ("JOINT Arm", "ROOT Arm", "no parent"),
    "joint without a name": ("JOINT Arm", "JOINT", "line 6"),
    "duplicate joint": ("JOINT Arm", "JOINT Hips", "twice"),
    "unknown channel": ("Xrotation Yrotation\n    End", "Wrotation Yrotation\n    End", "Wrotation"),
    "position of an inner joint": ("3 Zrotation Xrotation Yrotation", "3 Zrotation Xposition Yrotation", "Xposition"),
    "repeated channel": ("3 Zrotation Xrotation Yrotation", "3 Zrotation Zrotation Yrotation", "different channels"),
    "fewer channels than said": ("CHANNELS 3", "CHANNELS 4", "line 9"),
    "channel count no number": ("CHANNELS 3", "CHANNELS three", "line 9"),
    "offset no number": ("OFFSET 2 0 0", "OFFSET 2 0 x", "'x'"),
    "offset not finite": ("OFFSET 2 0 0", "OFFSET 2 0 nan", "finite"),
    "offset cut": ("OFFSET 2 0 0", "OFFSET 2 0", "line 8"),
    "offset missing": ("    OFFSET 2 0 0\n", "", "OFFSET"),
    "channels missing": ("    CHANNELS 3 Zrotation Xrotation Yrotation\n", "", "CHANNELS"),
    "bracket missing": ("}\nMOTION", "MOTION", "bracket"),
    "bracket too many": ("}\nMOTION", "}\n}\nMOTION", "does not belong"),
    "misspelt frames": ("Frames:", "Frame:", "Frames:"),
    "no frames": ("Frames: 2", "Frames: 0", "above zero"),
    "frames no number": ("Frames: 2", "Frames: two", "whole number"),
    "misspelt frame time": ("Frame Time", "FrameTime", "Frame Time:"),
    "frame time zero": ("0.02", "0", "above zero"),
    "frame time negative": ("0.02", "-0.02", "above zero"),
    "frame time infinite": ("0.02", "inf", "finite"),
    "empty motion": ("0 0 0 0 0 0 0 0 0\n" + LAST, "", "0 frames"),
    "fewer frames": (LAST, "", "1 frames"),
    "more frames": (LAST, LAST * 2, "3 frames"),
    "cut line": (LAST, "10 20 30 90\n", "line 20"),
    "long line": (LAST, "10 20 30 90 0 0 90 0 0 0\n", "line 20"),
    "value no number": (LAST, "10 20 30 90 0 0 ninety 0 0\n", "'ninety'"),
    "value with underscore": (LAST, "10 20 30 90 0 0 9_0 0 0\n", "'9_0'"),
    "value NaN": (LAST, "10 20 30 90 0 0 nan 0 0\n", "finite"),
    "value infinite": (LAST, "10 20 30 90 0 0 -inf 0 0\n", "finite"),
}


@pytest.mark.parametrize(("old", "new", "told"), MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_file_is_told_in_one_sentence(tmp_path, old, new, told):
    assert ARM.count(old) >= 1, "the case does not change the file"
    path = write(tmp_path, ARM.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_bvh(path)
    message = str(caught.value)
    assert message.startswith(str(path)) and told in message and "\n" not in message


FILES = {
    "missing": (None, "does not exist"),
    "not gzip": (ARM.encode(), "not a gzip file"),
    "gzip cut short": (gzip.compress(ARM.encode())[:-20], "cut short"),
    "gzip damaged": (gzip.compress(ARM.encode())[:15] + b"\xff" * 30, "cut short or damaged"),
    "empty": (gzip.compress(b""), "empty"),
    "binary": (gzip.compress(bytes(range(256))), "MOTION"),
}


@pytest.mark.parametrize(("data", "told"), FILES.values(), ids=FILES.keys())
def test_unreadable_file_is_told_in_one_sentence(tmp_path, data, told):
    path = tmp_path / "arm.bvh.gz"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError, match=told) as caught:
        read_bvh(path)
    assert str(path) in str(caught.value)


def test_folder_in_place_of_a_file_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_bvh(tmp_path)


def test_unpacking_stops_at_the_limit(tmp_path):
    path = tmp_path / "bomb.bvh.gz"
    path.write_bytes(gzip.compress(b"0 " * 1_000_000))
    with pytest.raises(InputError, match="larger than 1,000 bytes"):
        read_lines(path, limit=1000)


def test_real_file_has_the_joints_of_the_scheme(mocap_folder):
    path = mocap_folder / "cmu_bvh" / "02_04.bvh.gz"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    clip = read_bvh(path)
    assert clip.positions.shape == (242, 38, 3)
    assert clip.joints[:3] == ("Hips", "LHipJoint", "LeftUpLeg")
    assert clip.fps == pytest.approx(60, abs=0.001)
