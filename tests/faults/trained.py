"""What stages hand to one another, read by `evaluate`: the prepared set and the checkpoints of an experiment."""

import json

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from faults import archives
from faults import h36m as originals
from faults.catalogue import Fault, call
from poselib import checkpoints
from poselib.data.prepared import open_prepared
from poselib.experiments import load_experiment, load_parameters
from poselib.scaling import scaled
from poselib.stages.settings import of_training
from poselib.stages.train import build_model

COMMAND = ("evaluate", "small")
SMALL = "experiments:\n  small: {paper: mixste, model: mixste, frames: 27, dim: 64, depth: 4, detector: gt}\n"
SET, WEIGHTS, POSES = "set.json", "seed0.safetensors", "poses_2d_gt.f32"
FOLDER = "data/prepared/h36m"
PREPARED, TRAINED = f"{FOLDER}/{SET}", f"checkpoints/small/{WEIGHTS}"


def make(folder):
    originals.make(folder)
    for path in (folder / "experiments").glob("*.yaml"):
        if path.name != "recipes.yaml":
            path.unlink()
    (folder / "experiments/mixste.yaml").write_text(SMALL)
    assert call(folder, "prepare", "h36m") == (0, [])
    parameters, experiment = load_parameters(folder), load_experiment(folder, "small")
    setting = scaled(experiment, parameters.chosen, "small")
    prepared = open_prepared(folder / FOLDER)
    torch.manual_seed(0)
    told = of_training(parameters, experiment, "small")
    about = {"data": prepared.fingerprint, "setting": told, "updates": 1, "epoch": 1}
    (folder / "checkpoints/small").mkdir(parents=True)
    for name in (WEIGHTS, "seed0.test_selected.safetensors"):
        checkpoints.save(folder / "checkpoints/small" / name, build_model(setting, prepared.skeleton), about)
    log = "epoch,updates,loss,validation_mpjpe_mm,test_mpjpe_mm,seconds\n1,1,0.5,200.0,200.0,0.1\n"
    (folder / "checkpoints/small/seed0.log.csv").write_text(log)


def of_set(told, change):
    def harm(folder):
        path = folder / PREPARED
        described = json.loads(path.read_text())
        changed = change(described)
        path.write_text(json.dumps(described if changed is None else changed))

    return Fault(harm, SET, "", told)


def of_array(told, change, file=POSES, of=""):
    """Changes an array; one whose values are wrong is called by what it holds, `of`."""

    def harm(folder):
        path = folder / FOLDER / file
        array = np.fromfile(path, np.float32)
        np.asarray(change(array), np.float32).tofile(path)

    return Fault(harm, "prepared/h36m" if of else file, of, told)


def of_bytes(file, told, harm, name=None):
    return Fault(lambda folder: harm(folder / file), name or file.rpartition("/")[2], "", told)


def of_weights(told, change, key=""):
    """Changes the weights, or what describes them, of a checkpoint in its own form."""

    def harm(folder):
        path = folder / TRAINED
        weights, about = load_file(path), checkpoints.load(path)[1]
        changed = change(weights, about)
        save_file(weights, path, metadata={"poselib": changed if isinstance(changed, str) else json.dumps(about)})

    return Fault(harm, WEIGHTS, key, told)


def filled(place, value):
    def change(array):
        array[place] = value
        return array

    return change


def bare(path):
    save_file({"x": torch.zeros(1)}, path)


def without(name):
    return lambda weights, about: weights.pop(name) is None


FAULTS = {
    "no set": of_bytes(PREPARED, "no prepared set here", lambda path: path.unlink()),
    "set cut": of_bytes(PREPARED, "damaged description", archives.halved),
    "set of bytes": of_bytes(PREPARED, "damaged description", lambda path: path.write_bytes(b"\xff\xfe")),
    "deep set": of_bytes(PREPARED, "damaged description", lambda path: path.write_text("[" * 100_000)),
    "set of a list": of_set("damaged description", lambda described: [described]),
    "set of unknown joints": of_set("damaged description ('coco')", lambda d: d.update(skeleton="coco")),
    "set without videos": of_set("damaged description ('videos')", lambda d: d.pop("videos") and None),
    "video without frames": of_set("damaged description", lambda d: d["videos"][0].pop("frames") and None),
    "video of a word": of_set("damaged description", lambda d: d["videos"][0].update(frames="many")),
    "video of no frames": of_set("do not follow one another", lambda d: d["videos"][0].update(frames=-8)),
    "videos that overlap": of_set("do not follow one another", lambda d: d["videos"][1].update(start=3)),
    "no array": of_bytes(
        f"data/prepared/h36m/{POSES}", "no 2D of detector 'gt'", lambda p: p.unlink(), "prepared/h36m"
    ),
    "array cut": of_array("size does not fit set.json", lambda array: array[:-1]),
    "array too long": of_array("size does not fit set.json", lambda array: np.append(array, 0)),
    "array of NaN": of_array("NaN or infinity", filled(-1, np.nan), of="2D of 'gt'"),
    "array of infinity": of_array("NaN or infinity", filled(-1, np.inf), of="2D of 'gt'"),
    "array of pixels": of_array("look like pixels", lambda array: array * 1000, of="2D of 'gt'"),
    "3D of NaN": of_array("NaN or infinity", filled(-1, np.nan), "poses_3d.f32", "3D"),
    "no checkpoint": of_bytes(TRAINED, "no such checkpoint", lambda path: path.unlink()),
    "checkpoint cut": of_bytes(TRAINED, "not a readable poselib checkpoint", archives.cut),
    "checkpoint empty": of_bytes(TRAINED, "not a readable poselib checkpoint", archives.empty),
    "checkpoint of text": of_bytes(TRAINED, "not a readable poselib checkpoint", archives.text),
    "checkpoint that is a pickle": of_bytes(TRAINED, "not a readable poselib checkpoint", archives.malicious_weights),
    "header beyond the file": of_bytes(
        TRAINED, "not a readable poselib checkpoint", lambda path: path.write_bytes(b"\xff" * 8 + path.read_bytes()[8:])
    ),
    "foreign weights": of_bytes(TRAINED, "not a readable poselib checkpoint ('poselib')", bare),
    "no description": of_weights("not a readable poselib checkpoint", lambda weights, about: "no JSON"),
    "deep description": of_weights("not a readable poselib checkpoint", lambda weights, about: "[" * 100_000),
    "unknown model": of_weights("unknown model 'os.system'", lambda weights, about: about.update(model="os.system")),
    "setting that is none": of_weights(
        "has no setting 'command'", lambda w, about: about["config"].update(command="x")
    ),
    "width of a word": of_weights("not a readable", lambda w, about: about["config"].update(dim="wide")),
    "width beyond all memory": of_weights(
        "does not fit its description", lambda w, about: about["config"].update(dim=10**8, heads=1)
    ),
    "no fingerprint": of_weights("'data'", lambda weights, about: about.pop("data") and None, "'data'"),
    "no epoch": of_weights("'epoch'", lambda weights, about: about.pop("epoch") and None, "'epoch'"),
    "of other data": of_weights("trained on other data", lambda weights, about: about.update(data="0" * 64)),
    "of another rate": of_weights("trained with another lr than", lambda w, about: about["setting"].update(lr=1.0)),
    "of a setting unknown here": of_weights("another more than", lambda w, about: about["setting"].update(more=1)),
    "setting of a word": of_weights("trained with another", lambda weights, about: about.update(setting="demo")),
    "weight of NaN": of_weights(
        "NaN or infinity", lambda weights, about: weights["head.1.bias"].fill_(torch.nan) is None, "head.1.bias"
    ),
    "weight of infinity": of_weights(
        "NaN or infinity", lambda weights, about: weights["head.1.bias"].fill_(torch.inf) is None, "head.1.bias"
    ),
    "weight left out": of_weights("does not fit its description", without("head.1.bias"), "head.1.bias"),
    "weight too many": of_weights("does not fit", lambda w, about: w.update(more=torch.zeros(1)), "more"),
    "weight turned": of_weights(
        "does not fit", lambda w, about: w.update({"head.1.weight": w["head.1.weight"].T.contiguous()}), "head.1.weight"
    ),
    "log left out": of_bytes("checkpoints/small/seed0.log.csv", "not readable", lambda path: path.unlink()),
    "log of bytes": of_bytes("checkpoints/small/seed0.log.csv", "not readable", lambda path: path.write_bytes(b"\xff")),
    "rival cut": of_bytes(
        "checkpoints/small/seed0.test_selected.safetensors", "not a readable poselib checkpoint", archives.cut
    ),
}
