"""Error against speed by joint, action or frame; one point chosen, and the pose behind it."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from poselib.errors import InputError
from poselib.figures import live
from poselib.figures.player import Body, lines, scene, upright
from poselib.figures.predicted import Predicted, available, opened
from poselib.figures.style import BLUE, VERMILLION
from poselib.protocols import base_action

MOST_POINTS = 3000
EVERYTHING = "all frames"


def points(found: Predicted, by: str) -> pd.DataFrame:
    """Mean speed and error, a row per joint, per action or per frame (thinned to `MOST_POINTS`).

    Returns:
        Columns 'name', 'speed' (mm per frame, root-relative, of the truth), 'error' (mm).
    """
    speeds, errors = found.speeds_mm, found.errors_mm
    if by == "joint":
        columns = {
            "name": list(found.skeleton.names),
            "speed": np.nanmean(speeds, axis=0),
            "error": errors.mean(axis=0),
        }
        return pd.DataFrame(columns)
    table = pd.DataFrame({"name": actions(found), "speed": speeds.mean(axis=1), "error": errors.mean(axis=1)})
    if by == "action":
        return table.groupby("name", sort=True).mean().reset_index()
    return table.dropna().iloc[:: -(-len(table) // MOST_POINTS)]


def actions(found: Predicted) -> np.ndarray:
    """The action of every predicted frame, (N,)."""
    starts = np.array([video.start for video in found.videos.values()])
    names = np.array([base_action(video.action) for video in found.videos.values()])
    return names[np.searchsorted(starts, found.frames, side="right") - 1]


def worst(found: Predicted, by: str, name: str, rank: int) -> int:
    """The row of the frame with the `rank`-th largest error of this joint, in this action, or of all; one per video."""
    errors = found.errors_mm.mean(axis=1) if by != "joint" else found.errors_mm[:, found.skeleton.index[name]]
    chosen = actions(found) == name if by == "action" else np.ones(len(errors), bool)
    of_video = np.searchsorted([video.start for video in found.videos.values()], found.frames, side="right")
    order = np.argsort(-np.where(chosen & np.isfinite(found.speeds_mm[:, 0]), errors, -1), kind="stable")
    _, first = np.unique(of_video[order], return_index=True)
    ranked = order[np.sort(first)]
    return int(ranked[min(rank, len(np.unique(of_video[chosen]))) - 1])


def draw(found: Predicted, *, model: str, by: str, name: str, rank: int, azimuth: float = -75) -> go.Figure:
    """The cloud of points with its line, the chosen one ringed, and to its right a pose behind it, truth in grey."""
    table, row = points(found, by), worst(found, by, name, rank)
    speed, error = table["speed"].to_numpy(), table["error"].to_numpy()
    figure = make_subplots(1, 2, specs=[[{"type": "xy"}, {"type": "scene"}]], column_widths=[0.55, 0.45])
    frames = by == "frame"
    hover = "%{text}<br>%{x:.1f} mm per frame<br>%{y:.0f} mm<extra></extra>"
    marker = {"size": 5 if frames else 10, "color": BLUE, "opacity": 0.35 if frames else 1}
    names = [text.replace("_", " ") for text in table["name"]]
    figure.add_scatter(
        x=speed, y=error, text=names, mode="markers", marker=marker, hovertemplate=hover, showlegend=False, row=1, col=1
    )
    slope, offset = np.polyfit(speed, error, 1)
    ends = np.array([speed.min(), speed.max()])
    dashed = {"color": "#555555", "dash": "dash"}
    figure.add_scatter(x=ends, y=offset + slope * ends, mode="lines", line=dashed, showlegend=False, row=1, col=1)
    at = _chosen(found, table, by, name, row)
    ring = {"size": 18, "color": "rgba(0,0,0,0)", "line": {"color": VERMILLION, "width": 3}}
    label = "this frame" if frames else name.replace("_", " ")
    above = {"text": [label], "textposition": "top center", "textfont": {"color": VERMILLION}}
    figure.add_scatter(x=[at[0]], y=[at[1]], mode="markers+text", marker=ring, showlegend=False, **above, row=1, col=1)
    for body in (
        Body("truth", upright(found.truth[[row]]), found.skeleton, faint=True),
        Body(model, upright(found.poses[[row]]), found.skeleton),
    ):
        figure.add_trace(lines(body), row=1, col=2)
    if by == "joint":
        place = upright(np.stack([found.truth[row], found.poses[row]])[:, found.skeleton.index[name]])
        x, y, z = place.T
        missed = {"line": {"color": "#000000", "width": 5}, "marker": {"size": 4, "color": "#000000"}}
        figure.add_scatter3d(x=x, y=y, z=z, mode="lines+markers", name=name, showlegend=False, **missed, row=1, col=2)
    seen = found.video_at(row)
    frame = int(found.frames[row] - found.videos[seen].start)
    r = np.corrcoef(speed, error)[0, 1]
    figure.update_layout(
        title=f"{model}: error against speed by {by}, Pearson r = {r:.2f}<br>"
        f"<sup>right: {seen}, frame {frame}, {found.errors_mm[row].mean():.0f} mm; truth grey</sup>",
        height=600,
        margin={"l": 60, "r": 10, "t": 90, "b": 60},
        scene=scene(upright(np.stack([found.truth[row], found.poses[row]])), azimuth=azimuth),
        xaxis_title="root-relative speed of the truth (mm per frame)",
        yaxis_title="MPJPE (mm)",
    )
    return figure


def _chosen(found: Predicted, table: pd.DataFrame, by: str, name: str, row: int) -> tuple[float, float]:
    if by == "frame":
        return float(found.speeds_mm[row].mean()), float(found.errors_mm[row].mean())
    point = table.set_index("name").loc[name]
    return float(point["speed"]), float(point["error"])


def explore(root: Path, role: str, model: str, height: int = 600) -> None:
    """Choose a model, what a point stands for, and the point; without predictions, say what to run."""
    try:
        names = available(root, role)
    except InputError as error:
        print(error)
        return
    kept = lru_cache(maxsize=2)(lambda name: opened(root, name))

    def shown(model: str, by: str, point: str, rank: int, turn: int) -> go.Figure:
        found = kept(model)
        name = point if point in offered(by) else offered(by)[0]
        return draw(found, model=model, by=by, name=name, rank=rank, azimuth=turn)

    def offered(by: str) -> list[str]:
        found = kept(names[0])
        return {"joint": list(found.skeleton.names), "action": sorted(set(actions(found)))}.get(by, [EVERYTHING])

    by, point = live.switch("a point is a", ["joint", "action", "frame"]), live.choice("point", offered("joint"))
    by.observe(lambda change: setattr(point, "options", offered(change.new)), "value")
    live.show(
        shown,
        height,
        model=live.choice("model", names, model),
        by=by,
        point=point,
        rank=live.number("pose: nth largest error", 50, least=1),
        turn=live.number("turn (degrees)", 180, least=-180, value=-75, step=15),
    )
