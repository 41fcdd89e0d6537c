"""Recordings of any source in the room, with the cameras that filmed them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import plotly.graph_objects as go

from poselib.data.camera_table import cameras
from poselib.data.cmu import cmu_motions
from poselib.data.sequences import Motion, Sequence
from poselib.data.sources import load
from poselib.data.synthetic import synthetic_motions
from poselib.errors import InputError
from poselib.experiments import load_parameters
from poselib.figures import live
from poselib.figures.player import Body, player, upright
from poselib.geometry import Camera, back_project, camera_to_world
from poselib.record_file import SOURCES

MOST_FRAMES = 243
"""A longer recording is shown with every second, third, ... frame."""
NAMED = "#0B5345"
UNPLACED = ((1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


@dataclass(frozen=True)
class Recording:
    """A movement in the room, z up, and the cameras there."""

    motion: Motion
    cameras: tuple[Camera, ...]


def sources(root: Path, seconds: float, seed: int, mocap_folder: str = "") -> dict[str, Callable[[], Iterable]]:
    """What can be looked at here: motion made on the spot, the roles of params.yaml whose files are there, a folder."""
    found = {"synthetic, made here": partial(synthetic_motions, seconds=seconds, seed=seed)}
    for name, role in load_parameters(root).roles.items():
        if (path := root / role.path).exists():
            found[f"{name}: {SOURCES[role.source]}"] = partial(load, name, source=role.source, path=path)
    return found | ({mocap_folder: partial(cmu_motions, mocap_folder)} if mocap_folder else {})


def recordings(sequences: Iterable[Sequence | Motion], most: int) -> dict[str, Recording]:
    """The first `most` recordings by subject and name; videos of the same movement are one with several cameras.

    A movement without cameras of its own stands among those of its subject in Human3.6M, else of S1.
    """
    found = {}
    for sequence in sequences:
        name = f"{sequence.subject} {sequence.action}"
        if name not in found and len(found) == most:
            break
        if isinstance(sequence, Motion):
            found[name] = Recording(sequence, cameras().get(sequence.subject, cameras()["S1"]))
        elif name in found:
            found[name] = replace(found[name], cameras=(*found[name].cameras, sequence.camera))
        else:
            poses = in_room(sequence.poses_3d, sequence.camera)
            motion = Motion(sequence.subject, sequence.action, sequence.skeleton, sequence.fps, poses)
            found[name] = Recording(motion, (sequence.camera,))
    return found


def in_room(points: np.ndarray, camera: Camera) -> np.ndarray:
    """Camera-frame points (..., 3) in metres in the room, z up; around the camera if nobody knows where it stood."""
    placed = (tuple(camera.orientation), tuple(camera.position)) != UNPLACED
    return camera_to_world(points, camera) if placed else upright(points)


def frustum(camera: Camera, reach: float = 0.6) -> go.Scatter3d:
    """A camera as the pyramid that it sees up to `reach` metres, lens distortion left out, under its name."""
    (width, height), lens = camera.size, np.array([*camera.focal, *camera.centre])
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    ends = back_project(corners, np.full((4, 1), reach), lens)
    path = [part for i in range(4) for part in (np.zeros(3), ends[i], ends[(i + 1) % 4])]
    x, y, z = in_room(np.array(path, np.float32), camera).round(3).T
    text = [camera.id, *[""] * (len(path) - 1)]
    look = {"line": {"color": NAMED, "width": 3}, "textfont": {"color": NAMED}, "textposition": "top center"}
    return go.Scatter3d(
        x=x, y=y, z=z, mode="lines+text", text=text, name=f"camera {camera.id}", showlegend=False, **look
    )


def floor(motion: Motion, margin: float = 0.3) -> go.Mesh3d:
    """The floor under a motion, grey."""
    (x0, y0), (x1, y1) = (f(motion.positions[..., :2], axis=(0, 1)) for f in (np.min, np.max))
    x, y = [x0 - margin, x1 + margin, x1 + margin, x0 - margin], [y0 - margin, y0 - margin, y1 + margin, y1 + margin]
    return go.Mesh3d(x=x, y=y, z=[0] * 4, i=[0, 0], j=[1, 2], k=[2, 3], color="#DDDDDD", opacity=0.6, hoverinfo="skip")


def draw(recording: Recording, *, with_cameras: bool, azimuth: float = 60.0) -> go.Figure:
    """A recording to play; with its cameras one sees the whole room, without them the person."""
    motion = recording.motion
    motion = motion.thinned(-(-len(motion.positions) // MOST_FRAMES))
    around = [floor(motion), *(map(frustum, recording.cameras) if with_cameras else ())]
    body = Body(" ", motion.positions, motion.skeleton)
    title = f"{motion.subject}, {motion.action}: {len(recording.motion.positions)} frames"
    title += f" at {recording.motion.fps:g} per second, {len(motion.skeleton)} joints"
    return player([body], motion.fps, title, azimuth=azimuth, scenery=around)


def explore(offered: Mapping[str, Callable[[], Iterable]], most: int) -> None:
    """Choose source and recording; `most` recordings of each source are read."""

    @cache
    def read(name: str) -> dict[str, Recording]:
        return recordings(offered[name](), most)

    def names(chosen: str) -> tuple[str, ...]:
        try:
            return tuple(read(chosen))
        except InputError:
            return ("none",)  # and `shown` says why

    def shown(source: str, recording: str, view: str, turn: int) -> go.Figure:
        found = read(source)
        return draw(found.get(recording) or next(iter(found.values())), with_cameras=view != "person", azimuth=turn)

    source = live.choice("source", list(offered))
    recording = live.choice("recording", list(names(source.value)))
    source.observe(lambda change: setattr(recording, "options", names(change.new)), "value")
    view = live.switch("view", ["person", "room with cameras"])
    turn = live.number("turn (degrees)", 180, least=-180, value=60, step=15)
    live.show(shown, source=source, recording=recording, view=view, turn=turn)
