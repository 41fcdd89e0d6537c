import h5py
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
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
from poselib.data.npz import UNPACKED_LIMIT
from poselib.data.standins import mpi_inf_3dhp_sequences
from poselib.errors import InputError
from poselib.geometry import project
from poselib.skeleton import MPI_INF_3DHP_17

FRAMES = 6
LENS = (1497.7, 1497.1, 1024.7, 1051.4, -0.2, 0.2, -0.005, -0.001, 0.0015)
OUTDOOR = (1684.0, 1684.0, 960.0, 540.0, 0.0, 0.0, 0.0, 0.0, 0.0)
TRAINING = {"S1 Seq1": 25, "S1 Seq2": 50, "S8 Seq1": 25}


def body(number, joints=17, frames=FRAMES):
    """Millimetres in the camera's frame: somebody of 1.7 m, some 4 m away."""
    random = np.random.default_rng(number)
    shape = random.uniform((-300, -850, -200), (300, 850, 200), (1, joints, 3))
    return shape + 20 * random.normal(size=(frames, joints, 3)).cumsum(axis=0) + (100, 50, 4000)


def seen(positions, lens=LENS):
    return project(positions / 1000, np.array(lens))


def as_object(value):
    return np.array(value, dtype=object)


def entry_of(annotation, lens=LENS):
    return {"data_2d": seen(annotation, lens)[:, JOINTS], "data_3d": annotation[:, JOINTS]}


def training_annotation(number, camera):
    return body(100 * number + camera, joints=28)


def lens_of(name):
    return OUTDOOR if name == "TS5" else LENS


VALID = np.array([0, 1, 1, 0, 1, 1.0])


@pytest.fixture
def pooled(tmp_path):
    """The two files as P-STMO's scripts write them."""
    train = {
        name: [{str(c): entry_of(training_annotation(number, c)) for c in map(int, CAMERAS)}, fps]
        for number, (name, fps) in enumerate(TRAINING.items())
    }
    test = {}
    for number, name in ((7, "TS1"), (8, "TS5")):
        positions = body(number)
        test[name] = {"data_2d": seen(positions, lens_of(name)), "data_3d": positions, "valid": VALID}
    np.savez_compressed(tmp_path / TRAIN_FILE, data=as_object(train))
    np.savez_compressed(tmp_path / TEST_FILE, data=as_object(test))
    return tmp_path


def cells(arrays):
    filled = np.empty((14, 1), dtype=object)
    filled[:, 0] = [np.zeros((0, 0))] * 14
    for camera, array in enumerate(arrays):
        filled[camera, 0] = array.reshape(len(array), -1)
    return filled


@pytest.fixture
def original(tmp_path):
    """The same numbers as the distributed folder holds them: v5 for the training, v7.3 for the test."""
    for number, name in enumerate(TRAINING):
        path = tmp_path.joinpath("mpi_inf_3dhp", *name.split(), "annot.mat")
        path.parent.mkdir(parents=True)
        annotations = [training_annotation(number, camera) for camera in range(14)]
        content = {"univ_annot3": cells(annotations), "annot2": cells(map(seen, annotations)), "annot3": cells([])}
        savemat(path, content, do_compression=True)
    for number, name in ((7, "TS1"), (8, "TS5")):
        path = tmp_path / "mpi_inf_3dhp" / "mpi_inf_3dhp_test_set" / name / "annot_data.mat"
        path.parent.mkdir(parents=True)
        with h5py.File(path, "w", userblock_size=512) as file:
            file["univ_annot3"] = body(number)[:, None]
            file["annot2"] = seen(body(number), lens_of(name))[:, None]
            file["valid_frame"] = VALID[:, None]
        with path.open("r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
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


def rewrite(folder, file, change):
    with np.load(folder / file, allow_pickle=True) as content:
        data = content["data"].item()
    np.savez_compressed(folder / file, data=as_object(change(data) or data))


def replace(key, change, name=None):
    def harm(data):
        entry = data[name] if name else data["S1 Seq2"][0]["4"]
        entry[key] = change(entry[key])

    return harm


def with_nan(array):
    array = array.copy()
    array[3, 2, 1] = np.nan
    return array


FAULTS = {
    "a list": (TRAIN_FILE, lambda data: [data, data], "expected a dictionary, found ndarray"),
    "numbers for names": (TRAIN_FILE, lambda data: {1: data}, "found other keys than names"),
    "no rate": (TRAIN_FILE, lambda data: data.update({"S1 Seq2": data["S1 Seq2"][0]}), "expected cameras and frames"),
    "wrong rate": (TRAIN_FILE, lambda data: data["S1 Seq2"].__setitem__(1, 30), "30 frames per second"),
    "rate of nothing": (TRAIN_FILE, lambda data: data["S1 Seq2"].__setitem__(1, np.ones(2)), "frames per second"),
    "no cameras": (TRAIN_FILE, lambda data: data["S1 Seq2"].__setitem__(0, []), "expected a dictionary, found list"),
    "subject": (TRAIN_FILE, lambda data: data.update({"S9 Seq1": data["S1 Seq2"]}), "unknown recording 'S9 Seq1'"),
    "28 joints": (TRAIN_FILE, replace("data_3d", lambda a: np.zeros((6, 28, 3))), "28 joints, expected 17"),
    "metres": (TRAIN_FILE, replace("data_3d", lambda a: a / 1000), "3D as millimetres.*too small for metres"),
    "micrometres": (TRAIN_FILE, replace("data_3d", lambda a: a * 1000), "3D as millimetres.*not metres"),
    "root-relative": (TRAIN_FILE, replace("data_3d", lambda a: a - a[:, 14:15]), "behind the camera"),
    "z up": (TRAIN_FILE, replace("data_3d", lambda a: a[..., [2, 0, 1]]), "behind the camera|misses the 2D"),
    "y up": (TRAIN_FILE, replace("data_3d", lambda a: a * (1, -1, 1)), "misses the 2D by"),
    "other frames": (TRAIN_FILE, replace("data_3d", lambda a: body(55)), "misses the 2D by"),
    "x, y swapped": (TRAIN_FILE, replace("data_2d", lambda a: a[..., ::-1]), "misses the 2D by"),
    "nan": (TRAIN_FILE, replace("data_2d", with_nan), "2D: NaN or infinity in frame 3"),
    "axes": (TRAIN_FILE, replace("data_2d", lambda a: a.transpose(2, 1, 0)), "shape"),
    "text": (TRAIN_FILE, replace("data_2d", lambda a: a.astype(str)), "expected numbers"),
    "nothing": (TRAIN_FILE, replace("data_2d", lambda a: None), "expected numbers, found NoneType"),
    "normalised": (TRAIN_FILE, replace("data_2d", lambda a: a / 1024 - 1), "look normalised"),
    "lengths": (TRAIN_FILE, replace("data_2d", lambda a: a[:4]), "4 frames of 2D for 6 of 3D"),
    "empty": (TRAIN_FILE, replace("data_3d", lambda a: a[:0]), "no frames"),
    "TS9": (TEST_FILE, lambda data: data.update({"TS9": data["TS1"]}), "unknown recording 'TS9'"),
    "no flags": (TEST_FILE, lambda data: data["TS1"].pop("valid") is None, "TS1, valid: expected 6 flags"),
    "few flags": (TEST_FILE, replace("valid", lambda v: v[:5], "TS1"), "TS1, valid: expected 6 flags"),
    "odd flags": (TEST_FILE, replace("valid", lambda v: 7 * v, "TS1"), "flags of 0 or 1"),
    "none valid": (TEST_FILE, replace("valid", lambda v: 0 * v, "TS1"), "no frame is valid"),
    "an array": (TEST_FILE, lambda data: data.update({"TS1": np.zeros(3)}), "TS1: expected a dictionary"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_end_in_one_sentence_that_names_the_file(pooled, fault):
    file, change, message = FAULTS[fault]
    rewrite(pooled, file, change)
    with pytest.raises(InputError, match=message) as caught:
        list(read_pooled(pooled))
    assert file in str(caught.value) and "\n" not in str(caught.value)


def annotation(folder, name="S1/Seq2/annot.mat"):
    return folder / "mpi_inf_3dhp" / name


def mat(**content):
    return lambda folder: savemat(annotation(folder), {"annot2": cells([]), "univ_annot3": cells([]), **content})


def hdf5(key, change):
    def harm(folder):
        with h5py.File(annotation(folder, "mpi_inf_3dhp_test_set/TS5/annot_data.mat"), "r+") as file:
            content = file[key][()]
            del file[key]
            change(file, content)

    return harm


ORIGINAL_FAULTS = {
    "no training": (lambda folder: [path.unlink() for path in folder.rglob("annot.mat")], "S1/Seq1/annot.mat"),
    "no test": (lambda folder: [path.unlink() for path in folder.rglob("annot_data.mat")], "TS1/annot_data.mat"),
    "no variable": (lambda folder: savemat(annotation(folder), {"annot2": cells([])}), "no variable 'univ_annot3'"),
    "not a cell": (mat(annot2=np.zeros((6, 56))), "each of 14 cameras"),
    "few cameras": (mat(annot2=cells([])[:8]), "each of 14 cameras"),
    "empty cell": (mat(), "each of 14 cameras"),
    "17 joints": (mat(annot2=cells([np.zeros((6, 34))] * 14)), r"expected \(frames, 56\)"),
    "truncated": (lambda folder: annotation(folder).write_bytes(annotation(folder).read_bytes()[:-300]), "damaged"),
    "text": (lambda folder: annotation(folder).write_text("annot2 = 1"), "damaged or not a MATLAB file"),
    "a folder": (lambda folder: (annotation(folder).unlink(), annotation(folder).mkdir()), "no such file"),
    "joints": (hdf5("annot2", lambda file, a: file.update(annot2=a[:, :, :16])), "expected .2 or 3, 17, 1, frames"),
    "lengths": (hdf5("annot2", lambda file, a: file.update(annot2=a[:4])), "4 frames of 2D"),
    "flags": (hdf5("valid_frame", lambda file, a: file.update(valid_frame=a[:4])), "expected 6 flags"),
    "a group": (hdf5("annot2", lambda file, a: file.create_group("annot2")), "not an array in this file"),
    "elsewhere": (
        hdf5("annot2", lambda file, a: file.update(annot2=h5py.ExternalLink("TS1/annot_data.mat", "annot2"))),
        "annot2 is a link",
    ),
}


@pytest.mark.parametrize("fault", ORIGINAL_FAULTS)
def test_faults_of_the_original_folder_are_named(original, fault):
    harm, message = ORIGINAL_FAULTS[fault]
    harm(original)
    with pytest.raises(InputError, match=message) as caught:
        list(read_original(original))
    assert "\n" not in str(caught.value)


def test_a_bomb_of_either_format_is_refused(original, monkeypatch):
    assert UNPACKED_LIMIT == 8 << 30
    monkeypatch.setattr("poselib.data.npz.UNPACKED_LIMIT", 1 << 20)
    savemat(annotation(original), {"annot2": np.zeros(1 << 20), "univ_annot3": np.zeros(3)}, do_compression=True)
    with pytest.raises(InputError, match="annot.mat: unpacks to more than"):
        list(read_original(original))
    for path in original.rglob("S?/Seq?/annot.mat"):
        savemat(path, {"annot2": cells([np.zeros((1, 56))] * 14), "univ_annot3": cells([np.zeros((1, 84))] * 14)})
    hdf5("annot2", lambda file, a: file.create_dataset("annot2", (1 << 20,), "f4", compression="gzip"))(original)
    with pytest.raises(InputError, match="annot_data.mat: unpacks to more than"):
        read_mat(annotation(original, "mpi_inf_3dhp_test_set/TS5/annot_data.mat"), "annot2")


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
