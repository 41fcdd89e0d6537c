"""What it changes to settle a divergence otherwise: switched runs beside those that differ in nothing else."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from poselib import claims
from poselib.gaps import change
from poselib.records import Run, by_name
from poselib.tables import provenance

ERRORS = ("mpjpe_mm measured", "mpjpe_mm not switched", "mpjpe_mm of mean pose")
CHANGE = ("change_percent", "low_percent", "high_percent")


def switches(runs: Sequence[Run], allowed: float) -> pd.DataFrame:
    """A row per switched run; its key names `divergence`, `switch` and `against`, the run that it is compared with.

    Args:
        runs: the switched ones and those that they are compared with; MPJPE, mm, is what is read of them.
        allowed: share of the error below which a change is called none; a column says what became of that.

    Returns:
        Beside both errors that of the mean pose on the same test, and the change with its 95 % interval.
    """
    rows = []
    for run in (run for run in runs if "against" in run.key):
        other = by_name(runs)[run.key["against"]]
        row = {"divergence": run.key["divergence"], "switch": run.key["switch"]}
        row |= dict.fromkeys((*ERRORS, *CHANGE), np.nan)
        if run.record is not None and other.record is not None:
            errors = run.errors("mpjpe").mean(), other.errors("mpjpe").mean(), run.record["mean_pose"]["mpjpe"]
            found = change(run, other, "mpjpe")
            row |= dict(zip(ERRORS, np.round(errors, 2), strict=True))
            row |= dict(zip(CHANGE, np.round([100 * found.mean, 100 * found.low, 100 * found.high], 1), strict=True))
        row[f"below {100 * allowed:g} %"] = claims.close("", "", [(run, other)], allowed).verdict
        rows.append(row | {"against": other.name} | provenance(run))
    return pd.DataFrame(rows).convert_dtypes()
