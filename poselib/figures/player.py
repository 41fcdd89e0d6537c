"""Bodies in 3D that move: to turn with the mouse, play, pause and step through, all of it within the browser."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import plotly.graph_objects as go
from plotly.basedatatypes import BaseTraceType

from poselib.skeleton import Skeleton

COLOURS = {"left": "#0072B2", "right": "#D55E00", "centre": "#4D4D4D"}
"""Okabe and Ito's blue and vermillion, told apart by colour-blind readers and in grey print."""
FAINT = "#A6A6A6"
ABOVE_HEAD = 0.18
"""Metres between a body's highest joint and its caption."""


@dataclass(frozen=True)
class Body:
    """One body of a scene: `poses` (F, J, 3) in metres, z up, and per frame what stands above it, if anything.

    A faint body is grey, to be compared with; a dashed one is another of the same kind.
    """

    label: str
    poses: np.ndarray
    skeleton: Skeleton
    captions: Sequence[str] = field(default=())
    faint: bool = False
    dashed: bool = False


def upright(poses: np.ndarray) -> np.ndarray:
    """Camera-frame poses (..., 3), y down and z forward, as a scene wants them: (..., 3), z up."""
    return np.stack([poses[..., 0], poses[..., 2], -poses[..., 1]], axis=-1)


def lines(body: Body, frame: int = 0) -> go.Scatter3d:
    """The bones of a body in one trace, left limbs blue, right ones vermillion, with gaps between them."""
    skeleton = body.skeleton
    sides = [skeleton.side(skeleton.names[child]) for child, _ in skeleton.bones]
    colours = [FAINT if body.faint else COLOURS[side] for side in sides for _ in range(3)]
    x, y, z = _ends(body, frame).T
    line = {"color": colours, "width": 4 if body.faint else 7, "dash": "dash" if body.dashed else "solid"}
    return go.Scatter3d(x=x, y=y, z=z, mode="lines", line=line, name=body.label, hoverinfo="name", showlegend=False)


def caption(body: Body, frame: int = 0) -> go.Scatter3d:
    """What stands above a body in this frame."""
    x, y, z = _top(body, frame)
    text = [body.captions[frame] if body.captions else body.label]
    return go.Scatter3d(x=[x], y=[y], z=[z], mode="text", text=text, hoverinfo="skip", showlegend=False)


def scene(points: np.ndarray, *, azimuth: float, names: Sequence[str] = ("x (m)", "y (m)", "z (m)")) -> dict:
    """Axes that hold these points (..., 3), alike in scale, seen from `azimuth` degrees about the vertical."""
    low, high = (f(points.reshape(-1, 3), axis=0) for f in (np.nanmin, np.nanmax))
    # Wide enough to stand in, also for one upright person.
    half = np.maximum((high - low) / 2 + 0.15, [0.6, 0.6, 0])
    angle, axes, middle = np.deg2rad(azimuth), {}, (low + high) / 2
    for name, label, least, most in zip("xyz", names, middle - half, middle + half, strict=True):
        axes[f"{name}axis"] = {"range": [float(least), float(most)], "title": label, "nticks": 5}
    ratio = dict(zip("xyz", (half / half.max()).tolist(), strict=True))
    # From nearer by where all is low and wide, as a room is.
    away = 0.85 + 0.5 * ratio["z"]
    eye = {"x": away * np.cos(angle), "y": away * np.sin(angle), "z": 0.3 * away}
    camera = {"eye": eye, "center": {"x": 0, "y": 0, "z": -0.05}}
    return {"aspectmode": "manual", "aspectratio": ratio, "camera": camera, **axes}


def player(
    bodies: Sequence[Body],
    fps: float,
    title: str,
    *,
    start: int = 0,
    azimuth: float = -60.0,
    scenery: Sequence[BaseTraceType] = (),
    height: int = 640,
) -> go.Figure:
    """The bodies moving together; every frame is there, none is fetched while it plays.

    Args:
        bodies: of equally many frames; captions follow the frames.
        start: the frame shown first.
        scenery: traces that stand still, such as floor and cameras.
    """
    count = len(bodies[0].poses)
    moving = [make(body, start) for body in bodies for make in (lines, caption)]
    places, frames, seconds = list(range(len(moving))), [], [f"{frame / fps:.2f}" for frame in range(count)]
    for frame in range(count):
        parts = []
        for body in bodies:
            (x, y, z), (a, b, c) = _ends(body, frame).T, _top(body, frame)
            text = body.captions[frame] if body.captions else body.label
            parts.append({"type": "scatter3d", "x": x, "y": y, "z": z})
            parts.append({"type": "scatter3d", "x": [a], "y": [b], "z": [c], "text": [text]})
        frames.append({"name": seconds[frame], "data": parts, "traces": places})
    figure = go.Figure([*moving, *scenery], frames=frames)
    still = [np.stack([t[axis] for axis in "xyz"], axis=-1).astype(float) for t in scenery if t["x"] is not None]
    points = [body.poses for body in bodies] + [np.array([_top(body, f) for f in range(count)]) for body in bodies]
    figure.update_layout(
        title=title,
        height=height,
        scene=scene(np.concatenate([p.reshape(-1, 3) for p in points + still]), azimuth=azimuth),
        margin={"l": 10, "r": 10, "t": 50, "b": 10},
    )
    return _with_slider(figure, seconds, fps, start)


def _with_slider(figure: go.Figure, names: Sequence[str], fps: float, start: int) -> go.Figure:
    """The figure with play, pause and a slider over its frames, which are called by their time in seconds."""
    jump = {"mode": "immediate", "frame": {"duration": 0, "redraw": True}, "transition": {"duration": 0}}
    pace = jump | {"fromcurrent": True, "frame": {"duration": 1000 / fps, "redraw": True}}
    buttons = [
        {"label": "▶ Play", "method": "animate", "args": [None, pace]},
        {"label": "❚❚ Pause", "method": "animate", "args": [[None], jump]},
    ]
    steps = [{"label": name, "method": "animate", "args": [[name], jump]} for name in names]
    figure.update_layout(
        updatemenus=[
            {"type": "buttons", "direction": "left", "buttons": buttons, "showactive": False}
            | {"x": 0, "y": 0, "xanchor": "left", "yanchor": "top", "pad": {"t": 24}}
        ],
        sliders=[
            {"steps": steps, "active": start, "x": 0.22, "len": 0.78, "y": 0, "pad": {"t": 10}, "ticklen": 0}
            # The time is written once, above; under the slider there is no room for that of every frame.
            | {"minorticklen": 0, "font": {"color": "rgba(0,0,0,0)"}}
            | {"currentvalue": {"prefix": "time: ", "suffix": " s", "xanchor": "right", "font": {"color": "#333333"}}}
        ],
    )
    return figure


def _ends(body: Body, frame: int) -> np.ndarray:
    """The ends of all bones of a frame, (3 (J - 1), 3), each third row a gap."""
    children, parents = np.array(body.skeleton.bones).T
    points = np.full((3 * len(children), 3), np.nan, np.float32)
    points[0::3], points[1::3] = body.poses[frame, parents], body.poses[frame, children]
    return points.round(3)


def _top(body: Body, frame: int) -> tuple[float, float, float]:
    pose = body.poses[frame]
    x, y = pose[body.skeleton.root, :2].round(3).tolist()
    return x, y, round(float(pose[:, 2].max()) + ABOVE_HEAD, 3)
