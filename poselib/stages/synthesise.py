"""Stage synthesise: the embedded stand-in of a benchmark role, written in the form of the real files."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from poselib.data.detections import SPREAD, DetectorNoise, simulate_detections
from poselib.data.h36m import write_h36m
from poselib.data.humaneva import SIZE, write_humaneva
from poselib.data.mpi_inf_3dhp import write_pooled
from poselib.data.standins import humaneva_motions, mpi_inf_3dhp_sequences
from poselib.data.synthetic import synthetic_motions
from poselib.errors import InputError
from poselib.experiments import load_parameters
from poselib.skeleton import COCO_17

# The embedded data set is one and the same for all training seeds.
DATA_SEED = 0
MAKERS = {"h36m": synthetic_motions, "mpi_inf_3dhp": mpi_inf_3dhp_sequences, "humaneva": humaneva_motions}


def run(root: Path, role: str = "h36m") -> None:
    """Write data/raw/synthetic/<role> with takes as long as the profile says.

    Raises:
        InputError: a role without a stand-in.
    """
    if role not in MAKERS:
        raise InputError(f"role {role!r} has no stand-in; those with one: {', '.join(MAKERS)}")
    seconds, folder = load_parameters(root).chosen.synthetic_seconds, root / "data/raw/synthetic" / role
    takes = tqdm(MAKERS[role](seconds=seconds, seed=DATA_SEED), desc=f"synthetic {role}", unit="take")
    if role == "mpi_inf_3dhp":
        write_pooled(takes, folder)
    elif role == "humaneva":
        write_humaneva(takes, folder, _detect_coco)
    else:
        write_h36m(takes, folder, _detect)


def _detect(pixels: np.ndarray, seed: int) -> np.ndarray:
    return simulate_detections(pixels, seed=seed)


def _detect_coco(pixels: np.ndarray, seed: int) -> np.ndarray:
    noise = DetectorNoise(spread={**SPREAD, "eye": SPREAD["nose"], "ear": SPREAD["nose"]})
    return simulate_detections(pixels, seed=seed, noise=noise, skeleton=COCO_17, width=SIZE[0])
