"""Which readers fill which benchmark role: one call for every source."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from poselib.data.amass import read_amass
from poselib.data.camera_table import cameras
from poselib.data.cmu import cmu_motions, cmu_sequences
from poselib.data.detections import simulate_detections
from poselib.data.h36m import read_h36m
from poselib.data.humaneva import read_humaneva
from poselib.data.mpi_inf_3dhp import read_original, read_pooled
from poselib.data.sequences import Motion, Sequence
from poselib.errors import InputError


def _detect(pixels, seed):
    return simulate_detections(pixels, seed=seed)


def _filmed_cmu(path: Path) -> Iterator[Sequence]:
    return cmu_sequences(path, cameras=cameras(), detector=_detect)


# The synthetic source writes the very files of the real data set, so that one reader serves both.
SOURCES: Mapping[str, Mapping[str, Callable[[Path], Iterator[Sequence | Motion]]]] = {
    "h36m": {"synthetic": read_h36m, "human36m": read_h36m, "cmu": _filmed_cmu},
    "mpi_inf_3dhp": {"synthetic": read_pooled, "mpi_inf_3dhp": read_pooled, "mpi_inf_3dhp_original": read_original},
    "humaneva": {"synthetic": read_humaneva, "humaneva": read_humaneva},
    "amass": {"synthetic": read_amass, "amass": read_amass, "cmu": cmu_motions},
}


def load(role: str, *, source: str, path: str | Path) -> Iterator[Sequence | Motion]:
    """The sequences of a benchmark role, one video at a time.

    Args:
        role: 'h36m', 'mpi_inf_3dhp', 'humaneva' or 'amass'.
        source: 'synthetic' (generated stand-in), 'cmu' (open motion capture; h36m and amass only), 'human36m',
            'mpi_inf_3dhp' (pooled files), 'mpi_inf_3dhp_original' (the distributed folder), 'humaneva' or 'amass'.
        path: folder of the source's files.

    Returns:
        `Sequence` records: camera-frame 3D in metres with the root's position, 2D in pixels, camera, joints, fps.
        Role 'amass' gives `Motion` records: world-frame 3D in metres, z up.

    Raises:
        InputError: unknown role or source, and whatever is wrong with the files.
    """
    if role not in SOURCES:
        raise InputError(f"unknown role {role!r}; known: {', '.join(SOURCES)}")
    if source not in SOURCES[role]:
        raise InputError(f"role {role!r} has no source {source!r}; it has: {', '.join(SOURCES[role])}")
    return SOURCES[role][source](Path(path))
