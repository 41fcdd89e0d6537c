"""Every metric on a body of four joints, wrong in one way at a time: small enough to check by eye."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from poselib import metrics
from poselib.figures.style import BLACK, BLUE
from poselib.protocols import MIXSTE_WEIGHTS

JOINTS = ("pelvis", "head", "left_wrist", "right_wrist")
TRUE = np.array([(0, 0, 0), (0, 0.4, 0), (-0.3, 0, 0), (0.3, 0, 0)])
"""Metres; the body stands still for five frames."""
STILL = np.repeat(TRUE[None], 5, axis=0)
TREMBLING = np.array([0, 1, 0, 1, 0])


def _wrist(a: float) -> np.ndarray:
    return STILL + [(0, 0, 0), (0, 0, 0), (0, 0, 0), (a, 0, 0)]


def _turned(a: float) -> np.ndarray:
    angle = np.deg2rad(900 * a)
    turn = np.array([(np.cos(angle), np.sin(angle), 0), (-np.sin(angle), np.cos(angle), 0), (0, 0, 1)])
    return STILL @ turn


# Name -> what is predicted for an amount in metres, and what one can say of it without computing.
MISTAKES: Mapping[str, tuple[Callable[[float], np.ndarray], str]] = {
    "one wrist off": (
        _wrist,
        "one joint of four is off by the amount: MPJPE is a quarter of it; a wrist weighs 4, so WMPJPE is all of it",
    ),
    "whole body moved": (
        lambda a: STILL + np.array([a, 0, 0]),
        "every joint is off by the amount; the best rigid alignment undoes it, the best scale does not",
    ),
    "too large": (
        lambda a: STILL * (1 + a / 0.4),
        "the head, 400 mm from the pelvis, is off by the amount; one scale undoes it: N-MPJPE and P-MPJPE are 0",
    ),
    "turned": (
        _turned,
        "by 0.9 degrees per mm of the amount; only P-MPJPE may turn it back, and is 0",
    ),
    "trembling": (
        lambda a: STILL + a * TREMBLING[:, None, None] * np.array([0, 1, 0]),
        "in two frames of five off by the amount: MPJPE is two fifths of it; from frame to frame it moves by all of it",
    ),
}


def values(predicted: np.ndarray, true: np.ndarray = STILL) -> dict[str, float]:
    """Every metric of predictions (F, 4, 3) in metres: mm, mm per frame, or percent."""
    weights = np.array([MIXSTE_WEIGHTS[joint] for joint in JOINTS])
    mm = {
        "MPJPE (mm)": metrics.mpjpe(predicted, true),
        "WMPJPE (mm)": metrics.weighted_mpjpe(predicted, true, weights),
        "P-MPJPE (mm)": metrics.p_mpjpe(predicted, true),
        "N-MPJPE (mm)": metrics.n_mpjpe(predicted, true),
        "MPJVE (mm per frame)": metrics.mpjve(predicted, true),
    }
    shares = {"PCK at 150 mm (%)": metrics.pck(predicted, true), "AUC to 150 mm (%)": metrics.auc(predicted, true)}
    return {name: metrics.MILLIMETRES * float(value) for name, value in mm.items()} | {
        name: float(value) for name, value in shares.items()
    }


def table(amount_mm: float) -> pd.DataFrame:
    """Every metric of every mistake of this size, a row per mistake."""
    made = {name: values(make(amount_mm / metrics.MILLIMETRES)) for name, (make, _) in MISTAKES.items()}
    return pd.DataFrame(made).T.rename_axis("mistake")


def draw(mistake: str, amount_mm: float) -> go.Figure:
    """The true body, black, and the predicted one, blue, with what every metric says; frame 2 of 5 is drawn."""
    make, by_eye = MISTAKES[mistake]
    predicted = make(amount_mm / metrics.MILLIMETRES)
    figure = make_subplots(1, 2, specs=[[{"type": "xy"}, {"type": "table"}]], column_widths=[0.58, 0.42])
    for label, pose, colour, size in (("true", TRUE, BLACK, 12), ("predicted", predicted[1], BLUE, 9)):
        x, y = np.concatenate([(TRUE[0] * np.nan, pose[joint], pose[0]) for joint in (1, 2, 3)])[:, :2].T * 1000
        look = {"line": {"color": colour, "width": 5 if colour == BLACK else 3}, "marker": {"size": size}}
        figure.add_scatter(x=x, y=y, mode="lines+markers", name=label, **look, row=1, col=1)
    for true, seen in zip(TRUE * 1000, predicted[1] * 1000, strict=True):
        dots = {"mode": "lines", "line": {"color": "#888888", "dash": "dot"}, "showlegend": False}
        figure.add_scatter(x=[true[0], seen[0]], y=[true[1], seen[1]], hoverinfo="skip", **dots, row=1, col=1)
    found = values(predicted)
    rows = [list(found), [f"{value:.1f}" for value in found.values()]]
    cells = {"values": rows, "height": 30, "align": ["left", "right"], "font": {"size": 14}}
    figure.add_table(header={"values": ["metric", "value"], "align": ["left", "right"]}, cells=cells, row=1, col=2)
    figure.update_layout(
        title=f"{mistake}, {amount_mm:g} mm<br><sup>{by_eye}</sup>",
        height=520,
        xaxis={"title": "x (mm)", "range": [-560, 560], "constrain": "domain"},
        yaxis={"title": "y (mm), upwards", "range": [-360, 640], "scaleanchor": "x", "constrain": "domain"},
        legend={"x": 0.02, "y": 0.98},
        margin={"l": 60, "r": 10, "t": 80, "b": 50},
    )
    return figure
