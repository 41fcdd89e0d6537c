"""Stage synthesise: the embedded stand-in of a benchmark role, written in the form of the real files."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from tqdm import tqdm

from poselib.data.amass import write_amass
from poselib.data.detections import SPREAD, DetectorNoise, simulate_detections
from poselib.data.h36m import write_h36m
from poselib.data.humaneva import SIZE, write_humaneva
from poselib.data.mpi_inf_3dhp import write_pooled
from poselib.data.sequences import Motion, Sequence
from poselib.data.standins import humaneva_motions, mpi_inf_3dhp_sequences
from poselib.data.synthetic import synthetic_motions
from poselib.errors import InputError
from poselib.experiments import load_parameters
from poselib.skeleton import COCO_17


def run(root: Path, role: str = "h36m") -> None:
    """Write data/raw/synthetic/<role> with takes as long as the profile says.

    Raises:
        InputError: a role without a stand-in.
    """
    if role not in STAND_INS:
        raise InputError(f"role {role!r} has no stand-in; choose from {', '.join(STAND_INS)}")
    seed, make, write = STAND_INS[role]
    takes = make(seconds=load_parameters(root).chosen.synthetic_seconds, seed=seed)
    write(tqdm(takes, desc=f"synthetic {role}", unit="take"), root / "data/raw/synthetic" / role)


def _write_h36m(motions: Iterable[Motion], folder: Path) -> None:
    write_h36m(motions, folder, _detect)


def _write_humaneva(motions: Iterable[Motion], folder: Path) -> None:
    write_humaneva(motions, folder, _detect_coco)


def _detect(pixels: np.ndarray, seed: int) -> np.ndarray:
    return simulate_detections(pixels, seed=seed)


def _detect_coco(pixels: np.ndarray, seed: int) -> np.ndarray:
    noise = DetectorNoise(spread={**SPREAD, "eye": SPREAD["nose"], "ear": SPREAD["nose"]})
    return simulate_detections(pixels, seed=seed, noise=noise, skeleton=COCO_17, width=SIZE[0])


# A stand-in is one and the same for all training seeds; motion to pre-train on is of other people.
STAND_INS: Mapping[str, tuple[int, Callable[..., Iterable[Motion | Sequence]], Callable]] = {
    "h36m": (0, synthetic_motions, _write_h36m),
    "mpi_inf_3dhp": (0, mpi_inf_3dhp_sequences, write_pooled),
    "humaneva": (0, humaneva_motions, _write_humaneva),
    "amass": (1, synthetic_motions, write_amass),
}
