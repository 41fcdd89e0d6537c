"""MPI-INF-3DHP: the pooled files that P-STMO's scripts write, and the folder as it is distributed.

data_train_3dhp.npz      data: 'S1 Seq1' -> [camera -> {data_2d (F, 17, 2), data_3d (F, 17, 3)}, frames per second]
data_test_3dhp.npz       data: 'TS1' -> {data_2d, data_3d, valid (F,)}
S1/Seq1/annot.mat        annot2, univ_annot3: for each of 14 cameras (F, 28 x 2), (F, 28 x 3)
TS1/annot_data.mat       annot2, univ_annot3: (2 or 3, 17, 1, F); valid_frame (1, F)

Pixels and millimetres, camera frame, root at its place, bodies scaled to a universal one. The lens of a camera is
fitted, since only other files tell it. The test's frame rate is told nowhere: 25 stands for it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from poselib.data.calibration import fit_lens, placed
from poselib.data.checks import check_array, check_metres, check_pixels
from poselib.data.matlab import read_mat
from poselib.data.npz import read_npz, write_objects
from poselib.data.sequences import Sequence
from poselib.data.videopose3d import mapping
from poselib.errors import InputError
from poselib.skeleton import MPI_INF_3DHP_17

TRAIN_FILE, TEST_FILE = "data_train_3dhp.npz", "data_test_3dhp.npz"
CAMERAS = ("0", "1", "2", "4", "5", "6", "7", "8")
"""Those at chest height, which everyone trains with."""
JOINTS = (7, 5, 14, 15, 16, 9, 10, 11, 23, 24, 25, 18, 19, 20, 4, 3, 6)
"""Of the 28 joints of a training annotation."""


@cache
def recordings() -> Mapping[str, Mapping]:
    """Recording -> split, frames (valid frames of the test), frames per second, image size, scene of the test."""
    return json.loads((Path(__file__).parent / "mpi_inf_3dhp.json").read_text())


def read_pooled(folder: str | Path) -> Iterator[Sequence]:
    """Every training video, recording by recording and camera by camera, then the test videos.

    Raises:
        InputError: a missing or damaged file, an unknown recording, a wrong joint count, unit or rate, unequal lengths,
            NaN, 3D that does not project onto its 2D.
    """
    path = Path(folder) / TRAIN_FILE
    for name, content in sorted(mapping(read_npz(path, "data")["data"], f"{path}, data").items()):
        if not isinstance(content, list) or len(content) != 2:
            raise InputError(f"{path}, {name}: expected cameras and frames per second; convert the data set again")
        for camera, entry in sorted(mapping(content[0], f"{path}, {name}").items()):
            yield _sequence(f"{path}, {name}, camera {camera}", name, camera, content[1], entry)
    path = Path(folder) / TEST_FILE
    for name, entry in sorted(mapping(read_npz(path, "data")["data"], f"{path}, data").items()):
        yield _sequence(f"{path}, {name}", name, "0", 25, entry)


def write_pooled(sequences: Iterable[Sequence], folder: Path) -> None:
    """Write the two files, from a stand-in or from the original folder; each appears whole or not at all."""
    train, test = {}, {}
    for sequence in sequences:
        entry = {"data_2d": sequence.poses_2d["gt"], "data_3d": 1000 * sequence.poses_3d}
        if sequence.split == "test":
            test[sequence.subject] = {**entry, "valid": sequence.valid.astype(float)}
        else:
            cameras, _ = train.setdefault(f"{sequence.subject} {sequence.action}", [{}, sequence.fps])
            cameras[sequence.camera.id] = entry
    folder.mkdir(parents=True, exist_ok=True)
    write_objects(folder / TRAIN_FILE, data=train)
    write_objects(folder / TEST_FILE, data=test)


def read_original(folder: str | Path) -> Iterator[Sequence]:
    """The same videos from the annotation files of the distributed folder, wherever below it they lie.

    Raises:
        InputError: no such files, and as `read_pooled`.
    """
    training = sorted(Path(folder).glob("**/S?/Seq?/annot.mat"))
    test = sorted(Path(folder).glob("**/TS?/annot_data.mat"))
    if not training or not test:
        lacking = "TS1/annot_data.mat" if training else "S1/Seq1/annot.mat"
        raise InputError(f"{folder}: no file like {lacking} below it; data/README.md says what to place")
    for path in training:
        name, content = " ".join(path.parts[-3:-1]), read_mat(path, "annot2", "univ_annot3")
        for camera in CAMERAS:
            label = f"{path}, camera {camera}"
            entry = {"data_2d": _cell(content["annot2"], int(camera), 2, label)}
            entry["data_3d"] = _cell(content["univ_annot3"], int(camera), 3, label)
            yield _sequence(label, name, camera, recordings().get(name, {}).get("fps"), entry)
    for path in test:
        content = read_mat(path, "annot2", "univ_annot3", "valid_frame")
        entry = {"data_2d": _frames_first(content["annot2"], path), "valid": content["valid_frame"]}
        entry["data_3d"] = _frames_first(content["univ_annot3"], path)
        yield _sequence(str(path), path.parts[-2], "0", 25, entry)


def _cell(cells: np.ndarray, camera: int, channels: int, label: str) -> np.ndarray:
    rows = cells.ravel()[camera] if cells.dtype == object and cells.size == 14 else None
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.shape[1] != 28 * channels:
        raise InputError(f"{label}: expected (frames, {28 * channels}) for each of 14 cameras; get the file again")
    return rows.reshape(-1, 28, channels)[:, JOINTS]


def _frames_first(array: np.ndarray, path: Path) -> np.ndarray:
    if array.ndim < 3 or array.shape[1] != 17:
        raise InputError(f"{path}: shape {array.shape}, expected (2 or 3, 17, 1, frames); get the file again")
    return array.reshape(len(array), 17, -1, order="F").T


def _sequence(label: str, name: str, camera: str, fps: float, entry: Mapping) -> Sequence:
    if name not in recordings():
        raise InputError(f"{label}: unknown recording {name!r}; known: {', '.join(recordings())}")
    about, entry = recordings()[name], mapping(entry, label)
    if not np.isscalar(fps) or fps not in (25, 50):
        raise InputError(f"{label}: {fps} frames per second, expected 25 or 50; convert the data set again")
    # The distributed annotations run on behind the frames in use.
    pixels, positions = (entry.get(key) for key in ("data_2d", "data_3d"))
    pixels = check_array(pixels, f"{label}, 2D", 17, 2)[: about.get("frames")]
    poses_3d = check_array(positions, f"{label}, 3D", 17, 3)[: about.get("frames")] / 1000
    if len(pixels) != len(poses_3d):
        raise InputError(f"{label}: {len(pixels)} frames of 2D for {len(poses_3d)} of 3D; convert the data set again")
    valid = np.ones(len(pixels), bool)
    if about["split"] == "test":
        valid = _flags(entry.get("valid"), len(pixels), label)
    size = tuple(about["size"])
    check_metres(poses_3d[valid], f"{label}, 3D as millimetres")
    check_pixels(pixels[valid], f"{label}, 2D", size)
    lens = fit_lens(placed(str(camera), size), poses_3d[valid], pixels[valid], label)
    subject, _, take = name.partition(" ")
    action = about.get("scene", take)
    poses_2d = {"gt": pixels}
    return Sequence(subject, action, lens, MPI_INF_3DHP_17, float(fps), poses_3d, poses_2d, about["split"], valid)


def _flags(flags, frames: int, label: str) -> np.ndarray:
    flags = flags.ravel() if isinstance(flags, np.ndarray) else np.empty(0)
    if flags.dtype.kind not in "bfiu" or len(flags) != frames or not np.isin(flags, (0, 1)).all():
        raise InputError(f"{label}, valid: expected {frames} flags of 0 or 1; convert the data set again")
    if not flags.any():
        raise InputError(f"{label}, valid: no frame is valid; convert the data set again")
    return flags.astype(bool)
