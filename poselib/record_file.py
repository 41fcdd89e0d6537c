"""Records of evaluations, <results>/metrics/<experiment>.json, read back."""

import json
from collections.abc import Mapping
from pathlib import Path

from poselib.errors import InputError

SOURCES = {
    "synthetic": "synthetic (stand-in)",
    "cmu": "motion capture, virtual cameras",
    "human36m": "Human3.6M",
    "mpi_inf_3dhp": "MPI-INF-3DHP",
    "mpi_inf_3dhp_original": "MPI-INF-3DHP",
    "humaneva": "HumanEva-I",
    "amass": "AMASS",
}

# What every record holds; see poselib/stages/evaluate.py.
RECORD = dict.fromkeys(("experiment", "profile", "source", "data"), str) | {"credits": list, "seeds": list}
RECORD |= dict.fromkeys(("setting", "mean_pose"), dict)


def read_record(path: Path) -> Mapping | None:
    """The record in a file that an evaluation wrote, None if there is no such file.

    Raises:
        InputError: damaged, NaN or infinity, or without what every record holds.
    """
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(), parse_constant=_refuse)
        if missing := [key for key in RECORD if not isinstance(record[key], RECORD[key]) or not record[key]]:
            raise ValueError(f"{missing[0]!r} is not as it should be")
        if record["source"] not in SOURCES:
            raise ValueError(f"unknown source {record['source']!r}")
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a readable record ({error}); run 'dvc repro' again") from error
    return record


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}")
