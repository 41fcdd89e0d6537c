"""Stage synthesise: the embedded stand-in for Human3.6M, written in the form of the real files."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from poselib.data.detections import simulate_detections
from poselib.data.h36m import write_h36m
from poselib.data.synthetic import synthetic_motions
from poselib.experiments import load_parameters

# The embedded data set is one and the same for all training seeds.
DATA_SEED = 0


def run(root: Path) -> None:
    """Write data/raw/synthetic/h36m with takes as long as the profile says."""
    seconds = load_parameters(root).chosen.synthetic_seconds
    motions = tqdm(synthetic_motions(seconds=seconds, seed=DATA_SEED), desc="synthetic takes", unit="take")
    write_h36m(motions, root / "data/raw/synthetic/h36m", _detect)


def _detect(pixels: np.ndarray, seed: int) -> np.ndarray:
    return simulate_detections(pixels, seed=seed)
