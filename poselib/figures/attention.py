"""Attention maps over joints and over frames (TMT, Fig. 4; MixSTE, Fig. 5, 10 and 11)."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from poselib.figures.style import source_note


def unit_range(attention: np.ndarray) -> np.ndarray:
    """One map (n, n) stretched to [0, 1], as the papers show them."""
    low, high = attention.min(), attention.max()
    return (attention - low) / (high - low) if high > low else np.zeros_like(attention)


def averaged(spatial: np.ndarray, temporal: np.ndarray, joints: Sequence[str], note: str) -> Figure:
    """Head-averaged maps side by side (MixSTE, Fig. 5).

    Args:
        spatial: (H, J, J), rows are queries; temporal: (H, T, T).
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.6))
    _draw(left, spatial.mean(axis=0), "joints, mean over heads", joints)
    image = _draw(right, temporal.mean(axis=0), "frames, mean over heads")
    figure.colorbar(image, ax=(left, right), shrink=0.8, label="attention, stretched to [0, 1]")
    source_note(figure, note)
    return figure


def heads(attention: np.ndarray, axis: str, note: str, joints: Sequence[str] | None = None) -> Figure:
    """One map per head in a row of panels, its range above it (MixSTE, Fig. 10 and 11; TMT, Fig. 4 shows two of them).

    Args:
        attention: (H, n, n), rows are queries.
        axis: 'joints' or 'frames'.
    """
    columns = min(4, len(attention))
    rows = -(-len(attention) // columns)
    size = 4 if joints else 2.8
    figure, panels = plt.subplots(rows, columns, figsize=(size * columns, size * rows), squeeze=False)
    for panel in panels.flat[len(attention) :]:
        panel.axis("off")
    for head, (panel, own) in enumerate(zip(panels.flat, attention, strict=False), 1):
        image = _draw(panel, own, f"{axis}, head {head}, {own.min():.3f}-{own.max():.3f}", joints)
    words = "attention, each panel from\nits smallest to its largest"
    bar = figure.colorbar(image, ax=panels, shrink=0.8, ticks=[0, 1], label=words)
    bar.ax.set_yticklabels(["smallest", "largest"])
    source_note(figure, note)
    return figure


def _draw(axes: Axes, attention: np.ndarray, title: str, labels: Sequence[str] | None = None):
    end = len(attention) + 0.5
    image = axes.imshow(
        unit_range(attention), cmap="viridis", vmin=0, vmax=1, interpolation="nearest", extent=(0.5, end, end, 0.5)
    )
    axes.set_title(title, fontsize=10)
    axes.set(xlabel="attended to", ylabel="query")
    axes.grid(False)
    if labels is None:
        for along in (axes.xaxis, axes.yaxis):
            along.set_major_locator(MaxNLocator(6, integer=True))
    else:
        named = [label.replace("_", " ") for label in labels]
        axes.set_xticks(range(1, len(named) + 1), named, rotation=90, fontsize=8)
        axes.set_yticks(range(1, len(named) + 1), named, fontsize=8)
    return image


def interactive(attention: np.ndarray, labels: Sequence[str], title: str) -> go.Figure:
    """All blocks and heads behind one slider.

    Args:
        attention: (L, H, n, n), rows are queries.
        labels: (n,) names of joints or frames.
    """
    depth, count = attention.shape[:2]
    named = [label.replace("_", " ") for label in labels]
    maps = [(block, head) for block in range(depth) for head in range(count)]
    look = {"x": named, "y": named, "colorscale": "Viridis", "zmin": 0, "zmax": 1}
    look |= {"colorbar": {"title": {"text": "stretched to [0, 1]", "side": "right"}}}
    look |= {"hovertemplate": "query %{y}<br>attends to %{x}<br>%{z:.2f}<extra></extra>"}
    traces, steps = [], []
    for i, (block, head) in enumerate(maps):
        stretched = np.round(unit_range(attention[block, head]), 3).tolist()
        traces.append(go.Heatmap(z=stretched, visible=i == 0, **look))
        only = {"method": "update", "args": [{"visible": [j == i for j in range(len(maps))]}]}
        steps.append(only | {"label": f"block {block + 1}, head {head + 1}"})
    # The slider stands clear of the names under the map, which are as long as 'right shoulder'.
    slider = {"steps": steps, "pad": {"t": 130}, "currentvalue": {"prefix": "shown: "}}
    layout = {"title": title, "height": 740, "width": 680, "margin": {"t": 60, "b": 20}, "sliders": [slider]}
    figure = go.Figure(traces, layout)
    figure.update_xaxes(title="attended to", tickangle=-90, constrain="domain")
    figure.update_yaxes(title="query", autorange="reversed", scaleanchor="x", constrain="domain")
    return figure
