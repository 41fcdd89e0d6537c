"""Reported beside measured, row by row, and errors per action."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from poselib.figures.style import BLACK, BLUE, PALETTE, VERMILLION, source_note
from poselib.switches import CHANGE


def dots(table: pd.DataFrame, labels: Sequence[str], column: str, unit: str, note: str) -> Figure:
    """Two panels on one row axis: the paper's value and ours, which need not share a scale.

    The baseline stands there as a number, for its dot would press all others together.

    Args:
        table: made by `tables.side_by_side`; column: its metric; labels: one per row.
    """
    place, baseline = np.arange(len(table)), (table["status"] == "baseline").to_numpy(bool)
    figure, panels = plt.subplots(1, 2, figsize=(9, 0.8 + 0.26 * len(table)), sharey=True)
    for axes, kind, colour in zip(panels, ("reported", "measured"), (VERMILLION, BLUE), strict=True):
        values = table[f"{column} {kind}"].to_numpy(float, na_value=np.nan)
        spread = table[f"{column} spread"].astype(float).fillna(0) if kind == "measured" else None
        axes.errorbar(np.where(baseline, np.nan, values), place, xerr=spread, fmt="o", color=colour, capsize=3)
        axes.set(title=kind, xlabel=f"{column.removesuffix('_mm').upper().replace('_', '-')} ({unit})")
        axes.margins(x=0.15)
        for row in np.flatnonzero(baseline & ~np.isnan(values)):
            look = {"ha": "right", "va": "center", "fontsize": 9}
            text = axes.text(1, row, f"mean pose: {values[row]:.1f} {unit}", look, transform=axes.get_yaxis_transform())
            text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
    panels[0].set_yticks(place, labels)
    panels[0].set_ylim(len(table) - 0.5, -0.5)
    source_note(figure, note)
    return figure


def changes(table: pd.DataFrame, allowed: float, note: str) -> Figure:
    """What each switch changes of the error, with its interval, beside the band in which that is called nothing.

    Args:
        table: as `switches.switches` makes it; allowed: half the width of that band, a share of the error.
    """
    place, (change, low, high) = np.arange(len(table)), table[list(CHANGE)].to_numpy(float, na_value=np.nan).T
    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.3 * len(table)))
    axes.axvspan(-100 * allowed, 100 * allowed, color="#e8e8e8", zorder=0)
    axes.axvline(0, color=BLACK, linewidth=0.8)
    axes.errorbar(change, place, xerr=[change - low, high - change], fmt="o", color=BLUE, capsize=3)
    axes.set_yticks(place, [f"{row.divergence}: {row.switch}" for row in table.itertuples()])
    axes.set(xlabel=f"change of MPJPE (%); grey: below {100 * allowed:g} %", ylim=(len(table) - 0.5, -0.5))
    source_note(figure, note)
    return figure


def actions(errors: pd.DataFrame, note: str, metric: str = "MPJPE") -> Figure:
    """Error of every action, one marker per run.

    Args:
        errors: column 'action', then one column of mm per run, as `tables.own_actions` makes it; metric: its name.
    """
    runs = [column for column in errors.columns if column != "action"]
    figure, axes = plt.subplots(figsize=(9, 3.8))
    for i, run in enumerate(runs):
        axes.plot(errors["action"], errors[run], marker="osD^v"[i % 5], color=PALETTE[i], linestyle=":", label=run)
    _finish(axes, "Measured error by action", 45, metric)
    source_note(figure, note)
    return figure


def joints(errors: Mapping[str, Mapping[str, float]], note: str) -> Figure:
    """Error of every joint for several runs (MixSTE, Fig. 4).

    Args:
        errors: label -> joint -> MPJPE in mm.
    """
    figure, axes = plt.subplots(figsize=(9, 3.8))
    for i, (label, values) in enumerate(errors.items()):
        names = [joint.replace("_", " ") for joint in values]
        spread = np.var(list(values.values())) / 10
        axes.plot(names, list(values.values()), marker="osD^v"[i % 5], color=PALETTE[i], linestyle=":")
        axes.lines[-1].set_label(f"{label} (variance / 10 = {spread:.1f})")
    _finish(axes, "Measured error by joint", 60)
    source_note(figure, note)
    return figure


def _finish(axes: Axes, title: str, rotation: float, metric: str = "MPJPE") -> None:
    axes.set_title(title, loc="left")
    axes.set_ylabel(f"{metric} (mm)")
    plt.setp(axes.get_xticklabels(), rotation=rotation, ha="right", rotation_mode="anchor")
    # Above the axes, where it covers no point.
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
