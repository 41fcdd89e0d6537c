"""Weights as the authors of models distribute them, read by `interop.from_official`; no command reads them."""

import h5py
import numpy as np
import torch

from faults import archives
from faults.catalogue import Fault, Malice
from poselib.interop import keras_file, to_official
from poselib.models import build

TORCH, KERAS = "best_epoch.bin", "h36m_81.h5"
MODELS = {TORCH: "mixste", KERAS: "uplift_upsample"}
SMALL = {
    TORCH: {"frames": 5, "dim": 16, "depth": 2, "heads": 4},
    KERAS: {"frames": 41, "spatial_dim": 8, "dim": 16, "heads": 2, "depth": 2, "strides": (4, 4, 3)}
    | {"paddings": ((1, 1), (0, 0), (0, 0))},
}


def make(folder):
    torch.manual_seed(0)
    torch.save({"epoch": 1, "model_pos": to_official(build("mixste", **SMALL[TORCH]))}, folder / TORCH)
    keras_file.write(folder / KERAS, to_official(build("uplift_upsample", **SMALL[KERAS])))


def of_bytes(file, told, harm):
    return Fault(lambda folder: harm(folder / file), file, "", told)


def saved(told, content, key=""):
    """A PyTorch file of this content."""
    return Fault(lambda folder: torch.save(content, folder / TORCH), TORCH, key, told)


def changed(told, change, key=""):
    """A PyTorch file whose weights are changed in place."""

    def harm(folder):
        content = torch.load(folder / TORCH)
        change(content["model_pos"])
        torch.save(content, folder / TORCH)

    return Fault(harm, TORCH, key, told)


def in_keras(told, change, key=""):
    def harm(folder):
        with h5py.File(folder / KERAS, "r+") as file:
            change(file)

    return Fault(harm, KERAS, key, told)


def relinked(make_link):
    """Puts something else in the place of a layer's first array."""

    def change(file):
        layer = file["spatial_pe"]
        name = layer.attrs["weight_names"][0]
        del layer[name]
        make_link(layer, name)

    return change


def unnumbered(state):
    state["STEblocks.99999999.norm1.weight"] = state.pop("STEblocks.1.norm1.weight")


def claimed(state):
    """A parameter that claims a size which its one stored number does not have."""
    state["Spatial_patch_to_embedding.weight"] = torch.zeros(1).expand(2**31, 2)


FAULTS = {
    "no file": of_bytes(TORCH, "no such checkpoint", lambda path: path.unlink()),
    "cut": of_bytes(TORCH, "not a readable PyTorch checkpoint", archives.cut),
    "half": of_bytes(TORCH, "not a readable PyTorch checkpoint", archives.halved),
    "empty": of_bytes(TORCH, "not a readable PyTorch checkpoint", archives.empty),
    "text": of_bytes(TORCH, "not a readable PyTorch checkpoint", archives.text),
    "beginning of an archive": of_bytes(TORCH, "not a readable", lambda path: path.write_bytes(b"PK\x03\x04 cut")),
    "pickle that calls": of_bytes(TORCH, "refused, since it asks to run code", archives.malicious_weights),
    "bare pickle that calls": of_bytes(TORCH, "refused, since it asks to run code", archives.bare_pickle),
    "pickle in a list": saved("refused, since it asks to run code", {"model_pos": [Malice()]}),
    "bomb": of_bytes(TORCH, "unpacks to more than 8 GiB", archives.bomb("archive/data")),
    "a list": saved("holds a list, not a dictionary", [1, 2, 3]),
    "weights of a list": saved("not a mixste checkpoint", {"model_pos": [1, 2, 3]}),
    "weights by number": saved("not a mixste checkpoint", {"model_pos": {1: torch.zeros(1)}}),
    "weights in words": saved("is not a tensor", {"model_pos": {"head.1.bias": "x"}}, "head.1.bias"),
    "no weights": saved("not a mixste checkpoint", {"model_pos": {}}),
    "weight left out": changed("missing", lambda state: state.pop("head.1.bias"), "head.1.bias"),
    "weight renamed": changed(
        "unexpected: head.1.bia", lambda state: state.update({"head.1.bia": state.pop("head.1.bias")}), "head.1.bias"
    ),
    "weight of another shape": changed(
        "is (4, 16), not (3, 16)", lambda state: state.update({"head.1.weight": torch.zeros(4, 16)}), "head.1.weight"
    ),
    "weight of no axis": changed(
        "is missing or misshaped", lambda state: state.update(Temporal_pos_embed=torch.tensor(1.0))
    ),
    "block beyond all memory": changed("weights do not fit", unnumbered, "STEblocks.99999999.norm1.weight"),
    "weight larger than its file": changed("unpacks to more than 8 GiB", claimed),
    "NaN": changed("NaN or infinity", lambda state: state["head.1.bias"].fill_(torch.nan), "head.1.bias"),
    "infinity": changed("NaN or infinity", lambda state: state["head.1.bias"].fill_(-torch.inf), "head.1.bias"),
    "no Keras file": of_bytes(KERAS, "no such weight file", lambda path: path.unlink()),
    "Keras cut": of_bytes(KERAS, "not a readable Keras weight file", archives.halved),
    "Keras of text": of_bytes(KERAS, "not a readable Keras weight file", archives.text),
    "Keras without layers": in_keras("not a readable Keras weight file", lambda f: f.attrs.__delitem__("layer_names")),
    "Keras layer that is not there": in_keras(
        "not a readable Keras weight file", lambda f: f.__delitem__("temporal_pe")
    ),
    "Keras link to another file": in_keras(
        "is a link", relinked(lambda g, n: g.__setitem__(n, h5py.ExternalLink("/etc/passwd", "x"))), "spatial_pe"
    ),
    "Keras array elsewhere": in_keras(
        "not an array in this file",
        relinked(lambda g, n: g.create_dataset(n, (17, 8), "f4", external=[("/etc/passwd", 0, 544)])),
        "spatial_pe",
    ),
    "Keras bomb": in_keras(
        "unpacks to more than 8 GiB", relinked(lambda g, n: g.create_dataset(n, (2**32, 8), "f4", compression="gzip"))
    ),
    "Keras of words": in_keras(
        "not a readable Keras weight file", relinked(lambda g, n: g.__setitem__(n, np.array([b"x"] * 17)))
    ),
}
