"""The `cmu` source on the real recordings: numbers measured from them when they were collected.

Sources of the numbers: the fact sheet that came with the recordings, sections 6 (positions, bones) and 7 (speeds).
"""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from poselib.data.amc import read_amc
from poselib.data.asf import read_asf
from poselib.data.bvh import read_bvh
from poselib.data.cmu import cmu_motions, subject_split, to_h36m
from poselib.data.cmu_files import find_clips
from poselib.skeleton import H36M_17

ROOT = Path(__file__).resolve().parents[2]
JOINTS = ("pelvis", "right_knee", "left_ankle", "thorax", "head", "left_wrist", "right_wrist")
# Frame 100 in mm, file axes (y up).
FRAME_100 = {
    "cmu_asfamc/02_04.amc.gz": "620.4 684.0 38.6 597.4 385.2 354.2 664.4 104.8 54.8 628.5 1050.9 261.6 "
    "653.9 1308.5 268.4 899.6 603.9 331.3 403.2 632.1 131.0",
    "cmu_bvh/02_04.bvh.gz": "620.4 684.0 38.6 597.4 385.2 354.2 664.4 104.8 54.8 629.1 1053.0 258.5 "
    "654.5 1310.6 265.2 900.2 606.0 328.2 403.8 634.2 127.8",
    "cmu_daz_bvh/14_30.bvh.gz": "20.3 719.9 -117.7 -306.2 490.4 -48.6 70.0 75.9 133.7 -205.9 1078.7 168.4 "
    "-285.9 1099.7 392.6 -60.1 720.7 109.4 -216.1 750.4 -27.2",
    "hdm05/HDM_bk_throwBasketball_004.amc.gz": "39.9 966.8 -83.2 205.2 558.2 33.0 -107.6 81.5 -86.4 "
    "-44.1 1508.9 -0.6 -41.3 1791.5 -47.4 -28.5 1769.0 -551.8 146.5 1885.9 -430.5",
}
# The leg is the right one, the arm the left one.
BONES = (
    ("pelvis", "right_hip"),
    ("right_hip", "right_knee"),
    ("right_knee", "right_ankle"),
    ("pelvis", "spine"),
    ("spine", "thorax"),
    ("thorax", "nose"),
    ("nose", "head"),
    ("thorax", "left_shoulder"),
    ("left_shoulder", "left_elbow"),
    ("left_elbow", "left_wrist"),
)
# Lengths in mm per folder and subject in the order of BONES, the mean over clips of the mean over time.
LENGTHS = {
    ("cmu_asfamc", "CMU_01"): (75, 420, 424, 211, 232, 196, 100, 202, 281, 295),
    ("cmu_asfamc", "CMU_02"): (92, 428, 407, 217, 233, 175, 92, 207, 275, 284),
    ("cmu_asfamc", "CMU_03"): (93, 390, 436, 226, 249, 197, 101, 199, 302, 277),
    ("cmu_bvh", "CMU_05"): (91, 371, 450, 224, 238, 189, 98, 197, 306, 207),
    ("cmu_bvh", "CMU_06"): (93, 413, 458, 218, 227, 196, 99, 192, 286, 298),
    ("cmu_bvh", "CMU_07"): (100, 404, 402, 232, 248, 168, 86, 191, 280, 284),
    ("cmu_bvh", "CMU_12"): (112, 345, 438, 202, 213, 207, 105, 212, 278, 225),
    ("cmu_bvh", "CMU_14"): (88, 434, 420, 222, 235, 179, 96, 205, 301, 295),
    ("cmu_bvh", "CMU_16"): (87, 402, 434, 224, 242, 188, 95, 195, 291, 318),
    ("cmu_bvh", "CMU_29"): (96, 399, 463, 229, 243, 213, 109, 199, 309, 262),
    ("cmu_bvh", "CMU_35"): (95, 430, 451, 221, 229, 195, 98, 199, 286, 305),
    ("hdm05", "HDM_bd"): (77, 420, 402, 214, 249, 193, 101, 215, 273, 254),
    ("hdm05", "HDM_bk"): (59, 437, 494, 260, 286, 191, 99, 252, 303, 334),
    ("hdm05", "HDM_dg"): (94, 368, 437, 234, 302, 175, 90, 262, 259, 291),
    ("cmu_daz_bvh", "CMU_60"): (88, 368, 454, 295, 223, 72, 170, 125, 282, 237),
}
# Mean speeds in mm per frame at 50 Hz, joints as H36M_17: in the room, and after subtracting the root.
WORLD = (11.5, 11.7, 13.5, 14.3, 11.7, 13.3, 14.2, 11.4, 12.0, 12.6, 13.1, 12.5, 14.9, 17.5, 12.7, 15.5, 18.3)
RELATIVE = (0, 1.5, 9.8, 15.2, 1.5, 9.8, 15.1, 2.4, 4.3, 5.5, 6.4, 5.5, 9.4, 13.9, 5.5, 9.9, 14.5)


def poses_mm(folder, name):
    """Poses (F, 17, 3) of one file in mm, z up, at its own rate and place."""
    path = folder / name
    if not path.exists():
        pytest.skip(f"{name} is not among the motion capture in {folder}")
    if ".amc" not in name:
        return to_h36m(read_bvh(path), path) * 1000
    skeleton = read_asf(path.parent / ("HDM_bk.asf" if "HDM" in name else f"{path.name[:2]}.asf"))
    return to_h36m(read_amc(path, skeleton), path, length_scale=skeleton.length_scale) * 1000


@pytest.fixture(scope="module")
def recorded(mocap_folder):
    """(folder name, motion) of every clip."""
    clips = find_clips(mocap_folder)
    if len(clips) != 310:
        pytest.skip(f"{mocap_folder} holds {len(clips)} clips, not the 310 the numbers were measured on")
    motions = cmu_motions(mocap_folder)
    return [(clip.path.parent.name, motion) for clip, motion in zip(clips, motions, strict=True)]


@pytest.mark.parametrize("name", FRAME_100)
def test_positions_at_frame_100(mocap_folder, name):
    expected = np.array(FRAME_100[name].split(), dtype=float).reshape(7, 3)
    x, y, z = poses_mm(mocap_folder, name)[100, [H36M_17.index[joint] for joint in JOINTS]].T
    np.testing.assert_allclose(np.stack((x, z, -y), axis=-1), expected, atol=0.1)


def test_the_same_motion_in_two_formats(mocap_folder):
    asf, bvh = (poses_mm(mocap_folder, name) for name in ("cmu_asfamc/02_04.amc.gz", "cmu_bvh/02_04.bvh.gz"))
    apart = np.linalg.norm(asf - bvh, axis=-1)
    thorax = H36M_17.index["thorax"]
    assert apart[:, :thorax].max() < 0.05
    np.testing.assert_allclose(apart[:, thorax:], 3.8, atol=0.05)


def test_nothing_of_the_cleaned_recordings_is_cut(recorded):
    frames = sum(len(motion.positions) for _, motion in recorded)
    # 117 253 steps over 311 clips; the one clip that is there twice has 200 steps.
    assert frames - len(recorded) == 117_253 - 200


def test_actions_are_unique_per_subject(recorded):
    names = [(motion.subject, motion.action) for _, motion in recorded]
    assert len(set(names)) == len(names) == 310
    assert len({subject for subject, _ in names}) == 22
    assert set(subject_split(subject for subject, _ in names).values()) == {"train", "validation", "test"}


@pytest.mark.parametrize(("folder", "subject"), LENGTHS)
def test_bone_lengths_of_each_subject(recorded, folder, subject):
    clips = [motion.positions for place, motion in recorded if (place, motion.subject) == (folder, subject)]
    child, parent = np.array([[H36M_17.index[joint] for joint in bone] for bone in BONES]).T
    lengths = [np.linalg.norm(poses[:, child] - poses[:, parent], axis=-1).mean(axis=0) for poses in clips]
    np.testing.assert_allclose(1000 * np.mean(lengths, axis=0), LENGTHS[folder, subject], atol=1)


def test_mean_speeds_of_all_joints(recorded):
    steps = [np.diff(motion.positions.astype(float), axis=0) * 1000 for _, motion in recorded]
    world = np.concatenate(steps)
    relative = world - world[:, :1]
    np.testing.assert_allclose(np.linalg.norm(world, axis=-1).mean(axis=0), WORLD, atol=0.1)
    np.testing.assert_allclose(np.linalg.norm(relative, axis=-1).mean(axis=0), RELATIVE, atol=0.1)
    assert np.linalg.norm(relative, axis=-1).mean() == pytest.approx(7.7, abs=0.1)


def test_every_clip_stands_in_the_middle_of_the_room(recorded):
    for _, motion in recorded:
        root = motion.positions[:, H36M_17.root, :2]
        np.testing.assert_allclose(root.min(axis=0) + root.max(axis=0), 0, atol=1e-4)


def test_the_listed_clips_are_those_behind_the_committed_results(mocap_folder):
    listed = pd.read_csv(ROOT / "data/cmu_clips.csv").set_index("file")["sha256"]
    there = listed[[(mocap_folder / name).exists() for name in listed.index]]
    if there.empty:
        pytest.skip(f"no listed clip is in {mocap_folder}")
    found = {
        name: hashlib.sha256(gzip.decompress((mocap_folder / name).read_bytes())).hexdigest() for name in there.index
    }
    assert found == there.to_dict()
