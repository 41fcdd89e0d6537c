"""The `amass` role's files: original ones through a small body, converted ones, and what may be wrong with them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from test_smplh import VERTICES, parts, skinned, write

from poselib.data.amass import REGRESSOR_FILE, SPLIT, read_amass, resample_linear, split_of, write_amass
from poselib.data.npz import write_objects
from poselib.data.sequences import Motion
from poselib.errors import InputError
from poselib.models.uplift_upsample import JOINTS
from poselib.skeleton import H36M_17, SPIN_17, convert


def poses(frames, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (frames, 17, 3)).astype(np.float32) + np.float32([0, 0, 1])


def put_converted(folder, data_set="CMU", **changes):
    entry = {"positions_3d": poses(12), "frame_rate": 50.0, **changes}
    write_objects(folder / f"{data_set}.npz", positions_3d={"01": {"01_01": entry}})


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
    """Two sequences, a body and a regressor as they are downloaded."""
    model, soft, regressor = parts()
    write(tmp_path / "body_models", model, soft)
    np.save(tmp_path / REGRESSOR_FILE, regressor)
    random = np.random.default_rng(3)
    content = {
        "trans": random.normal(size=(24, 3)),
        "gender": np.array("female"),
        "mocap_framerate": np.array(120.0),
        "betas": 0.1 * random.normal(size=16),
        "poses": 0.3 * random.normal(size=(24, 156)),
        "dmpls": 0.1 * random.normal(size=(24, 8)),
    }
    for folder, name in (("CMU/01", "01_01_poses"), ("SFU/0005", "0005_Walking001 a_poses")):
        (tmp_path / folder).mkdir(parents=True)
        np.savez(tmp_path / folder / f"{name}.npz", **content)
        np.savez(tmp_path / folder / "shape.npz", betas=content["betas"])
    return tmp_path, content


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


def harm(key, value):
    def change(folder, content):
        changed = {name: array for name, array in {**content, key: value}.items() if array is not None}
        np.savez(folder / "CMU/01/01_01_poses.npz", **changed)

    return change


ORIGINAL_FAULTS = {
    "field": (harm("dmpls", None), "no entry 'dmpls'"),
    "hands": (
        harm("poses", np.zeros((24, 72))),
        r"poses: expected finite numbers of shape \(24, 156\), found",
    ),
    "nan": (harm("trans", np.full((24, 3), np.nan)), "trans: expected finite"),
    "lengths": (harm("trans", np.zeros((23, 3))), "trans"),
    "text": (harm("poses", np.array("x")), "poses"),
    "empty": (harm("poses", np.zeros((0, 156))), "poses"),
    "betas": (harm("betas", np.zeros(10)), "betas"),
    "gender": (harm("gender", np.array("other")), "gender.*none of male, female, neutral"),
    "slow": (harm("mocap_framerate", np.array(30.0)), "30.0 frames per second; at least 50"),
    "rate": (harm("mocap_framerate", np.array("fast")), "'fast' frames per second"),
    "body": (harm("gender", np.array("male")), r"smplh/male/model\.npz: no such file"),
    "unit": (harm("trans", np.full((24, 3), 1000.0)), "divide by 1000"),
    "cut": (lambda f, _: (f / "CMU/01/01_01_poses.npz").write_bytes(b"PK\x03\x04"), "damaged or not an .npz"),
    "regressor": (lambda f, _: (f / REGRESSOR_FILE).unlink(), "regressor_h36m.npy: no such file"),
    "no array": (lambda f, _: (f / REGRESSOR_FILE).write_bytes(b"junk"), "not a readable .npy"),
    "rows": (lambda f, _: np.save(f / REGRESSOR_FILE, np.zeros((24, VERTICES))), r"found \(24, 40\)"),
    "vertices": (lambda f, _: np.save(f / REGRESSOR_FILE, np.zeros((17, 39))), "v_template"),
    "data set": (lambda f, _: (f / "CMU").rename(f / "Mixamo"), "data set 'Mixamo' is none of CMU"),
}


@pytest.mark.parametrize("fault", ORIGINAL_FAULTS)
def test_faults_of_original_files_end_in_one_sentence(original, fault):
    folder, content = original
    change, message = ORIGINAL_FAULTS[fault]
    change(folder, content)
    with pytest.raises(InputError, match=message) as caught:
        list(read_amass(folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"positions_3d": poses(12)[:, :16]}, "16 joints, expected 17"),
        ({"positions_3d": 1000 * poses(12)}, "divide by 1000"),
        ({"positions_3d": np.full((12, 17, 3), np.inf)}, "NaN or infinity"),
        ({"positions_3d": "x"}, "expected numbers"),
        ({"frame_rate": 25}, "25 frames per second"),
        ({"frame_rate": None}, "None frames per second"),
    ],
)
def test_faults_of_converted_files_name_file_and_sequence(tmp_path, changes, message):
    put_converted(tmp_path, **changes)
    with pytest.raises(InputError, match=rf"CMU\.npz, 01 01_01.*{message}"):
        list(read_amass(tmp_path))


def test_missing_things_are_named(tmp_path):
    with pytest.raises(InputError, match="holds no AMASS motion"):
        read_amass(tmp_path)
    write_objects(tmp_path / "CMU.npz", positions_3d={"01": {"01_01": {"positions_3d": poses(3)}}})
    with pytest.raises(InputError, match="has no 'frame_rate'"):
        list(read_amass(tmp_path))
    write_objects(tmp_path / "CMU.npz", positions_3d={"01": [1]})
    with pytest.raises(InputError, match="expected a dictionary, found list"):
        list(read_amass(tmp_path))
