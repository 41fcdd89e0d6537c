"""Predicted poses over the true one, model beside model, the better one marked."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from poselib.figures.motion import draw_pose, stage
from poselib.figures.style import BLACK, source_note
from poselib.skeleton import Skeleton

# Seen from the camera, and from its right side, where errors in depth show.
VIEWS = {"front": (0, 1), "side": (2, 1)}
# A joint is ringed where the other models are nearer to the truth by at least this.
MUCH_MM = 30.0


def sheet(examples: Mapping[str, tuple[np.ndarray, Mapping[str, np.ndarray]]], skeleton: Skeleton, note: str) -> Figure:
    """A row per example to one scale, two views per model; of several, the lowest error of a row is ticked and bold.

    Args:
        examples: title -> the true pose (J, 3) and label -> predicted pose (J, 3); metres, root-relative, camera frame.
    """
    labels = list(next(iter(examples.values()))[1])
    shape = (len(examples), len(labels) * len(VIEWS))
    figure, panels = plt.subplots(*shape, figsize=(1.8 * shape[1], 2.5 * shape[0]), squeeze=False)
    for row, (title, (truth, predicted)) in zip(panels, examples.items(), strict=True):
        errors = {label: 1e3 * np.linalg.norm(pose - truth, axis=-1) for label, pose in predicted.items()}
        best = min(errors, key=lambda label: errors[label].mean())
        least = np.min(list(errors.values()), axis=0)
        held = np.concatenate([pose[:, axis] for pose in (truth, *predicted.values()) for axis in VIEWS.values()])
        for number, (label, pose) in enumerate(predicted.items()):
            ringed = pose[errors[label] - least > MUCH_MM]
            for axes, axis in zip(row[len(VIEWS) * number :], VIEWS.values(), strict=False):
                _panel(axes, truth[:, axis], pose[:, axis], ringed[:, axis], skeleton)
                stage(axes, held)
            mark, weight = ("✓ ", "bold") if label == best and len(labels) > 1 else ("", "normal")
            text = f"{mark}{label}: {errors[label].mean():.1f} mm"
            row[len(VIEWS) * number].set_title(text, loc="left", fontsize=9, fontweight=weight)
        row[0].set_ylabel(title, fontsize=9, visible=True)
    rings = f"ring: another model has this joint {MUCH_MM:.0f} mm nearer to the truth; " if len(labels) > 1 else ""
    source_note(figure, f"blue: left, vermillion: right, dashed: truth; {rings}front and side view; {note}")
    return figure


def _panel(axes: plt.Axes, truth: np.ndarray, pose: np.ndarray, ringed: np.ndarray, skeleton: Skeleton) -> None:
    draw_pose(axes, truth, skeleton, width=1.2, style="--")
    draw_pose(axes, pose, skeleton)
    axes.plot(*ringed.T, "o", markersize=9, markerfacecolor="none", markeredgecolor=BLACK)
    axes.plot(*truth[skeleton.root], ".", color=BLACK)
