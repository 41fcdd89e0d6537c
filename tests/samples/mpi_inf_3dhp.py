"""MPI-INF-3DHP's files in both their forms, with the same numbers."""

import h5py
import numpy as np
from scipy.io import savemat

from poselib.data.mpi_inf_3dhp import CAMERAS, JOINTS, TEST_FILE, TRAIN_FILE
from poselib.geometry import project

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


def write_pooled_files(folder):
    """The two files as P-STMO's scripts write them."""
    train = {
        name: [{str(c): entry_of(training_annotation(number, c)) for c in map(int, CAMERAS)}, fps]
        for number, (name, fps) in enumerate(TRAINING.items())
    }
    test = {}
    for number, name in ((7, "TS1"), (8, "TS5")):
        positions = body(number)
        test[name] = {"data_2d": seen(positions, lens_of(name)), "data_3d": positions, "valid": VALID}
    np.savez_compressed(folder / TRAIN_FILE, data=as_object(train))
    np.savez_compressed(folder / TEST_FILE, data=as_object(test))


def cells(arrays):
    filled = np.empty((14, 1), dtype=object)
    filled[:, 0] = [np.zeros((0, 0))] * 14
    for camera, array in enumerate(arrays):
        filled[camera, 0] = array.reshape(len(array), -1)
    return filled


def write_original(folder):
    """The same numbers as the distributed folder holds them: v5 for the training, v7.3 for the test."""
    for number, name in enumerate(TRAINING):
        path = folder.joinpath("mpi_inf_3dhp", *name.split(), "annot.mat")
        path.parent.mkdir(parents=True)
        annotations = [training_annotation(number, camera) for camera in range(14)]
        content = {"univ_annot3": cells(annotations), "annot2": cells(map(seen, annotations)), "annot3": cells([])}
        savemat(path, content, do_compression=True)
    for number, name in ((7, "TS1"), (8, "TS5")):
        path = folder / "mpi_inf_3dhp" / "mpi_inf_3dhp_test_set" / name / "annot_data.mat"
        path.parent.mkdir(parents=True)
        with h5py.File(path, "w", userblock_size=512) as file:
            file["univ_annot3"] = body(number)[:, None]
            file["annot2"] = seen(body(number), lens_of(name))[:, None]
            file["valid_frame"] = VALID[:, None]
        with path.open("r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")


def annotation(folder, name="S1/Seq2/annot.mat"):
    """A file of the original folder."""
    return folder / "mpi_inf_3dhp" / name
