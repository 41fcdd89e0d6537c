"""Stage synthesise: the embedded stand-ins for benchmark data, written in the form of the real files."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from tqdm import tqdm

from poselib.data.amass import write_amass
from poselib.data.detections import simulate_detections
from poselib.data.h36m import write_h36m
from poselib.data.sequences import Motion
from poselib.data.synthetic import synthetic_motions
from poselib.errors import InputError
from poselib.experiments import load_parameters


def run(root: Path, role: str = "h36m") -> None:
    """Write data/raw/synthetic/<role> with takes as long as the profile says.

    Raises:
        InputError: a role without stand-in.
    """
    if role not in STAND_INS:
        raise InputError(f"no stand-in for role {role!r}; there is one for: {', '.join(STAND_INS)}")
    seed, write = STAND_INS[role]
    motions = synthetic_motions(seconds=load_parameters(root).chosen.synthetic_seconds, seed=seed)
    write(tqdm(motions, desc="synthetic takes", unit="take"), root / "data/raw/synthetic" / role)


def _write_h36m(motions: Iterable[Motion], folder: Path) -> None:
    write_h36m(motions, folder, _detect)


def _detect(pixels: np.ndarray, seed: int) -> np.ndarray:
    return simulate_detections(pixels, seed=seed)


# A stand-in is one and the same for all training seeds; motion to pre-train on is of other people.
STAND_INS: Mapping[str, tuple[int, Callable[[Iterable[Motion], Path], None]]] = {
    "h36m": (0, _write_h36m),
    "amass": (1, write_amass),
}
