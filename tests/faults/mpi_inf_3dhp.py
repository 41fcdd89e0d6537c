"""MPI-INF-3DHP's pooled files, read by `prepare mpi_inf_3dhp`."""

import numpy as np
from samples.mpi_inf_3dhp import body, write_pooled_files

from faults import archives
from faults.catalogue import Fault, as_object, project, rewritten, with_nan
from poselib.data.mpi_inf_3dhp import TEST_FILE, TRAIN_FILE

COMMAND = ("prepare", "mpi_inf_3dhp")


def make(folder):
    write_pooled_files(project(folder, "mpi_inf_3dhp", "mpi_inf_3dhp"))


def entries(change):
    """Changes what is below `data`, in place or by what it returns."""

    def harm(found):
        changed = change(found["data"])
        found["data"] = changed if isinstance(changed, dict | list) else found["data"]

    return harm


def of_train(key, told, change):
    return Fault(rewritten(TRAIN_FILE, entries(change)), TRAIN_FILE, key, told)


def of_test(key, told, change):
    return Fault(rewritten(TEST_FILE, entries(change)), TEST_FILE, key, told)


def of_camera(key, told, change):
    def harm(data):
        entry = data["S1 Seq2"][0]["4"]
        entry[key] = change(entry[key])

    return of_train("S1 Seq2, camera 4", told, harm)


def of_flags(told, change):
    return of_test("TS1, valid", told, lambda data: data["TS1"].update(valid=change(data["TS1"]["valid"])))


def set_recording(place, value):
    return lambda data: data["S1 Seq2"].__setitem__(place, value)


def of_archive(told, harm, key="", file=TRAIN_FILE):
    return Fault(lambda folder: harm(folder / "raw" / file), file, key, told)


FAULTS = {
    "no training file": of_archive("no such file", lambda path: path.unlink()),
    "no test file": of_archive("no such file", lambda path: path.unlink(), file=TEST_FILE),
    "cut": of_archive("damaged", archives.cut),
    "test file cut": of_archive("damaged", archives.cut, file=TEST_FILE),
    "pickle that calls": of_archive("asks for posix.mkdir", archives.hostile("data"), "data"),
    "bomb": of_archive("unpacks to more than 8 GiB", archives.bomb("data"), file=TEST_FILE),
    "a list": of_train("data", "expected a dictionary, found ndarray", lambda data: [data, data]),
    "numbers for names": of_train("data", "found other keys than names", lambda data: {1: data}),
    "no rate": of_train("S1 Seq2", "expected cameras and frames", lambda d: d.update({"S1 Seq2": d["S1 Seq2"][0]})),
    "wrong rate": of_train("S1 Seq2", "30 frames per second", set_recording(1, 30)),
    "rate of nothing": of_train("S1 Seq2", "frames per second", set_recording(1, np.ones(2))),
    "no cameras": of_train("S1 Seq2", "expected a dictionary, found list", set_recording(0, [])),
    "subject": of_train("S9 Seq1", "unknown recording", lambda data: data.update({"S9 Seq1": data["S1 Seq2"]})),
    "28 joints": of_camera("data_3d", "28 joints, expected 17", lambda a: np.zeros((6, 28, 3))),
    "metres": of_camera("data_3d", "3D as millimetres: a body of", lambda a: a / 1000),
    "micrometres": of_camera("data_3d", "3D as millimetres: coordinates", lambda a: a * 1000),
    "root-relative": of_camera("data_3d", "behind the camera", lambda a: a - a[:, 14:15]),
    "z up": of_camera("data_3d", "a joint is behind the camera", lambda a: a[..., [2, 0, 1]]),
    "y up": of_camera("data_3d", "misses the 2D by", lambda a: a * (1, -1, 1)),
    "other frames": of_camera("data_3d", "misses the 2D by", lambda a: body(55)),
    "x, y swapped": of_camera("data_2d", "misses the 2D by", lambda a: a[..., ::-1]),
    "NaN": of_camera("data_2d", "2D: NaN or infinity in frame 3", with_nan),
    "infinity": of_camera("data_3d", "3D: NaN or infinity in frame 3", lambda a: with_nan(a, -np.inf)),
    "axes": of_camera("data_2d", "shape", lambda a: a.transpose(2, 1, 0)),
    "text": of_camera("data_2d", "expected numbers", lambda a: a.astype(str)),
    "nothing": of_camera("data_2d", "expected numbers, found NoneType", lambda a: None),
    "normalised": of_camera("data_2d", "look normalised", lambda a: a / 1024 - 1),
    "lengths": of_camera("data_2d", "4 frames of 2D for 6 of 3D", lambda a: a[:4]),
    "empty": of_camera("data_3d", "no frames", lambda a: a[:0]),
    "TS9": of_test("TS9", "unknown recording", lambda data: data.update({"TS9": data["TS1"]})),
    "no flags": of_test("TS1, valid", "expected 6 flags", lambda data: data["TS1"].pop("valid")),
    "few flags": of_flags("expected 6 flags", lambda v: v[:5]),
    "odd flags": of_flags("flags of 0 or 1", lambda v: 7 * v),
    "none valid": of_flags("no frame is valid", lambda v: 0 * v),
    "an array": of_test("TS1", "expected a dictionary", lambda data: data.update({"TS1": np.zeros(3)})),
    "objects": of_test("TS1", "expected numbers", lambda d: d["TS1"].update(data_3d=as_object([None] * 6))),
}
