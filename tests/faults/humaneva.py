"""HumanEva-I's files, read by `prepare humaneva`."""

import numpy as np
from samples.humaneva import COCO, GT, RECORDINGS, world_of, write

from faults import archives
from faults.catalogue import Fault, project, rewritten
from poselib.data.humaneva import POSITIONS_FILE

COMMAND = ("prepare", "humaneva")
WALK = "Validate/S1 Walking 1 chunk0"


def make(folder):
    recordings = {**RECORDINGS, "Validate/S1": (*RECORDINGS["Validate/S1"], "Box 1 chunk0")}
    write(project(folder, "humaneva", "humaneva"), recordings)


def of_walk(file, key, told, change):
    def harm(entries):
        recordings = next(iter(entries.values()))["Validate/S1"]
        recordings["Walking 1 chunk0"] = change(recordings["Walking 1 chunk0"])

    return Fault(rewritten(file, harm), file, key, told)


def of_people(file, key, told, change):
    return Fault(rewritten(file, lambda entries: change(next(iter(entries.values())))), file, key, told)


def of_archive(told, harm, key="", file=POSITIONS_FILE):
    return Fault(lambda folder: harm(folder / "raw" / file), file, key, told)


def with_nan(array):
    array = array.copy()
    array[2, 1, 0] = np.nan
    return array


FAULTS = {
    "no file": of_archive("no such file", lambda path: path.unlink(), file=COCO),
    "cut": of_archive("damaged", archives.cut),
    "pickle that calls": of_archive("asks for posix.mkdir", archives.hostile("metadata"), "metadata", COCO),
    "subject": of_people(POSITIONS_FILE, "'S1'", "unknown subject", lambda p: p.update({"S1": p["Train/S2"]})),
    "recording": of_people(
        POSITIONS_FILE,
        "Train/S2",
        "unknown recording 'Jump 1 chunk0'",
        lambda p: p["Train/S2"].update({"Jump 1 chunk0": world_of(0)}),
    ),
    "too long": of_walk(
        POSITIONS_FILE, "Validate/S1 Walking 1", "chunks of more than 585 frames", lambda a: np.tile(a, (90, 1, 1))
    ),
    "none": of_people(POSITIONS_FILE, "Train/S2", "no recording", lambda p: p.update({"Train/S2": {}})),
    "17 joints": of_walk(POSITIONS_FILE, WALK, "17 joints, expected 15", lambda a: np.zeros((7, 17, 3), np.float32)),
    "millimetres": of_walk(POSITIONS_FILE, WALK, "divide by 1000", lambda a: 1000 * a),
    "NaN": of_walk(POSITIONS_FILE, WALK, "NaN or infinity in frame 2", with_nan),
    "y up": of_walk(POSITIONS_FILE, "Validate/S1, C2", "misses the 2D by", lambda a: a[..., [0, 2, 1]]),
    "layout": Fault(
        rewritten(GT, lambda e: e["metadata"].update(num_joints=17)), GT, "metadata", "num_joints is 17, expected 15"
    ),
    "4 cameras": of_walk(GT, WALK, "4 cameras, expected 3", lambda v: [*v, v[0]]),
    "a number": of_walk(GT, WALK, "missing here", lambda v: 3),
    "short": of_walk(GT, f"{WALK}, camera 0", "5 frames of 2D for 7 of 3D", lambda v: [a[:5] for a in v]),
    "missing": of_people(COCO, "Train/S2", "missing here, but in the 3D file", lambda p: p.pop("Train/S2")),
    "15 joints": of_walk(COCO, f"{WALK}, camera 0", "15 joints, expected 17", lambda v: [a[:, :15] for a in v]),
    "normalised": of_walk(COCO, f"{WALK}, camera 0", "look normalised", lambda v: [a / 320 - 1 for a in v]),
}
