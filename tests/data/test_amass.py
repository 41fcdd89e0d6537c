"""The `amass` role's files: original ones through a small body, converted ones, and what may be wrong with them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from samples.amass import parts, poses, put_converted, write_original
from test_smplh import skinned

from poselib.data.amass import SPLIT, read_amass, resample_linear, split_of, write_amass
from poselib.data.sequences import Motion
from poselib.models.uplift_upsample import JOINTS
from poselib.skeleton import H36M_17, SPIN_17, convert


def test_order_of_the_regressor():
    order = [SPIN_17.index[joint] for joint in JOINTS]
    assert order == [6, 5, 4, 1, 2, 3, 0, 8, 7, 9, 10, 16, 15, 14, 11, 12, 13]
    assert sorted(SPIN_17.names) == sorted(H36M_17.names)
    assert SPIN_17.names[1] == "left_hip" and SPIN_17.names[4] == "right_hip" and SPIN_17.names[11] == "left_shoulder"


def test_resampling_to_50_hz():
    frames = np.arange(12.0)[:, None, None] * np.ones((1, 2, 3))
    assert_allclose(resample_linear(frames, 120)[:, 0, 0], [0, 2.4, 4.8, 7.2, 9.6])
    assert_allclose(resample_linear(frames, 60)[:, 0, 0], np.arange(10) * 1.2)
    assert np.array_equal(resample_linear(frames, 50), frames)
    bent = np.array([0.0, 10, 0])[:, None, None] * np.ones((1, 1, 3))
    assert_allclose(resample_linear(bent, 75)[:, 0, 0], [0, 5])
    # 138 / 60 * 50 is 114.99999999999999 in floats.
    assert len(resample_linear(np.zeros((138, 1, 3)), 60)) == 115
    assert len(resample_linear(np.zeros((2, 1, 3)), 120)) == 0


def test_converted_files(tmp_path):
    put_converted(tmp_path, "CMU", frame_rate=np.float64(100))
    put_converted(tmp_path, "MPI_mosh")
    first, second = read_amass(tmp_path)
    assert (first.subject, first.action, first.fps, first.skeleton) == ("CMU/01", "motion 01_01", 50.0, H36M_17)
    assert first.positions.shape == (6, 17, 3) and first.positions.dtype == np.float32
    assert_allclose(first.positions, convert(poses(12)[::2], SPIN_17, H36M_17), atol=1e-6)
    assert (split_of(first.subject), split_of(second.subject)) == ("train", "validation")
    assert list(SPLIT.values()).count("train") == 14 and list(SPLIT.values()).count("validation") == 3


def test_a_stand_in_comes_back_as_it_was(tmp_path):
    motions = [Motion(subject, "Walking 1", H36M_17, 50.0, poses(9)) for subject in ("S1", "S8", "S9", "S11")]
    write_amass(motions, tmp_path)
    read = list(read_amass(tmp_path))
    assert [motion.subject for motion in read] == ["ACCAD/S8", "CMU/S1", "MPImosh/S9", "SFU/S11"]
    assert [split_of(motion.subject) for motion in read] == ["train", "train", "validation", "validation"]
    assert all(np.array_equal(motion.positions, poses(9)) for motion in read)
    with np.load(tmp_path / "CMU.npz", allow_pickle=True) as file:
        entry = file["positions_3d"].item()["S1"]["Walking_1"]
    assert set(entry) == {"positions_3d", "frame_rate"}
    assert_allclose(entry["positions_3d"][:, 1], poses(9)[:, H36M_17.index["left_hip"]])


@pytest.fixture
def original(tmp_path):
    return tmp_path, write_original(tmp_path)


def test_original_files_go_through_the_body(original):
    folder, content = original
    motions = list(read_amass(folder))
    names = [("CMU/01", "motion 01_01_poses"), ("SFU/0005", "motion 0005_Walking001 a_poses")]
    assert [(motion.subject, motion.action) for motion in motions] == names
    model, soft, regressor = parts()
    moving = (content["poses"], content["dmpls"], content["trans"])
    joints = [regressor @ skinned(model, soft, content["betas"], *frame) for frame in zip(*moving, strict=True)]
    expected = resample_linear(convert(np.stack(joints), SPIN_17, H36M_17), 120)
    assert expected.shape == (10, 17, 3)
    assert_allclose(motions[0].positions, expected, atol=1e-5)


def test_a_gender_in_bytes_and_a_converted_data_set_beside_its_original(original):
    folder, content = original
    np.savez(folder / "SFU/0005/0005_Walking001 a_poses.npz", **{**content, "gender": np.array(b"female")})
    put_converted(folder, "CMU")
    assert [len(motion.positions) for motion in read_amass(folder)] == [12, 10]
