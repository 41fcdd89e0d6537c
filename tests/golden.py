"""The deterministic fillings that the reference implementations were run with."""

from importlib import import_module

import numpy as np
import torch

from poselib.interop import to_official
from poselib.models import build


def filled(state):
    """Tensors whose values follow from the sorted position of their name and of the element."""
    names = sorted(name for name in state if not name.endswith("num_batches_tracked"))
    return {name: _values(k, name, state[name].shape) for k, name in enumerate(names)}


def _values(k, name, shape):
    size = int(np.prod(shape))
    n = np.arange(size, dtype=np.int64)
    v = ((37 * n * n + 101 * n + 59 * (k + 1)) % 1009) / 504 - 1
    if "pos_emb" in name:
        values = 0.5 * v
    elif len(shape) >= 2:
        values = 1.5 / np.sqrt(size / shape[0]) * v
    elif name.endswith((".weight", ".a_2", ".running_var")):
        values = 1 + 0.1 * v
    else:
        values = 0.1 * v
    return torch.tensor(values).reshape(tuple(shape))


def filled_model(name, **config):
    """The model of this name in float64 and evaluation mode, filled under its authors' parameter names."""
    model = build(name, **config).double().eval()
    theirs = to_official(model)
    official = import_module(f"poselib.interop.{name}").FORMAT
    model.load_state_dict(official.to_ours({**theirs, **filled(theirs)}, model.state_dict()))
    return model


def numbers(output, *places):
    """Mean, population standard deviation and single values, as the sheets print them."""
    return [output.mean().item(), output.std(unbiased=False).item(), *(output[place].item() for place in places)]


def clip(batch, frames, channels, joints=17):
    """Network input of the golden runs, (B, T, J, C) float64."""
    b, t, j, c = np.ogrid[:batch, :frames, :joints, :channels]
    return torch.tensor(0.5 * np.sin(0.13 * t + 0.7 * j + 1.9 * c + 0.5 * b))


def truth(batch, frames):
    """Target of the golden loss runs, (B, T, 17, 3) float64, root at the origin."""
    b, t, j, c = np.ogrid[:batch, :frames, :17, :3]
    target = torch.tensor(0.3 * np.cos(0.35 * t + 0.8 * j + 1.1 * c + 0.2 * b))
    target[:, :, 0] = 0
    return target


def prediction(batch, frames):
    """Prediction of the golden loss runs, (B, T, 17, 3) float64."""
    b, t, j, c = np.ogrid[:batch, :frames, :17, :3]
    return torch.tensor(0.3 * np.sin(0.4 * t + 0.9 * j + 1.7 * c + 0.3 * b))


def metric_poses():
    """Prediction and target of the golden metric runs, (5, 17, 3) each."""

    def h(k):
        n = np.arange(5 * 17 * 3).reshape(5, 17, 3)
        return ((37 * n**2 + 101 * n + 59 * (k + 1)) % 1009) / 504 - 1

    target = 0.5 * h(0)
    predicted = target + 0.15 * h(1)
    return predicted - predicted[:, :1], target - target[:, :1]
