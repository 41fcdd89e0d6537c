"""Lifted people for people: a page to turn and play without a network, and a film."""

from html import escape
from pathlib import Path
from string import Template

import matplotlib
import numpy as np
import plotly.graph_objects as go
from matplotlib.animation import FFMpegWriter, PillowWriter
from matplotlib.figure import Figure

from poselib.data.sequences import Motion
from poselib.figures import player as scene
from poselib.figures.motion import draw_pose

MOST_FRAMES, FASTEST = 600, 25.0
VIEWS = {"from the camera": [0, 2], "from the camera's right": [1, 2]}
PAGE = Template((Path(__file__).parent / "lifted.html").read_text())


def player(lifted: Motion, *, most_frames: int) -> go.Figure:
    """At most so many of its frames, looked at from the camera and a little from the side."""
    shown = lifted.thinned(max(1, -(-len(lifted.positions) // most_frames)))
    body = scene.Body(" ", shown.positions, shown.skeleton)
    return scene.player([body], shown.fps, f"{lifted.subject}, {lifted.action}", azimuth=-73)


def page(path: Path, lifted: Motion) -> None:
    """Write one HTML file that needs no network: the skeleton to turn, play and step through, at most 600 frames.

    Args:
        lifted: one of `Lifted.motions`; its subject and action are the title.
    """
    figure = player(lifted, most_frames=MOST_FRAMES).update_layout(title=None)
    options = {"full_html": False, "include_plotlyjs": True, "auto_play": False, "config": {"displaylogo": False}}
    title = escape(f"{lifted.subject}, {lifted.action}")
    path.write_text(PAGE.substitute(title=title, plot=figure.to_html(div_id="plot", **options)), encoding="utf-8")


def film(path: Path, lifted: Motion) -> None:
    """Write a GIF or, by the path's ending, an MP4: front and side view in real time, at most 600 pictures.

    Args:
        lifted: as for `page`.
    """
    middle = (lifted.positions.min(axis=(0, 1)) + lifted.positions.max(axis=(0, 1))) / 2
    positions = lifted.positions - middle
    seconds = len(positions) / lifted.fps
    # A GIF knows hundredths of a second only.
    pause = int(np.ceil(100 * max(1 / FASTEST, 1 / lifted.fps, seconds / MOST_FRAMES))) / 100
    figure, bones = Figure(figsize=(6, 3.6), dpi=80), np.array(lifted.skeleton.bones)
    panels = figure.subplots(1, 2)
    reach = 1.05 * float(np.abs(positions).max())
    for axes, (title, view) in zip(panels, VIEWS.items(), strict=True):
        draw_pose(axes, positions[0][:, view], lifted.skeleton)
        axes.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
        axes.set_title(title, fontsize=9)
    words = f"blue: the person's left, vermillion: the right; {lifted.action}"
    figure.text(0.01, 0.02, words, fontsize=7, color="0.4", wrap=True)
    heading = figure.suptitle("", fontsize=10)
    with matplotlib.rc_context({"animation.ffmpeg_path": _ffmpeg(path)}):
        writer = (FFMpegWriter if path.suffix == ".mp4" else PillowWriter)(fps=1 / pause)
        with writer.saving(figure, str(path), dpi=80):
            for frame in (np.arange(0, seconds - 1e-9, pause) * lifted.fps + 1e-6).astype(int):
                for axes, view in zip(panels, VIEWS.values(), strict=True):
                    axes.collections[0].set_segments(positions[frame][:, view][bones])
                heading.set_text(f"{lifted.subject}, {frame / lifted.fps:.2f} s")
                writer.grab_frame()


def _ffmpeg(path: Path) -> str:
    if path.suffix != ".mp4":
        return matplotlib.rcParams["animation.ffmpeg_path"]
    from imageio_ffmpeg import get_ffmpeg_exe

    return get_ffmpeg_exe()
