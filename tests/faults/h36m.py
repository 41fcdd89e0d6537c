"""Human3.6M's files, read by `prepare h36m`: one of 3D, three of 2D."""

import pickle
import zipfile

import numpy as np

from faults import archives
from faults.catalogue import Fault, as_object, project, rewritten, with_nan
from poselib.data.h36m import DETECTION_FILES, POSITIONS_FILE

COMMAND = ("prepare", "h36m")
GT, CPN, HRNET = DETECTION_FILES.values()


def make(folder):
    raw = project(folder, "h36m", "human36m")
    world = np.random.default_rng(0).uniform(-0.5, 0.5, (8, 32, 3)).astype(np.float32) + np.float32([0, 0, 1])
    subjects = ("S1", "S8", "S9")
    np.savez(raw / POSITIONS_FILE, positions_3d=as_object({s: {"Walking 1": world} for s in subjects}))
    seen = np.random.default_rng(1).uniform(300, 700, (4, 8, 17, 2)).astype(np.float32)
    points = {s: {"Walking 1": list(seen)} for s in subjects}
    metadata = as_object({"num_joints": 17, "keypoints_symmetry": [[4, 5, 6, 11, 12, 13], [1, 2, 3, 14, 15, 16]]})
    for file in DETECTION_FILES.values():
        np.savez(raw / file, positions_2d=as_object(points), metadata=metadata)


def walk(change):
    """Changes the walk of S1, in 3D an array and in 2D four."""

    def harm(entries):
        recordings = next(iter(entries.values()))["S1"]
        recordings["Walking 1"] = change(recordings["Walking 1"])

    return harm


def views(change):
    return walk(lambda found: [change(array) for array in found])


def spoilt(file, harm):
    return lambda folder: harm(folder / "raw" / file)


def of_positions(key, told, change):
    return Fault(rewritten(POSITIONS_FILE, change), POSITIONS_FILE, key, told)


def of_points(file, key, told, change):
    return Fault(rewritten(file, change), file, key, told)


def of_archive(told, harm, key="", file=POSITIONS_FILE):
    return Fault(spoilt(file, harm), file, key, told)


def twice(path):
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("positions_3d.npy", archive.read("positions_3d.npy"))


def positions(array):
    return lambda path: np.savez(path, positions_3d=array)


WALK, ENTRY = "S1 Walking 1", "positions_3d"
FAULTS = {
    "no file": of_archive("no such file", lambda path: path.unlink()),
    "a folder": of_archive("no such file", lambda path: (path.unlink(), path.mkdir())),
    "cut at its end": of_archive("damaged or not an .npz file", archives.cut),
    "half a file": of_archive("damaged or not an .npz file", archives.halved),
    "empty file": of_archive("damaged or not an .npz file", archives.empty),
    "text": of_archive("damaged or not an .npz file", archives.text),
    "flipped byte": of_archive("damaged or not an .npz file", archives.flipped, ENTRY),
    "other entry": of_archive("has no entry 'positions_3d', only poses", lambda p: np.savez(p, poses=np.ones(3))),
    "pickle that calls": of_archive("refused, since it asks for posix.mkdir", archives.hostile(ENTRY), ENTRY),
    "pickle that calls in 2D": of_archive("asks for posix.mkdir", archives.hostile("metadata"), "metadata", GT),
    "pickle that imports": of_archive("asks for this.d", archives.hostile(ENTRY, archives.IMPORTED), ENTRY),
    "pickle of any address": of_archive("damaged", archives.hostile(ENTRY, archives.FORGED_ARRAY), ENTRY),
    "pickle of few objects": of_archive("without as many", archives.hostile(ENTRY, archives.FEW_OBJECTS), ENTRY),
    "pickle that patches": of_archive("sets attributes", archives.hostile(ENTRY, archives.ATTRIBUTES), ENTRY),
    "pickle of a class": of_archive("asks for builtins.complex", archives.hostile(ENTRY, pickle.dumps(1j)), ENTRY),
    "pickle cut short": of_archive("damaged", archives.hostile(ENTRY, pickle.dumps(as_object({}))[:-9]), ENTRY),
    "bomb": of_archive("unpacks to more than 8 GiB", archives.bomb(ENTRY)),
    "bomb that understates": of_archive("damaged", archives.understated(ENTRY), ENTRY),
    "entry that leads out": of_archive(
        "'../../executed'", lambda path: archives.members(path, **{"../../executed.npy": b"x"})
    ),
    "entry at the root": of_archive("'/etc/executed'", lambda p: archives.members(p, **{"/etc/executed.npy": b"x"})),
    "entry twice": of_archive("there twice", twice, ENTRY),
    "a list": of_archive("expected a dictionary", positions(as_object([1, 2])), ENTRY),
    "a number": of_archive("expected a dictionary", positions(np.ones(1)), ENTRY),
    "17 joints": of_positions(WALK, "17 joints, expected 32", walk(lambda a: a[:, :17])),
    "millimetres": of_positions(WALK, "divide by 1000", walk(lambda a: 1000 * a)),
    "kilometres": of_positions(WALK, "too small for metres", walk(lambda a: a / 1000)),
    "NaN": of_positions(WALK, "NaN or infinity in frame 3", walk(with_nan)),
    "infinity": of_positions(WALK, "NaN or infinity in frame 3", walk(lambda a: with_nan(a, np.inf))),
    "no frames": of_positions(WALK, "no frames", walk(lambda a: a[:0])),
    "swapped axes": of_positions(WALK, "shape (8, 3, 32)", walk(lambda a: a.transpose(0, 2, 1))),
    "two axes": of_positions(WALK, "shape (8, 96)", walk(lambda a: a.reshape(8, 96))),
    "text for numbers": of_positions(WALK, "expected numbers", walk(lambda a: a.astype(str))),
    "lists for arrays": of_positions(WALK, "expected numbers", walk(lambda a: a.tolist())),
    "unknown subject": of_positions("S42", "no camera is known", lambda e: e[ENTRY].update(S42=e[ENTRY]["S1"])),
    "subjects by number": of_positions(ENTRY, "other keys than names", lambda e: e[ENTRY].update({7: {}})),
    "no test subject": Fault(
        rewritten(POSITIONS_FILE, lambda e: e[ENTRY].pop("S9")), "human36m", "role 'h36m'", "leaves no test video"
    ),
    "no subject": Fault(
        rewritten(POSITIONS_FILE, lambda e: e[ENTRY].clear()), "human36m", "role 'h36m'", "holds no recordings"
    ),
    "3 cameras": of_points(GT, WALK, "3 cameras, expected 4", walk(lambda v: v[:3])),
    "one camera too short": of_points(
        GT, f"{WALK}, camera 3", "5 frames of 2D for 8 of 3D", walk(lambda v: [*v[:3], v[3][:5]])
    ),
    "normalised": of_points(GT, f"{WALK}, camera 0", "look normalised", views(lambda a: a / 1000)),
    "NaN in 2D": of_points(GT, f"{WALK}, camera 0", "NaN or infinity", views(with_nan)),
    "far outside": of_points(GT, f"{WALK}, camera 0", "do not fit an image", views(lambda a: a * 1e4)),
    "2D of nobody": of_points(GT, WALK, "missing here", lambda e: e["positions_2d"].pop("S1")),
    "2D that is a number": of_points(GT, WALK, "missing here", walk(lambda v: 3)),
    "other joint set": of_points(GT, "metadata", "num_joints is 16", lambda e: e["metadata"].update(num_joints=16)),
    "no joint count": of_points(GT, "metadata", "num_joints is None", lambda e: e["metadata"].clear()),
    "16 joints of the CPN": of_points(CPN, f"{WALK}, camera 0", "16 joints", views(lambda a: a[:, :16])),
    "homogeneous 2D": of_points(CPN, f"{WALK}, camera 0", "shape (8, 17, 3)", views(lambda a: a[..., [0, 1, 1]])),
    "no CPN": of_archive("no such file", lambda path: path.unlink(), file=CPN),
    "HRNet cut": of_archive("damaged", archives.cut, file=HRNET),
    "HRNet empty": of_points(HRNET, f"{WALK}, camera 0", "no frames", views(lambda a: a[:0])),
}
