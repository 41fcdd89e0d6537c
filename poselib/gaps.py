"""Differences of runs' errors with their intervals.

With two or more seeds the interval is Welch's over seeds; with one it is the paired one over test recordings, actions
weighing the same, which does not see training noise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from poselib.errors import InputError
from poselib.protocols import group_of
from poselib.records import Run


@dataclass(frozen=True)
class Gap:
    """Difference of two runs' errors with its 95 % interval, in the metric's unit or as a share."""

    mean: float
    low: float
    high: float
    basis: str


def contrast(terms: Sequence[tuple[Run, float]], metric: str) -> Gap:
    """Sum of the runs' errors, each times its weight; what one training gives several times is summed seed by seed.

    PCK and AUC, of which more is better, are taken as what is missing to 100 %.

    Raises:
        InputError: runs of one training each that were not tested on the same recordings.
    """
    errors = {}
    for run, weight in terms:
        errors[run.name] = errors.get(run.name, 0) + weight * lacking(run.errors(metric), metric)
    mean, seeds = float(sum(values.mean() for values in errors.values())), min(map(len, errors.values()))
    if seeds > 1:
        # Welch's interval, for any number of trainings.
        parts = np.array([values.var(ddof=1) / len(values) for values in errors.values()])
        freedom = np.array([len(values) - 1 for values in errors.values()])
        degrees = parts.sum() ** 2 / (parts**2 / freedom).sum() if parts.any() else 1
        half = float(stdtrit(degrees, 0.975) * np.sqrt(parts.sum()))
        return Gap(mean, mean - half, mean + half, f"{seeds} seeds")
    tables = [run.summaries[0]["per_recording"][metric] for run, _ in terms]
    if any(set(table) != set(tables[0]) for table in tables):
        names = " and ".join(dict.fromkeys(run.name for run, _ in terms))
        raise InputError(f"{names} were not tested on the same recordings; compare others")
    each = lacking(np.array([[table[recording] for recording in tables[0]] for table in tables]), metric)
    summed = np.array([weight for _, weight in terms]) @ each
    _, half = paired(dict(zip(tables[0], summed, strict=True)), terms[0][0].record["role"])
    return Gap(mean, mean - half, mean + half, f"one seed, {len(summed)} test recordings")


def gap(first: Run, second: Run, metric: str, factor: float = 1.0) -> Gap:
    """Error of `first` minus `factor` times the error of `second`; negative where `first` is better."""
    return contrast([(first, 1.0), (second, -factor)], metric)


def change(first: Run, second: Run, metric: str) -> Gap:
    """`gap` as a share of the second's error, whose own noise the interval leaves out."""
    found, level = gap(first, second, metric), lacking(second.errors(metric), metric).mean()
    return Gap(found.mean / level, found.low / level, found.high / level, found.basis)


def lacking(values, metric: str):
    """Errors as they are; of PCK and AUC, of which more is better, what is missing to 100 %."""
    return 100 - values if metric in ("pck", "auc") else values


def paired(differences: Mapping[str, float], role: str = "h36m") -> tuple[float, float]:
    """Mean of differences by recording in which every action weighs the same, half the width of its interval."""
    actions = [group_of(role, *recording.split(" ", 1)) for recording in differences]
    weights = np.array([1 / actions.count(action) for action in actions]) / len(set(actions))
    values = np.array(list(differences.values()))
    mean = float(weights @ values)
    error = np.sqrt(np.sum(weights**2 * (values - mean) ** 2) * len(weights) / (len(weights) - 1))
    return mean, float(stdtrit(len(weights) - 1, 0.975) * error)
