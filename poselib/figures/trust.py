"""How a lifter's error grows with what is wrong with its input."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from poselib.figures.style import BLACK, BLUE, GREEN, ORANGE, source_note

# Curve of lifter/curves.csv -> column on the x axis, and what it is.
PANELS = {
    "noise": ("noise_px", "mean 2D error (px, image 1000 px wide)"),
    "missing": ("value", "share of joints not seen"),
    "fps": ("value", "frames per second"),
    "height": ("value", "camera's height (m)"),
    "distance": ("value", "camera's distance (m)"),
}
# Where the two nearly agree, both are seen: the first is wider, the second dashed.
ERRORS = {
    "mpjpe_mm": ("MPJPE", BLUE, {"linewidth": 4}),
    "n_mpjpe_mm": ("N-MPJPE", ORANGE, {"linestyle": "--"}),
    "p_mpjpe_mm": ("P-MPJPE", GREEN, {}),
}


def curves(table: pd.DataFrame, note: str) -> Figure:
    """A panel for each curve of lifter/curves.csv, and one for the root's path by distance.

    Hollow marks lie beyond what training showed; the dotted line is the same pose whatever is seen.

    Args:
        table: as the stage `lifter measure` writes it.
    """
    figure, panels = plt.subplots(2, 3, figsize=(11, 6))
    for axes, (curve, (column, label)) in zip(panels.flat, PANELS.items(), strict=False):
        own = table[table["curve"] == curve]
        for error, (name, colour, look) in ERRORS.items():
            _line(axes, own, column, error, name, colour, **look)
        axes.axhline(own["mean_pose_mm"].mean(), color=BLACK, linestyle=":", label="mean pose (no input)")
        axes.set(xlabel=label, ylabel="error (mm)", ylim=(0, None))
    far = table[table["curve"] == "distance"]
    _line(panels.flat[-1], far, "value", "root_path_percent", "path of the root, focal length told", BLUE)
    panels.flat[-1].set(xlabel=PANELS["distance"][1], ylabel="error (% of the distance)", ylim=(0, None))
    for axes in (panels.flat[0], panels.flat[-1]):
        axes.legend(fontsize=8)
    source_note(figure, note)
    return figure


def _line(axes: plt.Axes, own: pd.DataFrame, column: str, error: str, label: str, colour: str, **look) -> None:
    x, y = own[column].astype(float).to_numpy(), own[error].to_numpy()
    beyond = own["beyond_training"].to_numpy(bool)
    axes.plot(x, y, color=colour, label=label, **look)
    axes.plot(x, np.where(beyond, np.nan, y), "o", color=colour, markersize=4)
    axes.plot(x, np.where(beyond, y, np.nan), "o", color=colour, markersize=4, markerfacecolor="none")
