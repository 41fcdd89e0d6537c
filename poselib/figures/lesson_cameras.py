"""Joints by name and number, and what a lens makes of them: pictures of the notebook on skeletons and cameras."""

import numpy as np
import plotly.graph_objects as go

from poselib.figures.player import COLOURS, Body, lines, scene
from poselib.figures.style import BLUE, VERMILLION
from poselib.geometry import Camera, back_project, project
from poselib.skeleton import H36M_17, Skeleton, convert

# Human3.6M's joints under the names that other sets have for what is nearest to them.
NEAREST = {"neck": "thorax", "head_top": "head", "head": "nose"}


def in_joints(poses: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Human3.6M poses (..., 17, C) in another joint set, (..., J, C), joint by name, or by the nearest one."""
    return convert(poses, H36M_17, skeleton, NEAREST if "head_top" in skeleton.index else None)


def labelled(pose: np.ndarray, skeleton: Skeleton, azimuth: float) -> go.Figure:
    """A pose (J, 3), metres, z up, every joint with its number and name."""
    x, y, z = pose.T
    colours = [COLOURS[skeleton.side(name)] for name in skeleton.names]
    text = [f"{number} {name.replace('_', ' ')}" for number, name in enumerate(skeleton.names)]
    joints = {"marker": {"color": colours, "size": 5}, "textfont": {"color": colours, "size": 12}}
    beside = {"left": "middle left", "right": "middle right", "centre": "top center"}
    places = [beside[skeleton.side(name)] for name in skeleton.names]
    figure = go.Figure(lines(Body(skeleton.name, pose[None], skeleton)))
    figure.add_scatter3d(x=x, y=y, z=z, mode="markers+text", text=text, textposition=places, **joints)
    root = skeleton.names[skeleton.root]
    title = f"{skeleton.name}: {len(skeleton)} joints, root {root}; blue: left, vermillion: right"
    return figure.update_layout(
        title=title, height=640, showlegend=False, scene=scene(pose, azimuth=azimuth), margin={"l": 0, "r": 0, "b": 0}
    )


def pixel_intrinsics(camera: Camera) -> np.ndarray:
    """(fx, fy, cx, cy, k1, k2, k3, p1, p2), the first four in pixels, for `project` and `back_project`."""
    return np.array([*camera.focal, *camera.centre, *camera.radial, *camera.tangential])


def there_and_back(poses_3d: np.ndarray, camera: Camera, *, distortion: bool) -> np.ndarray:
    """Camera-frame joints (..., 3) projected and brought back at their true depth by the ray of a lens without
    distortion, (..., 3) metres.
    """
    known = pixel_intrinsics(camera)
    return back_project(project(poses_3d, known, distortion=distortion), poses_3d[..., 2:], known)


def screen(pose: np.ndarray, camera: Camera, times: float) -> go.Figure:
    """A camera-frame pose (17, 3) on the camera's screen, by a lens without distortion and by its own.

    Args:
        times: how many times larger than it is the effect of the distortion is drawn.
    """
    known, (width, height) = pixel_intrinsics(camera), camera.size
    straight, bent = (project(pose, known, distortion=distortion) for distortion in (False, True))
    off = np.linalg.norm(bent - straight, axis=-1)
    figure = go.Figure()
    drawn = (("no distortion", straight, BLUE), ("this lens", straight + times * (bent - straight), VERMILLION))
    for label, points, colour in drawn:
        path = np.array(
            [part for child, parent in H36M_17.bones for part in (points[child], points[parent], [None] * 2)]
        )
        look = {"mode": "lines+markers", "line": {"color": colour, "width": 3 if colour == BLUE else 2}}
        figure.add_scatter(x=path[:, 0], y=path[:, 1], name=label, hoverinfo="skip", **look)
    frame = {"type": "rect", "x0": 0, "y0": 0, "x1": width, "y1": height, "line": {"color": "#888888"}}
    both = np.concatenate([points for _, points, _ in drawn])
    (left, top), (right, bottom) = both.min(axis=0) - 40, both.max(axis=0) + 40
    title = f"camera {camera.id}: distortion moves joints by {off.mean():.1f} px on average, {off.max():.1f} at most"
    return figure.update_layout(
        title=f"{title}<br><sup>drawn {times:g} times as large; the picture has {width} x {height} px</sup>",
        height=640,
        shapes=[frame],
        xaxis={"title": "x (px)", "range": [left, right], "constrain": "domain"},
        yaxis={"title": "y (px), downwards", "range": [bottom, top], "scaleanchor": "x", "constrain": "domain"},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom"},
    )
