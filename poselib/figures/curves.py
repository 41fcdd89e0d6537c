"""What happens over a training, and how errors are spread over poses."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from poselib.figures.style import PALETTE, source_note


def training(logs: Mapping[str, pd.DataFrame], note: str, error: str = "test_mpjpe_mm") -> Figure:
    """Training loss and error after every epoch, one line per run, the range of its seeds shaded.

    Args:
        logs: label -> log as `records.log_of` gives it; error: its column for the second panel.
    """
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.6))
    for axes, column in zip(panels, ("loss", error), strict=True):
        for colour, (label, log) in zip(PALETTE, logs.items(), strict=False):
            by_epoch = log.groupby("updates")[column].agg(["mean", "min", "max"])
            axes.plot(by_epoch.index, by_epoch["mean"], color=colour, marker=".", label=label)
            axes.fill_between(by_epoch.index, by_epoch["min"], by_epoch["max"], color=colour, alpha=0.2, linewidth=0)
        axes.set_xlabel("updates")
    panels[0].set(ylabel="training loss", yscale="log")
    panels[1].set_ylabel(f"{error.split('_')[0]} MPJPE (mm)")
    panels[1].legend(fontsize=8)
    source_note(figure, note)
    return figure


def distribution(errors: Mapping[str, np.ndarray], note: str, width: float = 10.0, above: float = 40.0) -> Figure:
    """Share of the poses by their error, one line per run (MixSTE, Fig. 3); the legend has the share above a bound.

    Args:
        errors: label -> error of every pose (N,), mm; width: of a bin; above: the bound, mm.
    """
    figure, axes = plt.subplots(figsize=(7, 3.6))
    edges = np.arange(0, max(values.max() for values in errors.values()) + width, width)
    for colour, (label, values) in zip(PALETTE, errors.items(), strict=False):
        shares = np.histogram(values, edges)[0] / len(values)
        text = f"{label}: {np.mean(values > above):.0%} above {above:.0f} mm"
        axes.step(edges[:-1], 100 * shares, where="post", color=colour, label=text)
    axes.set(xlabel="MPJPE of a pose (mm)", ylabel=f"poses (%) per {width:.0f} mm")
    axes.legend(fontsize=8)
    source_note(figure, note)
    return figure
