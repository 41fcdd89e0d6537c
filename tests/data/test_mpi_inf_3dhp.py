import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from samples.mpi_inf_3dhp import (
    FRAMES,
    VALID,
    annotation,
    lens_of,
    training_annotation,
    write_original,
    write_pooled_files,
)
from scipy.io import savemat

from poselib.data import load
from poselib.data.matlab import read_mat
from poselib.data.mpi_inf_3dhp import (
    CAMERAS,
    JOINTS,
    TEST_FILE,
    TRAIN_FILE,
    read_original,
    read_pooled,
    recordings,
    write_pooled,
)
from poselib.data.standins import mpi_inf_3dhp_sequences
from poselib.errors import InputError
from poselib.files import UNPACKED_LIMIT
from poselib.geometry import project
from poselib.skeleton import MPI_INF_3DHP_17


@pytest.fixture
def pooled(tmp_path):
    write_pooled_files(tmp_path)
    return tmp_path


@pytest.fixture
def original(tmp_path):
    write_original(tmp_path)
    return tmp_path


def test_videos_rates_sizes_scenes_and_splits(pooled):
    videos = list(load("mpi_inf_3dhp", source="mpi_inf_3dhp", path=pooled))
    assert (
        len(videos) == 3 * 8 + 2
        and {video.skeleton for video in videos if video.skeleton is not MPI_INF_3DHP_17} == set()
    )
    assert [video.camera.id for video in videos[:8]] == list(CAMERAS)
    assert [(v.subject, v.action, v.fps, v.split) for v in videos[::8]] == [
        ("S1", "Seq1", 25.0, "train"),
        ("S1", "Seq2", 50.0, "train"),
        ("S8", "Seq1", 25.0, "train"),
        ("TS1", "GS", 25.0, "test"),
    ]
    assert videos[-1].camera.size == (1920, 1080) and videos[-1].action == "outdoor"
    assert {video.camera.size for video in videos[:-1]} == {(2048, 2048)}
    assert_array_equal(videos[-1].valid, VALID == 1)
    assert all(video.valid.all() for video in videos[:-2])


def test_millimetres_become_metres_and_the_root_stays_where_it_is(pooled):
    video = next(read_pooled(pooled))
    assert_allclose(video.poses_3d, training_annotation(0, 0)[:, JOINTS] / 1000, rtol=1e-6)
    assert video.poses_3d.dtype == np.float32 and video.poses_3d[:, MPI_INF_3DHP_17.root, 2].min() > 3


def test_joints_are_those_of_the_sheet_by_name():
    named = dict(zip(MPI_INF_3DHP_17.names, JOINTS, strict=True))
    expected = {"head_top": 7, "neck": 5, "right_wrist": 16, "left_wrist": 11, "left_ankle": 20, "pelvis": 4, "head": 6}
    assert {joint: named[joint] for joint in expected} == expected
    assert MPI_INF_3DHP_17.names[MPI_INF_3DHP_17.root] == "pelvis" and MPI_INF_3DHP_17.root == 14


def test_a_published_annotation_projects_without_distortion():
    """S1 Seq1, camera 0, frame 100, first joint, as users quote it: millimetres in the camera's frame, pixels."""
    camera = np.array([1497.693, 1497.103, 1024.704, 1051.394, 0, 0, 0, 0, 0])
    assert_allclose(project(np.array([-18.0923, 102.071, 3726.17]), camera), (1017.43, 1092.4), atol=0.01)


@pytest.mark.parametrize("read", ["pooled", "original"])
def test_cameras_project_3d_onto_2d_within_a_hundredth_pixel(read, request):
    folder = request.getfixturevalue(read)
    for video in {"pooled": read_pooled, "original": read_original}[read](folder):
        camera = video.camera
        again = project(video.poses_3d, (*camera.focal, *camera.centre, *camera.radial, *camera.tangential))
        assert np.abs(again - video.poses_2d["gt"]).max() < 0.01
        assert_allclose(camera.focal, lens_of(video.subject)[:2], rtol=1e-3)


def same(first, second):
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert (one.subject, one.action, one.camera.id, one.fps, one.split) == (
            other.subject,
            other.action,
            other.camera.id,
            other.fps,
            other.split,
        )
        assert_allclose(one.poses_3d, other.poses_3d, atol=1e-6)
        assert_allclose(one.poses_2d["gt"], other.poses_2d["gt"], atol=1e-3)
        assert_array_equal(one.valid, other.valid)


def test_the_original_folder_gives_the_same_sequences(pooled, original):
    same(list(read_pooled(pooled)), list(load("mpi_inf_3dhp", source="mpi_inf_3dhp_original", path=original)))


def test_the_original_folder_becomes_the_pooled_files(original, tmp_path):
    write_pooled(read_original(original), tmp_path / "made")
    same(list(read_original(original)), list(read_pooled(tmp_path / "made")))


def test_frames_behind_those_in_use_are_cut(original, monkeypatch):
    table = {name: {**about, "frames": 4} if "frames" in about else about for name, about in recordings().items()}
    monkeypatch.setattr("poselib.data.mpi_inf_3dhp.recordings", lambda: table)
    lengths = {video.split: len(video.poses_3d) for video in read_original(original)}
    assert lengths == {"train": 4, "test": FRAMES}


def test_the_table_of_recordings_is_the_sheets():
    table = recordings()
    assert sum(about.get("frames", 0) for about in table.values()) == 131_592
    assert sum(about.get("valid", 0) for about in table.values()) == 2929
    fast = [name for name, about in table.items() if about["fps"] == 50]
    assert fast == ["S1 Seq2", "S3 Seq1", "S3 Seq2", "S5 Seq1", "S5 Seq2"]


def test_the_stand_in_has_the_original_form(tmp_path):
    write_pooled(mpi_inf_3dhp_sequences(seconds=0.2, seed=0), tmp_path)
    train, test = (np.load(tmp_path / file, allow_pickle=True)["data"].item() for file in (TRAIN_FILE, TEST_FILE))
    assert (
        list(train) == [f"S{s} Seq{q}" for s in range(1, 9) for q in (1, 2)] and list(test) == list(recordings())[16:]
    )
    cameras, fps = train["S3 Seq2"]
    assert fps == 50 and tuple(cameras) == CAMERAS
    assert cameras["8"]["data_3d"].shape == (10, 17, 3) and cameras["8"]["data_2d"].shape == (10, 17, 2)
    assert set(test["TS6"]) == {"data_2d", "data_3d", "valid"} and set(test["TS6"]["valid"]) == {0, 1}
    assert cameras["0"]["data_2d"].min() > 0 and cameras["0"]["data_2d"].max() < 2048
    assert {len(train[name][0]["0"]["data_3d"]) for name in train} == {5, 10}
    assert sum(1 for _ in load("mpi_inf_3dhp", source="synthetic", path=tmp_path)) == 16 * 8 + 6


def test_a_bomb_is_refused_before_it_unpacks(original, monkeypatch):
    assert UNPACKED_LIMIT == 8 << 30
    monkeypatch.setattr("poselib.files.UNPACKED_LIMIT", 1 << 20)
    savemat(annotation(original), {"annot2": np.zeros(1 << 20), "univ_annot3": np.zeros(3)}, do_compression=True)
    with pytest.raises(InputError, match="annot.mat: unpacks to more than"):
        list(read_original(original))


def test_flipped_bytes_of_a_matlab_file_never_end_in_anything_but_a_sentence(original):
    path, random = annotation(original), np.random.default_rng(0)
    content = path.read_bytes()
    for _ in range(300):
        damaged = bytearray(content)
        for place in random.integers(0, 2000, 4):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            read_mat(path, "annot2", "univ_annot3")
        except InputError as error:
            assert "annot.mat" in str(error) and "\n" not in str(error)
