"""The `cmu` source on tiny clips written here: axes, units, names, choice of files, split and filming."""

import numpy as np
import pytest
from samples.mocap import EYES, ROOTS, UNIT, amc_text, asf_text, bvh_text, put, put_bvh

from poselib.data.cmu import cmu_motions, cmu_sequences, subject_split
from poselib.data.cmu_files import CMU_CREDIT, HDM05_CREDIT, credits, find_clips
from poselib.errors import InputError
from poselib.geometry import Camera
from poselib.skeleton import H36M_17
from poselib.skeleton_cmu import CMU_ASF, CMU_DAZ_BVH


def test_motion_in_metres_z_up_at_50_hz_centred(tmp_path):
    put_bvh(tmp_path, "02_04.bvh")
    (motion,) = cmu_motions(tmp_path)
    assert (motion.subject, motion.action, motion.fps) == ("CMU_02", "motion 02_04", 50)
    assert motion.skeleton is H36M_17
    assert motion.positions.shape == (51, 17, 3) and motion.positions.dtype == np.float32
    # Forward in the file is +z, in the room -y; two bones of one unit lead from the hips to the thighs.
    expected = np.stack((np.zeros(51), UNIT * (1 - np.arange(51) / 25), np.full(51, 12 * UNIT)), axis=-1)
    np.testing.assert_allclose(motion.positions[:, 0], expected, atol=1e-5)
    head = motion.positions[:, H36M_17.index["head"]] - motion.positions[:, 0]
    np.testing.assert_allclose(head, np.tile([0, 0, 5 * UNIT], (51, 1)), atol=1e-5)


def test_daz_files_are_in_centimetres_and_get_a_head_top(tmp_path):
    put(tmp_path, "14_30.bvh.gz", bvh_text(CMU_DAZ_BVH, ROOTS, offsets=EYES))
    (motion,) = cmu_motions(tmp_path)
    thighs = [H36M_17.index["left_hip"], H36M_17.index["right_hip"]]
    np.testing.assert_allclose(motion.positions[0, thighs, 0], [0.09, -0.09], atol=1e-6)
    nose_to_head = motion.positions[:, H36M_17.index["head"]] - motion.positions[:, H36M_17.index["nose"]]
    np.testing.assert_allclose(nose_to_head, np.tile([0, 0, 0.17], (51, 1)), atol=1e-6)


def test_asf_clips_run_at_120_hz_unless_a_manifest_says_otherwise(tmp_path):
    put(tmp_path, "a/02.asf", asf_text(CMU_ASF))
    put(tmp_path, "a/02_01.amc", amc_text(CMU_ASF, ROOTS))
    (motion,) = cmu_motions(tmp_path)
    assert len(motion.positions) == 26
    put(tmp_path, "manifest.csv", "file,subject,action,fps\na/02_01.amc,CMU_02,walk,60\n")
    for folder in (tmp_path, tmp_path / "a"):
        (motion,) = cmu_motions(folder)
        assert len(motion.positions) == 51
        assert motion.action == "walk 02_01"


def test_a_trial_in_two_formats_is_taken_once_from_asf(tmp_path):
    put_bvh(tmp_path, "a/02_04.bvh")
    put_bvh(tmp_path, "a/02_05.bvh")
    put_bvh(tmp_path, "b/02_05.bvh.gz")
    put(tmp_path, "c/02.asf", asf_text(CMU_ASF))
    put(tmp_path, "c/02_04.amc.gz", amc_text(CMU_ASF, ROOTS))
    names = [str(clip.path.relative_to(tmp_path)) for clip in find_clips(tmp_path)]
    assert names == ["a/02_05.bvh", "c/02_04.amc.gz"]
    assert len(find_clips(tmp_path)) == 2
    assert [motion.action for motion in cmu_motions(tmp_path)] == ["motion 02_05", "motion 02_04"]


def test_skeletons_of_hdm05_and_lone_skeletons_are_found(tmp_path):
    for name in ("h/HDM_bd.asf", "h/HDM_bk.asf", "lone/any.asf"):
        put(tmp_path, name, asf_text(CMU_ASF))
    put(tmp_path, "h/HDM_bk_throw_004.amc", amc_text(CMU_ASF, ROOTS))
    put(tmp_path, "lone/07_01.amc", amc_text(CMU_ASF, ROOTS))
    found = {clip.subject: clip.skeleton_path.name for clip in find_clips(tmp_path)}
    assert found == {"HDM_bk": "HDM_bk.asf", "CMU_07": "any.asf"}
    assert credits(tmp_path) == (CMU_CREDIT, HDM05_CREDIT)
    assert credits(tmp_path / "lone") == (CMU_CREDIT,)


def test_artefacts_of_the_converter_are_undone(tmp_path):
    lost = dict.fromkeys(("Neck", "LeftShoulder", "RightShoulder", "LeftFingerBase", "RightFingerBase"), (0, 0, 0))
    lost |= {"LThumb": (0, 0, 0), "RThumb": (0, 0, 0)}
    put_bvh(tmp_path, "02_04.bvh", [(0, 40, 0), *ROOTS], offsets=lost)
    (motion,) = cmu_motions(tmp_path)
    assert len(motion.positions) == 51
    forearm = motion.positions[0, H36M_17.index["left_wrist"]] - motion.positions[0, H36M_17.index["left_elbow"]]
    np.testing.assert_allclose(forearm, [0, 0, 1.5 * UNIT], atol=1e-5)


def test_a_spike_cuts_the_clip_to_its_longest_clean_run(tmp_path):
    roots = [*ROOTS[:20], (5, 30, 0), *ROOTS[21:]]
    put_bvh(tmp_path, "02_04.bvh", roots)
    (motion,) = cmu_motions(tmp_path)
    assert len(motion.positions) == int((61 - 22 - 1) / 60 * 50) + 1


def test_missing_and_empty_folders_and_bad_rates_are_told_at_once(tmp_path):
    with pytest.raises(InputError, match="no folder"):
        cmu_motions(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no"):
        find_clips(tmp_path)
    put_bvh(tmp_path, "02_04.bvh")
    with pytest.raises(InputError, match="fps is 0"):
        cmu_motions(tmp_path, fps=0)


@pytest.mark.parametrize("listed", ["02_04.bvh", "02_04.bvh.gz"])
def test_action_of_the_manifest_is_one_word_of_a_file_packed_or_not(tmp_path, listed):
    put_bvh(tmp_path, "02_04.bvh")
    put(tmp_path, "manifest.csv", f"file,subject,action,fps,frames\n{listed},CMU_02,walk slowly,60,61\n")
    (motion,) = cmu_motions(tmp_path)
    assert motion.action == "walk_slowly 02_04"


def test_split_by_place_in_the_sorted_names():
    roles = subject_split(reversed("abcdefghij"))
    assert "".join(name for name in sorted(roles) if roles[name] == "test") == "beh"
    assert "".join(name for name in sorted(roles) if roles[name] == "validation") == "d"
    assert "".join(name for name in sorted(roles) if roles[name] == "train") == "acfgij"
    with pytest.raises(InputError, match="3 subjects"):
        subject_split(["a", "b", "b"])


# Stands 5 m before the room's middle on the -y side, 1 m high, and looks along +y: right is +x, down is -z.
CAMERA = Camera(
    "front", (1000, 1000), (1000, 1000), (500, 500), (0, 0, 0), (0, 0), (0.5**0.5, -(0.5**0.5), 0, 0), (0, -5, 1)
)


def rigs(**changed):
    names = ("S1", "S5", "S6", "S7", "S8", "S9", "S11")
    own = {name: tuple(Camera(**{**vars(CAMERA), "id": f"{name}.{i}"}) for i in range(4)) for name in names}
    return own | changed


@pytest.fixture
def three_subjects(tmp_path):
    for name in ("01_01", "02_01", "03_01"):
        put_bvh(tmp_path, f"{name}.bvh")
    return tmp_path


def test_sequences_of_four_cameras_from_rigs_of_the_subjects_role(three_subjects):
    sequences = list(cmu_sequences(three_subjects, cameras=rigs()))
    assert len(sequences) == 12
    assert [sequence.camera.id for sequence in sequences[::4]] == ["S1.0", "S9.0", "S5.0"]
    first = sequences[0]
    # The pelvis stands in the middle of its way at half time, 5 m before the camera and 12 units high.
    np.testing.assert_allclose(first.poses_3d[25, 0], [0, 1 - 12 * UNIT, 5], atol=1e-5)
    pixel = [500, 500 + 1000 * (1 - 12 * UNIT) / 5]
    np.testing.assert_allclose(first.poses_2d["gt"][25, 0], pixel, atol=1e-3)
    assert set(first.poses_2d) == {"gt"}


def test_detector_gets_a_seed_of_its_own_per_sequence_and_the_same_again(three_subjects):
    def detector(pixels, seed):
        return pixels + np.random.default_rng(seed).normal()

    once, again = (list(cmu_sequences(three_subjects, cameras=rigs(), detector=detector)) for _ in range(2))
    moved = [float((s.poses_2d["cpn"] - s.poses_2d["gt"]).mean()) for s in once]
    assert len(set(np.round(moved, 3))) == 12
    for a, b in zip(once, again, strict=True):
        np.testing.assert_array_equal(a.poses_2d["cpn"], b.poses_2d["cpn"])


def test_missing_rig_and_a_camera_too_near_are_told(three_subjects):
    with pytest.raises(InputError, match="'S9'"):
        cmu_sequences(three_subjects, cameras=rigs(S9=()))
    near = Camera(**{**vars(CAMERA), "position": (0, -1, 1)})
    with pytest.raises(InputError, match="motion 02_01"):
        list(cmu_sequences(three_subjects, cameras=rigs(S9=(near,))))
