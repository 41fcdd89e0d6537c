"""AMASS's files: original ones with a small body drawn at random, and converted ones."""

import numpy as np

from poselib.data.amass import REGRESSOR_FILE
from poselib.data.npz import write_objects
from poselib.data.smplh import BONES, POSED

VERTICES = 40


def parts(seed=0):
    """Arrays of both files of a gender, and a regressor of 17 joints."""
    random = np.random.default_rng(seed)
    parents = np.array([2**32 - 1] + [random.integers(bone) for bone in range(1, BONES)], np.uint32)
    model = {
        "v_template": random.normal(size=(VERTICES, 3)),
        "shapedirs": 0.1 * random.normal(size=(VERTICES, 3, 18)),
        "posedirs": 0.02 * random.normal(size=(VERTICES, 3, POSED)),
        "weights": random.dirichlet(np.ones(BONES), VERTICES),
        "kintree_table": np.stack((parents, np.arange(BONES, dtype=np.uint32))),
        "J_regressor": random.dirichlet(np.ones(VERTICES), BONES),
    }
    soft = {"eigvec": 0.1 * random.normal(size=(VERTICES, 3, 10))}
    return model, soft, random.dirichlet(np.ones(VERTICES), 17)


def write_body(folder, model, soft, gender="female"):
    for kind, content in (("smplh", model), ("dmpls", soft)):
        path = folder / kind / gender / "model.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **content)


def poses(frames, seed=0):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (frames, 17, 3)).astype(np.float32) + np.float32([0, 0, 1])


def put_converted(folder, data_set="CMU", **changes):
    entry = {"positions_3d": poses(12), "frame_rate": 50.0, **changes}
    write_objects(folder / f"{data_set}.npz", positions_3d={"01": {"01_01": entry}})


def write_original(folder):
    """Two sequences, a body and a regressor as they are downloaded."""
    model, soft, regressor = parts()
    write_body(folder / "body_models", model, soft)
    np.save(folder / REGRESSOR_FILE, regressor)
    random = np.random.default_rng(3)
    content = {
        "trans": random.normal(size=(24, 3)),
        "gender": np.array("female"),
        "mocap_framerate": np.array(120.0),
        "betas": 0.1 * random.normal(size=16),
        "poses": 0.3 * random.normal(size=(24, 156)),
        "dmpls": 0.1 * random.normal(size=(24, 8)),
    }
    for place, name in (("CMU/01", "01_01_poses"), ("SFU/0005", "0005_Walking001 a_poses")):
        (folder / place).mkdir(parents=True)
        np.savez(folder / place / f"{name}.npz", **content)
        np.savez(folder / place / "shape.npz", betas=content["betas"])
    return content
