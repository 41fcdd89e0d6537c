"""Two models and the truth, moving side by side or over one another."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import plotly.graph_objects as go

from poselib.errors import InputError
from poselib.figures import live
from poselib.figures.player import Body, player, upright
from poselib.figures.predicted import Predicted, available, opened
from poselib.figures.style import BLUE, VERMILLION

APART = 1.1
"""Metres between bodies that stand side by side."""


def bodies(found: Mapping[str, Predicted], video: str, *, apart: float) -> list[Body]:
    """The truth, grey, and what each model made of a test video, the second dashed, with the error in every frame."""
    first = next(iter(found.values()))
    rows = first.rows(first.videos[video])
    made = [Body("truth", upright(first.truth[rows]), first.skeleton, faint=True)]
    for number, (label, model) in enumerate(found.items(), 1):
        errors = model.errors_mm[rows].mean(axis=1)
        moved = upright(model.poses[rows]) + np.float32([apart * number, 0, 0])
        captions = [f"{label}<br>{error:.0f} mm" for error in errors]
        made.append(Body(label, moved, model.skeleton, captions, dashed=number > 1))
    # Over one another, captions would be too.
    return made if apart else [replace(body, captions=[" "] * len(rows)) for body in made]


def draw(
    found: Mapping[str, Predicted], video: str, *, apart: float, start: int = 0, azimuth: float = -75
) -> go.Figure:
    """The bodies to play, and below them the error of every frame, with a line where one is."""
    first = next(iter(found.values()))
    rows, fps = first.rows(first.videos[video]), first.videos[video].fps
    start = min(start, len(rows) - 1)
    moving = player(bodies(found, video, apart=apart), fps, "", start=start, azimuth=azimuth)
    seconds = np.arange(len(rows)) / fps
    errors = {label: model.errors_mm[rows].mean(axis=1) for label, model in found.items()}
    top = float(max(values.max() for values in errors.values())) * 1.05
    number = len(moving.data)
    for frame, at in zip(moving.frames, seconds, strict=True):
        frame.data = [*frame.data, go.Scatter(x=[at, at], y=[0, top])]
        frame.traces = [*frame.traces, number]
    now = go.Scatter(x=[seconds[start]] * 2, y=[0, top], mode="lines", line={"color": "#888888", "dash": "dot"})
    now.update(showlegend=False, hoverinfo="skip")
    moving.add_trace(now)
    for (label, values), colour, dash in zip(errors.items(), (BLUE, VERMILLION), ("solid", "dash"), strict=False):
        hover = "%{x:.2f} s: %{y:.0f} mm"
        line = {"color": colour, "dash": dash, "width": 2.5}
        moving.add_scatter(x=seconds, y=values, name=label, mode="lines", line=line, hovertemplate=hover)
    means = "; ".join(f"{label} {values.mean():.1f} mm" for label, values in errors.items())
    moving.update_layout(
        title=f"{video}: MPJPE {means}",
        height=780,
        scene_domain={"x": [0, 1], "y": [0.34, 1]},
        scene_xaxis_showticklabels=False,
        xaxis={"domain": [0.06, 1], "title": "time (s)", "range": [0, float(seconds[-1])], "automargin": True},
        yaxis={"domain": [0.07, 0.28], "title": "MPJPE (mm)", "range": [0, top]},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 0.28, "yanchor": "bottom"},
    )
    return moving


def explore(root: Path, role: str, model: str, other: str, height: int = 780) -> None:
    """Choose two models and a test video; without predictions, say what to run."""
    try:
        names = available(root, role)
    except InputError as error:
        print(error)
        return
    kept = lru_cache(maxsize=4)(lambda name: opened(root, name))

    def shown(model: str, other: str, video: str, layout: str, frame: int, turn: int) -> go.Figure:
        found = {name: kept(name) for name in dict.fromkeys((model, other))}
        return draw(found, video, apart=APART if layout == "side by side" else 0, start=frame, azimuth=turn)

    videos = kept(names[0]).videos
    live.show(
        shown,
        height,
        model=live.choice("model", names, model),
        other=live.choice("other model", names, other),
        video=live.choice("test video", list(videos)),
        layout=live.switch("bodies", ["side by side", "over one another"]),
        frame=live.number("from frame", max(video.frames for video in videos.values()) - 1),
        turn=live.number("turn (degrees)", 180, least=-180, value=-75, step=15),
    )
