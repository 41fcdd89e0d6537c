"""AMASS's original files, body model and regressor, and converted files, read by `prepare amass`."""

import numpy as np
from samples.amass import VERTICES, poses, put_converted, write_original

from faults import archives
from faults.catalogue import Fault, project, rewritten
from poselib.data.amass import REGRESSOR_FILE
from poselib.data.npz import write_objects

COMMAND = ("prepare", "amass")
SEQUENCE, BODY, SOFT = (
    "CMU/01/01_01_poses.npz",
    "body_models/smplh/female/model.npz",
    "body_models/dmpls/female/model.npz",
)


def make(folder):
    raw = project(folder, "amass", "amass")
    write_original(raw)
    put_converted(raw, "KIT")


def with_entry(file, key, value):
    """A harm that replaces an array of a file, by what `value` makes of it or by `value`; None takes it out."""

    def harm(folder):
        path = folder / "raw" / file
        with np.load(path) as found:
            arrays = dict(found)
        arrays[key] = value(arrays[key]) if callable(value) else value
        np.savez(path, **{name: array for name, array in arrays.items() if array is not None})

    return harm


def of_sequence(key, told, value):
    return Fault(with_entry(SEQUENCE, key, value), SEQUENCE, key, told)


def of_rate(told, value):
    return Fault(with_entry(SEQUENCE, "mocap_framerate", np.array(value)), SEQUENCE, "frames per second", told)


def of_body(key, told, value, file=BODY):
    return Fault(with_entry(file, key, value), file, key, told)


def of_file(file, told, harm, key=""):
    return Fault(lambda folder: harm(folder / "raw" / file), file, key, told)


def of_converted(told, **changes):
    return Fault(lambda folder: put_converted(folder / "raw", "KIT", **changes), "KIT.npz", "01 01_01", told)


def converted(told, key, content):
    return Fault(lambda f: write_objects(f / "raw/KIT.npz", positions_3d=content), "KIT.npz", key, told)


def emptied(folder):
    for path in sorted((folder / "raw").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def renamed(folder):
    (folder / "raw/CMU").rename(folder / "raw/Mixamo")


FAULTS = {
    "nothing": Fault(emptied, "raw", "", "holds no AMASS motion"),
    "no field": of_sequence("dmpls", "has no entry", None),
    "SMPL poses": of_sequence("poses", "expected finite numbers of shape (24, 156)", np.zeros((24, 72))),
    "NaN": of_sequence("trans", "expected finite numbers", np.full((24, 3), np.nan)),
    "infinity": of_sequence("poses", "expected finite numbers", np.full((24, 156), np.inf)),
    "lengths": of_sequence("trans", "found (23, 3)", np.zeros((23, 3))),
    "text": of_sequence("poses", "expected finite numbers", np.array("x")),
    "objects": of_sequence("betas", "expected finite numbers", np.array([None] * 16)),
    "empty": of_sequence("poses", "found (0, 156)", np.zeros((0, 156))),
    "10 betas": of_sequence("betas", "found (10,)", np.zeros(10)),
    "gender": of_sequence("gender", "none of male, female, neutral", np.array("other")),
    "gender that leads out": of_sequence("gender", "none of male, female, neutral", np.array("../../female")),
    "slow": of_rate("30.0", 30.0),
    "rate of text": of_rate("'fast'", "fast"),
    "infinite rate": of_rate("inf", np.inf),
    "millimetres": Fault(
        with_entry(SEQUENCE, "trans", np.full((24, 3), 1000.0)), SEQUENCE, "", "divide by 1000 if millimetres"
    ),
    "cut": of_file(SEQUENCE, "damaged or not an .npz file", archives.cut),
    "pickle that calls": of_file(SEQUENCE, "asks for posix.mkdir", archives.hostile("gender"), "gender"),
    "bomb": of_file(SEQUENCE, "unpacks to more than 8 GiB", archives.bomb("poses")),
    "entry that leads out": of_file(
        SEQUENCE, "is a path", lambda p: archives.members(p, **{"../executed.npy": b"x"}), "'../executed'"
    ),
    "data set": Fault(renamed, "AMASS", "'Mixamo'", "is none of CMU"),
    "no body of a gender": Fault(
        with_entry(SEQUENCE, "gender", np.array("male")), "smplh/male/model.npz", "", "no such file"
    ),
    "body of 10 betas": of_body("shapedirs", "expected finite numbers (40, 3, 16)", lambda a: a[..., :10]),
    "body without hands": of_body("weights", "(40, 24), expected finite numbers (40, 52)", lambda a: a[:, :24]),
    "body upside down": of_body("kintree_table", "a bone comes before its parent", lambda a: a[:, ::-1].copy()),
    "body of text": of_body("v_template", "expected finite numbers (40, 3)", np.array("x")),
    "body without correctives": of_body("posedirs", "has no entry", None),
    "body of NaN": of_body("J_regressor", "expected finite numbers", lambda a: a * np.nan),
    "body cut": of_file(BODY, "damaged", archives.cut),
    "body that calls": of_file(BODY, "asks for posix.mkdir", archives.hostile("weights"), "weights"),
    "soft tissue of others": of_body("eigvec", "expected finite numbers (40, 3, 8)", lambda a: a[:-1], SOFT),
    "no regressor": of_file(REGRESSOR_FILE, "no such file", lambda path: path.unlink()),
    "regressor of text": of_file(REGRESSOR_FILE, "not a readable .npy", lambda path: path.write_bytes(b"junk")),
    "regressor that calls": of_file(
        REGRESSOR_FILE,
        "not a readable .npy",
        lambda path: path.write_bytes(archives.member(archives.IMPORTED)),
    ),
    "regressor of 24 joints": of_file(
        REGRESSOR_FILE, "found (24, 40)", lambda path: np.save(path, np.zeros((24, VERTICES)))
    ),
    "regressor of another mesh": Fault(
        lambda folder: np.save(folder / "raw" / REGRESSOR_FILE, np.zeros((17, 39))),
        BODY,
        "v_template",
        "expected finite numbers (39, 3)",
    ),
    "converted, 16 joints": of_converted("16 joints, expected 17", positions_3d=poses(12)[:, :16]),
    "converted, millimetres": of_converted("divide by 1000", positions_3d=1000 * poses(12)),
    "converted, infinity": of_converted("NaN or infinity", positions_3d=np.full((12, 17, 3), np.inf)),
    "converted, text": of_converted("expected numbers", positions_3d="x"),
    "converted, slow": of_converted("25 frames per second", frame_rate=25),
    "converted, no number": of_converted("None frames per second", frame_rate=None),
    "converted, no rate": converted("'frame_rate'", "01 01_01", {"01": {"01_01": {"positions_3d": poses(3)}}}),
    "converted, a list": converted("expected a dictionary, found list", "01", {"01": [1]}),
    "converted, an entry more": Fault(
        rewritten("KIT.npz", lambda e: e.update({"a/b": 1})), "KIT.npz", "'a/b'", "is a path"
    ),
}
