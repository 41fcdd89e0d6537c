"""MPI-INF-3DHP's folder as it is distributed: MATLAB files of two formats, read by `prepare mpi_inf_3dhp`."""

import h5py
import numpy as np
from samples.mpi_inf_3dhp import annotation, cells, write_original
from scipy.io import savemat

from faults import archives
from faults.catalogue import Fault, project

COMMAND = ("prepare", "mpi_inf_3dhp")
TRAINING, TEST = "S1/Seq2/annot.mat", "mpi_inf_3dhp_test_set/TS5/annot_data.mat"


def make(folder):
    write_original(project(folder, "mpi_inf_3dhp", "mpi_inf_3dhp_original"))


def of_file(told, harm, key="", file=TRAINING):
    return Fault(lambda folder: harm(annotation(folder / "raw", file)), file, key, told)


def gone(name):
    return lambda folder: [path.unlink() for path in (folder / "raw").rglob(name)]


def v5(told, key="camera 0", **content):
    variables = {"annot2": cells([]), "univ_annot3": cells([]), **content}
    return of_file(told, lambda path: savemat(path, {k: v for k, v in variables.items() if v is not None}), key)


def v7(told, key, change, named=""):
    """A fault of the HDF5 file: `change` gets it, without this variable, and what the variable held."""

    def harm(path):
        with h5py.File(path, "r+") as file:
            content = file[key][()]
            del file[key]
            change(file, content)

    return of_file(told, harm, named, TEST)


def stored_elsewhere(file, content):
    external = [("executed", 0, content.nbytes)]
    file.create_dataset("annot2", content.shape, content.dtype, external=external)


def virtual(file, content):
    layout = h5py.VirtualLayout(content.shape, content.dtype)
    layout[:] = h5py.VirtualSource("../TS1/annot_data.mat", "annot2", content.shape)
    file.create_virtual_dataset("annot2", layout)


def huge(file, content):
    file.create_dataset("annot2", (1 << 26, 1, 17, 2), "f8", chunks=True, compression="gzip")


FAULTS = {
    "no training": Fault(gone("annot.mat"), "S1/Seq1/annot.mat", "", "no file like"),
    "no test": Fault(gone("annot_data.mat"), "TS1/annot_data.mat", "", "no file like"),
    "cut": of_file("damaged or not a MATLAB file", lambda path: path.write_bytes(path.read_bytes()[:-300])),
    "text": of_file("damaged or not a MATLAB file", lambda path: path.write_text("annot2 = 1")),
    "empty file": of_file("damaged or not a MATLAB file", archives.empty),
    "a folder": of_file("no such file", lambda path: (path.unlink(), path.mkdir())),
    "test cut": of_file("damaged or not a MATLAB file", archives.halved, file=TEST),
    "no variable": v5("has no variable", "'univ_annot3'", univ_annot3=None),
    "not a cell": v5("each of 14 cameras", annot2=np.zeros((6, 56))),
    "few cameras": v5("each of 14 cameras", annot2=cells([])[:8]),
    "empty cells": v5("each of 14 cameras"),
    "17 joints": v5("expected (frames, 56)", annot2=cells([np.zeros((6, 34))] * 14)),
    "16 joints": v7("expected (2 or 3, 17, 1, frames)", "annot2", lambda file, a: file.update(annot2=a[:, :, :16])),
    "lengths": v7("4 frames of 2D for 6 of 3D", "annot2", lambda file, a: file.update(annot2=a[:4])),
    "few flags": v7("expected 6 flags", "valid_frame", lambda file, a: file.update(valid_frame=a[:4]), "valid"),
    "no flags": v7("has no variable", "valid_frame", lambda file, a: None, "'valid_frame'"),
    "NaN": v7("2D: NaN or infinity in frame 0", "annot2", lambda file, a: file.update(annot2=a * np.nan)),
    "text for numbers": v7("not an array", "annot2", lambda file, a: file.create_group("annot2"), "annot2"),
    "link to another file": v7(
        "is a link", "annot2", lambda file, a: file.update(annot2=h5py.ExternalLink("../TS1/annot_data.mat", "annot2"))
    ),
    "link that leads out": v7(
        "is a link", "annot2", lambda file, a: file.update(annot2=h5py.ExternalLink("/etc/passwd", "annot2")), "annot2"
    ),
    "soft link": v7("is a link", "annot2", lambda file, a: file.update(annot2=h5py.SoftLink("/univ_annot3")), "annot2"),
    "stored in another file": v7("not an array in this file", "annot2", stored_elsewhere, "annot2"),
    "virtual": v7("not an array in this file", "annot2", virtual, "annot2"),
    "bomb": v7("unpacks to more than 8 GiB", "annot2", huge),
}
