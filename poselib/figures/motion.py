"""Pictures of motion: still poses in rows, and speeds beside those of real people."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from poselib.data.sequences import Motion
from poselib.figures.player import COLOURS
from poselib.skeleton import Skeleton


def _segments(pose: np.ndarray, skeleton: Skeleton) -> tuple[np.ndarray, list[str]]:
    """Bones as (J - 1, 2, C) and their colours."""
    bones = np.array(skeleton.bones)
    return pose[bones], [COLOURS[skeleton.side(skeleton.names[child])] for child, _ in skeleton.bones]


def draw_pose(axes: Axes, pose: np.ndarray, skeleton: Skeleton, *, width: float = 2.0, style="-") -> None:
    """Draws one flat pose (J, 2), any unit, onto `axes`, left limbs blue, right ones vermillion."""
    lines, colours = _segments(pose, skeleton)
    axes.add_collection(LineCollection(lines, colors=colours, linewidths=width, linestyles=style, capstyle="round"))


def stage(axes: Axes, points: np.ndarray) -> None:
    """Room for points (..., 2), y down, to one scale, without ticks."""
    (left, top), (right, bottom) = points.reshape(-1, 2).min(axis=0), points.reshape(-1, 2).max(axis=0)
    room = 0.1 * max(right - left, bottom - top)
    axes.set(aspect="equal", xticks=[], yticks=[])
    axes.set(xlim=(left - room, right + room), ylim=(bottom + room, top - room))
    axes.grid(False)
    axes.spines[:].set_visible(False)


def _flat(poses: np.ndarray, azimuth: float) -> np.ndarray:
    """Poses (..., 3) seen from an azimuth in radians, as (..., 2) across and up, metres."""
    across = -poses[..., 0] * np.sin(azimuth) + poses[..., 1] * np.cos(azimuth)
    return np.stack([across, poses[..., 2]], axis=-1)


def _painted(axes: Axes, pose: np.ndarray, skeleton: Skeleton, azimuth: float) -> None:
    """One pose on the floor, far limbs first and paler, so that depth can be read."""
    towards = pose[:, 0] * np.cos(azimuth) + pose[:, 1] * np.sin(azimuth)
    lines, colours = _segments(_flat(pose, azimuth), skeleton)
    near = np.array([towards[list(bone)].mean() for bone in skeleton.bones])
    share = (near - near.min()) / max(np.ptp(near), 1e-9)
    order = np.argsort(near)
    axes.add_collection(
        LineCollection(
            lines[order],
            colors=[colours[i] for i in order],
            alpha=0.55 + 0.45 * share[order],
            linewidths=1.3 + 0.9 * share[order],
            capstyle="round",
        )
    )
    head = _flat(pose, azimuth)[skeleton.index["head"]] if "head" in skeleton.index else None
    if head is not None:
        axes.plot(*head, "o", color=COLOURS["centre"], markersize=3.5)


def contact_sheet(
    motions: Sequence[Motion], *, instants: int = 8, azimuth: float = -60.0, labels: bool = True
) -> Figure:
    """Still poses: a row for each motion, columns evenly spaced in time, all to one scale.

    Args:
        motions: positions in metres, world, z up; each row is shown centred on the pelvis.
        instants: columns.
        labels: writes action and subject before each row.
        azimuth: direction from which one looks, degrees from the x axis.

    Returns:
        A figure; the line under each row is the floor.
    """
    figure, grid = plt.subplots(len(motions), 1, figsize=(0.95 * instants + 1.3, 1.25 * len(motions)), squeeze=False)
    for axes, motion in zip(grid[:, 0], motions, strict=True):
        frames = np.linspace(0, len(motion.positions) - 1, instants).round().astype(int)
        for column, frame in enumerate(frames):
            pose = motion.positions[frame] * 1.0
            pose[:, :2] -= pose[motion.skeleton.root, :2]
            view = np.deg2rad(azimuth)
            aside = 1.5 * column * np.array([-np.sin(view), np.cos(view), 0])
            _painted(axes, pose + aside, motion.skeleton, view)
        axes.axhline(0, color="0.75", linewidth=1, zorder=0)
        axes.set(xlim=(-0.9, 1.5 * (instants - 1) + 0.9), ylim=(-0.06, 1.95), aspect="equal")
        axes.axis("off")
        if labels:
            axes.text(-1.0, 0.9, f"{motion.action}\n{motion.subject}", ha="right", va="center", fontsize=9)
    figure.subplots_adjust(left=0.13, right=0.995, top=0.995, bottom=0.005, hspace=0.02)
    return figure


def speed_comparison(frame: pd.DataFrame, *, band: float = 1.5) -> Figure:
    """Speeds of each joint beside real ones, a panel for each kind of speed.

    Args:
        frame: columns `joint`, `kind` (a panel each), `measured` and `reference`, millimetres per frame at 50 Hz.
        band: the grey bar spans the reference divided and multiplied by this factor.
    """
    kinds = list(dict.fromkeys(frame["kind"]))
    joints = list(dict.fromkeys(frame["joint"]))[::-1]
    figure, grid = plt.subplots(1, len(kinds), figsize=(4.3 * len(kinds) + 1, 5.2), sharey=True, squeeze=False)
    for axes, kind in zip(grid[0], kinds, strict=True):
        part = frame[frame["kind"] == kind].set_index("joint").reindex(joints)
        rows, real = np.arange(len(joints)), part["reference"]
        axes.barh(
            rows, real * (band - 1 / band), left=real / band, color="0.88", height=0.62, label=f"real, within x{band:g}"
        )
        axes.plot(real, rows, "|", color="0.25", markersize=11, markeredgewidth=2, label="real people")
        axes.plot(part["measured"], rows, "o", color=COLOURS["right"], markersize=6, label="synthetic")
        axes.set(title=kind, xlabel="mean speed (mm per frame)", yticks=rows)
        axes.set_yticklabels([joint.replace("_", " ") for joint in joints])
        axes.set_xlim(left=0)
        axes.grid(axis="x", color="0.92")
        axes.set_axisbelow(True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="lower center", ncols=3, frameon=False)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    return figure


def detection_picture(true: np.ndarray, seen: np.ndarray, skeleton: Skeleton, *, margin: float = 40.0) -> Figure:
    """One frame's joints as they are, solid, and as a detector saw them, dashed; (J, 2) pixels each, y downwards."""
    figure, axes = plt.subplots(figsize=(4.2, 5.4))
    draw_pose(axes, true, skeleton, width=2.4)
    draw_pose(axes, seen, skeleton, width=1.4, style=(0, (3, 1.5)))
    axes.plot(*np.stack([true, seen], axis=1).transpose(2, 1, 0), color="0.5", linewidth=0.8)
    axes.plot(*true.T, "o", color="0.15", markersize=3.5, label="true")
    axes.plot(*seen.T, "o", color="0.15", markerfacecolor="white", markersize=4.5, label="detected")
    both = np.concatenate([true, seen])
    low, high = both.min(axis=0) - margin, both.max(axis=0) + margin
    axes.set(xlim=(low[0], high[0]), ylim=(high[1], low[1]), aspect="equal", xlabel="x (px)", ylabel="y (px)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    figure.tight_layout()
    return figure
