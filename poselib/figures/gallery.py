"""Small pictures for the front page: one size, legible where two of them stand side by side."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from PIL import Image

from poselib.claims import FAILS, HOLDS, NOISE, UNTESTABLE
from poselib.figures.attention import unit_range
from poselib.figures.motion import draw_pose, stage
from poselib.figures.style import BLACK, BLUE, GREEN, ORANGE, PALETTE, VERMILLION, source_note
from poselib.files import whole_file
from poselib.scoreboard import outcome
from poselib.skeleton import Skeleton

# Inches, and with these dots per inch twice the width of half a page, for dense screens.
SIZE, DPI = (4.4, 3.1), 180
FRAME_MS = 100
VERDICTS = {HOLDS: GREEN, NOISE: ORANGE, FAILS: VERMILLION, UNTESTABLE: "#8c8c8c"}
LIMBS = {"hip": "leg", "knee": "leg", "ankle": "leg", "shoulder": "arm", "elbow": "arm", "wrist": "arm"}


def save(figure: Figure, folder: Path, stem: str) -> None:
    """Write <folder>/<stem>.png at the one size, on white with a margin."""
    figure.set_size_inches(SIZE)
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)
    source_note(figure, figure.get_supxlabel().replace("\n", " "))
    with whole_file(folder / f"{stem}.png") as partial:
        figure.savefig(partial, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})


def scoreboard(claims: pd.DataFrame, papers: Mapping[str, str], note: str) -> Figure:
    """Claims of each paper by verdict.

    Args:
        claims: as `poselib.scoreboard.scoreboard` gives them; papers: folder -> name.
    """
    counts = pd.crosstab(claims["table"].str.partition("/")[0].map(papers), claims["verdict"].map(outcome))
    counts = counts.reindex(index=list(papers.values())[::-1], columns=list(VERDICTS), fill_value=0)
    figure, axes = plt.subplots()
    left = np.zeros(len(counts))
    for verdict, colour in VERDICTS.items():
        bars = axes.barh(counts.index, counts[verdict], left=left, color=colour, edgecolor="white", label=verdict)
        # A narrow bar has no room for its number.
        texts = [n if n > counts.to_numpy().sum() / 50 else "" for n in counts[verdict]]
        axes.bar_label(bars, texts, label_type="center", color=BLACK, weight="bold")
        left += counts[verdict].to_numpy()
    axes.set_xlabel("claims of the paper, tested here")
    axes.grid(False)
    figure.legend(loc="outside upper center", ncols=4, fontsize=8, handlelength=1, columnspacing=1)
    source_note(figure, note)
    return figure


def table(rows: pd.DataFrame, labels: Sequence[str], claims: pd.DataFrame, note: str) -> Figure:
    """Rows of a table of MPJPE, the paper's value beside ours, with the verdicts on its claims below.

    Args:
        rows: as `tables.side_by_side` makes them; labels: one per row; claims: as `claims.frame` makes them.
    """
    values = rows[["mpjpe_mm reported", "mpjpe_mm measured"]].map("{:.1f}".format)
    sentences = [textwrap.fill(f"{claim.claim}: {claim.sentence}", 50) for claim in claims.itertuples()]
    colours = [VERDICTS[outcome(verdict)] for verdict in claims["verdict"]]
    figure, axes = plt.subplots()
    axes.axis("off")
    cells = [
        ["MPJPE (mm)", "paper", "here"],
        *([label, *row] for label, row in zip(labels, values.values, strict=True)),
    ]
    upper = axes.table(cells, colWidths=[0.6, 0.2, 0.2], edges="horizontal", bbox=[0, 0.4, 1, 0.6])
    cells = list(zip(sentences, claims["verdict"].str.replace(" (", "\n("), strict=True))
    lower = axes.table(cells, colWidths=[0.76, 0.24], edges="horizontal", bbox=[0, 0, 1, 0.34])
    for drawn, size in ((upper, 9), (lower, 8)):
        drawn.auto_set_font_size(False)
        for (row, column), cell in drawn.get_celld().items():
            cell.set_edgecolor("#bbbbbb")
            cell.set_text_props(size=size, ha="right" if drawn is upper and column else "left")
            if drawn is upper and row == 0:
                cell.set_text_props(weight="bold")
            if drawn is lower and column == 1:
                cell.visible_edges = "closed"
                cell.set(facecolor=colours[row], edgecolor="white")
                cell.set_text_props(color=BLACK, weight="bold", ha="center")
    source_note(figure, note)
    return figure


def cost(rows: pd.DataFrame, note: str) -> Figure:
    """Measured error against the cost of a frame (Uplift and Upsample, Fig. 1).

    Args:
        rows: the table of that figure.
    """
    methods = {"Ours": ("o", "Uplift and Upsample"), "Pose Former": ("s", "PoseFormer")}
    methods |= {"Strided Transformer": ("^", "Strided Transformer")}
    figure, axes = plt.subplots()
    for row in rows.dropna(subset=["s_in", "mpjpe_mm measured"]).to_dict("records"):
        flops = row["lifter (GFLOPs per frame)"] + row["detector (GFLOPs per frame)"]
        colour = VERMILLION if row["pretrain"] else BLUE
        axes.scatter(flops, row["mpjpe_mm measured"], marker=methods[row["method"]][0], color=colour, s=45)
    for shape, name in methods.values():
        axes.scatter([], [], marker=shape, color=BLACK, label=name)
    for colour, name in ((BLUE, "from scratch"), (VERMILLION, "pre-trained")):
        axes.scatter([], [], marker="D", color=colour, label=name)
    axes.set(xscale="log", xlabel="GFLOPs per frame, 2D detector included", ylabel="MPJPE (mm)")
    axes.set_xticks([1, 2, 5, 10], ["1", "2", "5", "10"])
    axes.xaxis.set_minor_formatter(NullFormatter())
    figure.legend(loc="outside upper center", ncols=3, fontsize=8, handletextpad=0.1, columnspacing=1)
    source_note(figure, note)
    return figure


def velocity(error_mm: Mapping[str, float], speed_mm: Mapping[str, float], r: float, note: str) -> Figure:
    """Error of every joint against its mean speed, by its place on the body (TMT, Fig. 2b).

    Args:
        error_mm, speed_mm: joint -> mm, and mm per frame; r: Pearson's of the two.
    """
    figure, axes = plt.subplots()
    places = {"ends of limbs": ("wrist", "ankle"), "elbows, knees": ("elbow", "knee"), "the others": ()}
    rest = dict(error_mm)
    for (label, names), marker, colour in zip(places.items(), "osD", PALETTE, strict=False):
        own = [joint for joint in rest if not names or joint.endswith(names)]
        axes.scatter(
            [speed_mm[j] for j in own], [rest.pop(j) for j in own], s=45, marker=marker, color=colour, label=label
        )
    speed, error = (np.array([values[joint] for joint in error_mm]) for values in (speed_mm, error_mm))
    slope, offset = np.polyfit(speed, error, 1)
    ends = np.array([speed.min(), speed.max()])
    axes.plot(ends, offset + slope * ends, color=BLACK, linestyle="--", linewidth=1, zorder=0, label=f"r = {r:.2f}")
    axes.set(xlabel="mean speed (mm per frame)", ylabel="MPJPE (mm)")
    axes.legend(fontsize=9)
    source_note(figure, note)
    return figure


def joints(errors: Mapping[str, Mapping[str, float]], note: str) -> Figure:
    """Error by joint, mean of left and right, smallest first (MixSTE, Fig. 4).

    Args:
        errors: label -> joint -> MPJPE in mm.
    """
    table = pd.DataFrame(errors)
    table = table.groupby(lambda joint: joint.removeprefix("left_").removeprefix("right_")).mean()
    table = table.loc[table.mean(axis=1).sort_values().index]
    figure, axes = plt.subplots()
    axes.hlines(table.index, table.min(axis=1), table.max(axis=1), color="#999999", linewidth=2)
    for label, marker, colour in zip(table, "osD^", PALETTE, strict=False):
        axes.plot(table[label], table.index, marker, color=colour, label=label)
    axes.set_xlabel("MPJPE (mm)")
    figure.legend(loc="outside upper center", ncols=4, fontsize=9, handletextpad=0.1)
    source_note(figure, note)
    return figure


def training(logs: Mapping[str, pd.DataFrame], note: str) -> Figure:
    """Validation error over the updates, mean of the seeds.

    Args:
        logs: label -> log as `records.log_of` gives it.
    """
    figure, axes = plt.subplots()
    for (label, log), marker, colour in zip(logs.items(), "osD^v", PALETTE, strict=False):
        mean = log.groupby("updates")["validation_mpjpe_mm"].mean()
        axes.plot(mean, color=colour, marker=marker, markersize=5, label=label)
    axes.set(xlabel="updates", ylabel="validation MPJPE (mm)")
    axes.legend(fontsize=9)
    source_note(figure, note)
    return figure


def attention(spatial: np.ndarray, pose: np.ndarray, skeleton: Skeleton, query: str, note: str) -> Figure:
    """A map over joints, and on the skeleton what one joint attends to.

    Args:
        spatial: (J, J), rows are queries; pose: (J, 3) metres, root-relative, camera frame; query: a joint's name.
    """
    row = skeleton.index[query]
    figure, (left, right) = plt.subplots(1, 2, width_ratios=(1.4, 1))
    _map(left, unit_range(spatial), skeleton)
    left.plot([-0.5, len(spatial) - 0.5], [[row - 0.5, row + 0.5]] * 2, color=VERMILLION, linewidth=1.5)
    left.set_title("all joints", fontsize=9)
    draw_pose(right, pose[:, :2], skeleton, width=1.5)
    weights = unit_range(spatial[row])
    points = right.scatter(*pose[:, :2].T, s=25 + 110 * weights, c=weights, cmap="viridis", zorder=3, edgecolor="white")
    right.plot(*pose[row, :2], "o", markersize=15, markerfacecolor="none", markeredgecolor=VERMILLION)
    right.set_title(f"{query.replace('_', ' ')} attends to", fontsize=9)
    stage(right, pose[:, :2])
    bar = figure.colorbar(points, ax=right, ticks=[0, 1], shrink=0.5)
    bar.ax.set_yticklabels(["least", "most"], fontsize=8)
    source_note(figure, note)
    return figure


def similarity(maps: Mapping[str, np.ndarray], skeleton: Skeleton, note: str) -> Figure:
    """How alike the features of joints are, model beside model (GLA-GCN, Fig. 4).

    Args:
        maps: label -> (J, J), as `similarity.cosine` makes it.
    """
    figure, panels = plt.subplots(1, len(maps), sharey=True)
    least = min(found.min() for found in maps.values())
    for axes, (label, found) in zip(panels, maps.items(), strict=True):
        image = _map(axes, found, skeleton, vmin=least, vmax=1)
        axes.set_title(label, fontsize=9)
    bar = figure.colorbar(image, ax=panels, location="bottom", shrink=0.6, aspect=30)
    bar.ax.tick_params(labelsize=8)
    bar.set_label("cosine similarity of features", fontsize=9)
    source_note(figure, note)
    return figure


def film(poses: Sequence[np.ndarray], folder: Path, stem: str, skeleton: Skeleton, note: str) -> None:
    """Write <folder>/<stem>.gif: what the network sees, and beside it the pose in 3D, turning, over the true one.

    Args:
        poses: 2D ones (F, J, 2) on the image, y down; lifted and true ones (F, J, 3), metres, root-relative, camera
            frame.
    """
    count = len(poses[0])
    turn = np.sin(np.pi * np.linspace(0, 1, count))
    # From in front to the side: (F, J, 2), y down.
    across = [p[..., 0] * np.cos(turn)[:, None] + p[..., 2] * np.sin(turn)[:, None] for p in poses[1:]]
    lifted, truth = (np.stack([x, p[..., 1]], axis=-1) for x, p in zip(across, poses[1:], strict=True))
    figure, panels = plt.subplots(1, 2, figsize=SIZE, dpi=DPI / 2)
    source_note(figure, note)
    pictures = []
    # There and back, so that it has no seam.
    for frame in [*range(count), *range(count - 2, 0, -1)]:
        for axes, title, shown in zip(panels, ("2D in", "3D out, turned"), (poses[0], [lifted, truth]), strict=True):
            axes.clear()
            axes.set_title(title, fontsize=10)
            stage(axes, np.asarray(shown))
        draw_pose(panels[0], poses[0][frame], skeleton, width=2.5)
        panels[0].plot(*poses[0][frame].T, ".", color=BLACK, markersize=6)
        draw_pose(panels[1], truth[frame], skeleton, width=1, style="--")
        draw_pose(panels[1], lifted[frame], skeleton, width=2.5)
        figure.canvas.draw()
        picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3])
        # Few colours, those of the first picture, keep the file small.
        pictures.append(picture.quantize(12, palette=pictures[0] if pictures else None, dither=Image.Dither.NONE))
    plt.close(figure)
    with whole_file(folder / f"{stem}.gif") as partial:
        pictures[0].save(partial, "GIF", save_all=True, append_images=pictures[1:], duration=FRAME_MS, loop=0)


def _map(axes: Axes, values: np.ndarray, skeleton: Skeleton, **scale: float):
    """A map over joints (J, J), limbs named beside their rows."""
    image = axes.imshow(values, cmap="viridis", interpolation="nearest", **scale)
    limbs = [list(own) for _, own in groupby(range(len(values)), lambda joint: _limb(skeleton.names[joint]))]
    names = [_limb(skeleton.names[own[0]]) for own in limbs]
    axes.set_xticks([])
    axes.set_xlabel("in the same order", fontsize=8)
    axes.set_yticks([np.mean(own) for own in limbs], names, fontsize=8)
    axes.grid(False)
    return image


def _limb(joint: str) -> str:
    side, _, name = joint.partition("_")
    return f"{side} {LIMBS[name]}" if name in LIMBS else "pelvis" if joint == "pelvis" else "trunk"
