"""Small untrained networks, and a clip of somebody who moves."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from test_every_model import SMALL

from poselib.data.camera_table import cameras
from poselib.data.cmu import cmu_motions
from poselib.data.filming import film
from poselib.data.synthetic import synthetic_motions
from poselib.lifting import Description, Trained
from poselib.models import build
from poselib.skeleton import H36M_17

FPS = 25.0


@pytest.fixture
def network():
    """A function that makes an untrained network of a model, with what its description should say."""

    def make(name="mixste", **about):
        torch.manual_seed(0)
        said = {"joints": H36M_17.names, "fps": FPS, "trained_on": "nothing", "limits": "untrained"}
        return Trained(f"small {name}", build(name, **SMALL[name]).eval(), Description(**(said | about)))

    return make


@dataclass(frozen=True)
class Clip:
    """Exact 2D of Human3.6M's joints (F, 17, 2) in pixels, with means where other sets only have means; true 3D."""

    pixels: np.ndarray
    poses_3d: np.ndarray
    size: tuple[int, int]
    focal: tuple[float, float]


@pytest.fixture(scope="session")
def clip(request):
    """40 frames at 25 fps: motion capture where there is some, else synthetic."""
    try:
        motions = cmu_motions(request.getfixturevalue("mocap_folder"), fps=FPS)
    except pytest.skip.Exception:
        motions = synthetic_motions(seconds=4.0, seed=0)
    motion = next(motion for motion in motions if len(motion.positions) >= 100)
    camera = cameras()["S1"][0]
    sequence = film(motion, camera)
    pixels, at = sequence.poses_2d["gt"][:40].astype(float), H36M_17.index
    pixels = pixels.round(3)
    sides = {part: [at[f"left_{part}"], at[f"right_{part}"]] for part in ("hip", "shoulder")}
    pixels[:, at["pelvis"]] = pixels[:, sides["hip"]].mean(axis=1)
    pixels[:, at["thorax"]] = pixels[:, sides["shoulder"]].mean(axis=1)
    pixels[:, at["spine"]] = (pixels[:, at["pelvis"]] + pixels[:, at["thorax"]]) / 2
    return Clip(pixels, sequence.poses_3d[:40], camera.size, camera.focal)
