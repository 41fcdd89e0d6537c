"""Error against speed, joint by joint (TMT, Fig. 2)."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from poselib.figures.style import BLUE, VERMILLION, source_note

# Where a point's label may stand, in points from it, and which of its corners stands there.
PLACES = [
    {"position": (x, y), "ha": "left" if x > 0 else "right", "va": "bottom" if y > 0 else "top"}
    for x, y in ((-6, 4), (6, -4), (6, 4), (-6, -4))
]


def bars(error_mm: Mapping[str, float], speed_mm: Mapping[str, float], note: str) -> Figure:
    """Error and mean speed of every joint side by side (Fig. 2a).

    Args:
        error_mm: joint -> MPJPE, mm; speed_mm: joint -> root-relative speed, mm per frame.
    """
    order = sorted(error_mm, key=speed_mm.get)
    figure, left = plt.subplots(figsize=(9, 3.8))
    place = np.arange(len(order))
    left.bar(place - 0.2, [error_mm[joint] for joint in order], 0.38, color=BLUE)
    left.set_ylabel("MPJPE (mm)", color=BLUE)
    right = left.twinx()
    right.bar(place + 0.2, [speed_mm[joint] for joint in order], 0.38, color=VERMILLION, hatch="//", edgecolor="white")
    right.set_ylabel("speed (mm per frame)", color=VERMILLION)
    right.grid(False)
    left.set_xticks(place, [joint.replace("_", " ") for joint in order], rotation=45, ha="right")
    left.set_title("Error and speed of every joint, slowest first")
    source_note(figure, note)
    return figure


def scatter(
    error_mm: Mapping[str, float], speed_mm: Mapping[str, float], r: tuple[float, float, float], note: str
) -> Figure:
    """Error against speed with the least-squares line and Pearson's r (Fig. 2b)."""
    joints = list(error_mm)
    speed, error = np.array([speed_mm[j] for j in joints]), np.array([error_mm[j] for j in joints])
    figure, axes = plt.subplots(figsize=(6, 4.4))
    axes.scatter(speed, error, color=BLUE, s=36, zorder=3)
    slope, offset = np.polyfit(speed, error, 1)
    ends = np.array([speed.min(), speed.max()])
    axes.plot(ends, offset + slope * ends, color=VERMILLION, linestyle="--")
    axes.set(xlabel="mean root-relative speed (mm per frame)", ylabel="MPJPE (mm)")
    axes.margins(0.12)
    axes.set_title(f"Pearson r = {r[0]:.2f}, 95 % interval [{r[1]:.2f}, {r[2]:.2f}]")
    source_note(figure, note)
    # What covers what is known only once the layout is.
    figure.draw_without_rendering()
    points, taken = axes.transData.transform(np.stack([speed, error], axis=1)), []
    for joint in _labelled(speed_mm):
        name, at = joint.removeprefix("left_").replace("_", " "), (speed_mm[joint], error_mm[joint])
        text = axes.annotate(name, at, (0, 0), textcoords="offset points", fontsize=8)
        text.set(**min(PLACES, key=lambda place, text=text: _covered(text, place, points, taken)))
        taken.append(text.get_window_extent())
    return figure


def _covered(text: Annotation, place: dict, points: np.ndarray, taken: list[Bbox]) -> int:
    """Points and other labels under a label that is put in this place."""
    text.set(**place)
    box = text.get_window_extent()
    # A point is no smaller than its dot.
    return box.padded(4).count_contains(points) + sum(box.overlaps(other) for other in taken)


def _labelled(speed_mm: Mapping[str, float]) -> list[str]:
    """One joint of each pair, slowest first, so that labels of near joints can stand on opposite sides."""
    return sorted((joint for joint in speed_mm if not joint.startswith("right_")), key=speed_mm.get)


def interactive(error_mm: Mapping[str, float], speed_mm: Mapping[str, float]) -> go.Figure:
    """The scatter to turn over: hover names the joint and its numbers."""
    joints = sorted(error_mm, key=speed_mm.get)
    labelled = _labelled(speed_mm)
    sides = {joint: ("top left", "bottom right")[i % 2] for i, joint in enumerate(labelled)}
    points = go.Scatter(
        x=[speed_mm[joint] for joint in joints],
        y=[error_mm[joint] for joint in joints],
        text=[joint.removeprefix("left_").replace("_", " ") if joint in labelled else "" for joint in joints],
        hovertext=[joint.replace("_", " ") for joint in joints],
        mode="markers+text",
        textposition=[sides.get(joint, "top left") for joint in joints],
        marker={"size": 10, "color": BLUE},
        hovertemplate="%{hovertext}<br>%{x:.1f} mm per frame<br>%{y:.1f} mm<extra></extra>",
    )
    layout = {"xaxis_title": "mean root-relative speed (mm per frame)", "yaxis_title": "MPJPE (mm)", "height": 480}
    layout |= {"title": "Error against speed, every joint", "margin": {"t": 60, "b": 60}}
    return go.Figure(points, layout)
