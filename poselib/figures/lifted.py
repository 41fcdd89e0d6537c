"""Lifted people for people: a page to turn and play without a network, and a film."""

from html import escape
from pathlib import Path

import matplotlib
import numpy as np
import plotly.graph_objects as go
from matplotlib.animation import FFMpegWriter, PillowWriter
from matplotlib.figure import Figure

from poselib.data.sequences import Motion
from poselib.figures import player as scene
from poselib.figures.motion import draw_pose

MOST_FRAMES, FASTEST = 600, 25.0
VIEWS = {"from the camera": [0, 2], "from its right": [1, 2]}
KEYS = "Keys: space plays and pauses, left and right arrow step, home and end jump, plus and minus zoom."
# Plotly's own buttons cannot be reached with the keyboard.
SCRIPT = """
const plot = document.getElementById("{plot_id}"), steps = plot.layout.sliders[0].steps;
const name = i => steps[i].args[0][0];
let playing = false;
plot.on("plotly_animated", () => { playing = false; });
const place = () => plot.layout.sliders[0].active || 0;
const show = i => { playing = false; Plotly.animate(plot, [name(Math.max(0, Math.min(steps.length - 1, i)))],
  {mode: "immediate", frame: {duration: 0, redraw: true}, transition: {duration: 0}}); };
const zoom = by => { const camera = plot.layout.scene.camera, eye = camera.eye;
  Plotly.relayout(plot, {"scene.camera.eye": {x: eye.x * by, y: eye.y * by, z: eye.z * by}}); };
document.addEventListener("keydown", event => {
  const act = {" ": () => { const play = plot.layout.updatemenus[0].buttons[playing ? 1 : 0];
      playing = !playing; Plotly.animate(plot, ...play.args).catch(() => {}); },
    ArrowRight: () => show(place() + 1), ArrowLeft: () => show(place() - 1),
    Home: () => show(0), End: () => show(steps.length - 1),
    "+": () => zoom(0.9), "-": () => zoom(1 / 0.9)}[event.key];
  if (act && !event.ctrlKey && !event.metaKey && !event.altKey) { event.preventDefault(); act(); }
});
"""
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body style="font-family: sans-serif; margin: 1em">
<h1 style="font-size: 1.1em">{title}</h1><p id="keys">{keys} Blue is the person's left, vermillion the right.
The root stands still, and up is the camera's up.</p>
<div role="application" aria-label="{title}" aria-describedby="keys" tabindex="0">{plot}</div></body></html>
"""


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
    plot = figure.to_html(
        full_html=False, include_plotlyjs=True, auto_play=False, post_script=SCRIPT, config={"displaylogo": False}
    )
    title = escape(f"{lifted.subject}, {lifted.action}")
    path.write_text(PAGE.format(title=title, keys=KEYS, plot=plot), encoding="utf-8")


def film(path: Path, lifted: Motion) -> None:
    """Write a GIF or, by the path's ending, an MP4: front and side view in real time, at most 600 pictures.

    Args:
        lifted: as for `page`.
    """
    middle = (lifted.positions.min(axis=(0, 1)) + lifted.positions.max(axis=(0, 1))) / 2
    positions = lifted.positions - middle
    step = max(1, int(np.ceil(lifted.fps / FASTEST)), -(-len(lifted.positions) // MOST_FRAMES))
    figure, bones = Figure(figsize=(6, 3.6), dpi=80), np.array(lifted.skeleton.bones)
    panels = figure.subplots(1, 2)
    reach = 1.05 * float(np.abs(positions).max())
    for axes, (title, view) in zip(panels, VIEWS.items(), strict=True):
        draw_pose(axes, positions[0][:, view], lifted.skeleton)
        axes.set(aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[])
        axes.set_title(title, fontsize=9)
    figure.text(0.01, 0.02, lifted.action, fontsize=7, color="0.4", wrap=True)
    heading = figure.suptitle("", fontsize=10)
    with matplotlib.rc_context({"animation.ffmpeg_path": _ffmpeg(path)}):
        writer = (FFMpegWriter if path.suffix == ".mp4" else PillowWriter)(fps=lifted.fps / step)
        with writer.saving(figure, str(path), dpi=80):
            for frame in range(0, len(lifted.positions), step):
                for axes, view in zip(panels, VIEWS.values(), strict=True):
                    axes.collections[0].set_segments(positions[frame][:, view][bones])
                heading.set_text(f"{lifted.subject}, {frame / lifted.fps:.2f} s")
                writer.grab_frame()


def _ffmpeg(path: Path) -> str:
    if path.suffix != ".mp4":
        return matplotlib.rcParams["animation.ffmpeg_path"]
    from imageio_ffmpeg import get_ffmpeg_exe

    return get_ffmpeg_exe()
