"""One look for all figures: colour-blind safe, legible in print, the same bytes on every run."""

import textwrap
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt  # noqa: F401 - notebooks draw with style.plt
import plotly.io
import seaborn as sns
from matplotlib.figure import Figure

from poselib.files import whole_file

# Okabe and Ito's palette.
BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, YELLOW, BLACK = "#56B4E9", "#CC79A7", "#F0E442", "#000000"
PALETTE = (BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE, BLACK, YELLOW)


def use() -> None:
    """Set the style for matplotlib and plotly in this process."""
    sns.set_theme(context="notebook", style="whitegrid", palette=list(PALETTE), font_scale=0.9)
    matplotlib.rcParams |= {
        "figure.dpi": 110,
        "savefig.dpi": 160,
        "figure.constrained_layout.use": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "grid.color": "#dddddd",
        "legend.frameon": False,
        # Without these, every SVG differs in its ids and its date.
        "svg.hashsalt": "poselib",
        "svg.fonttype": "none",
    }
    plotly.io.renderers.default = "plotly_mimetype"
    plotly.io.templates.default = "simple_white"


def save(figure: Figure, folder: Path, stem: str) -> None:
    """Write <folder>/<stem>.png and .svg."""
    for kind, metadata in (("png", {"Software": None}), ("svg", {"Date": None, "Creator": "poselib"})):
        with whole_file(folder / f"{stem}.{kind}") as partial:
            figure.savefig(partial, format=kind, bbox_inches="tight", metadata=metadata)


def source_note(figure: Figure, text: str) -> None:
    """Say below the figure where its numbers come from."""
    lines = textwrap.fill(text, int(14 * figure.get_figwidth()))
    figure.supxlabel(lines, fontsize=8, color="#555555", x=0.01, ha="left")
