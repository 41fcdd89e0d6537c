"""How alike the features of different joints are (GLA-GCN, Fig. 4)."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from poselib.figures.style import source_note


def cosine(features: np.ndarray) -> np.ndarray:
    """Cosine of the angle between the features of every two joints, mean over poses: (N, J, D) -> (J, J)."""
    # A joint whose units are all silent is like no other one, nor itself.
    unit = features / np.maximum(np.linalg.norm(features, axis=-1, keepdims=True), 1e-12)
    return (unit @ unit.swapaxes(-1, -2)).mean(axis=0)


def between_joints(similarity: np.ndarray) -> float:
    """Mean of a map (J, J) over pairs of different joints."""
    return float(similarity[~np.eye(len(similarity), dtype=bool)].mean())


def maps(similarities: Mapping[str, Mapping[str, np.ndarray]], joints: Sequence[str], note: str) -> Figure:
    """One map per panel on one scale, a row per model, a column per action.

    Args:
        similarities: model -> action -> (J, J), as `cosine` makes it.
    """
    columns = list(next(iter(similarities.values())))
    shape = len(similarities), len(columns)
    figure, panels = plt.subplots(*shape, figsize=(4.2 * shape[1], 4.4 * shape[0]), squeeze=False)
    least = min(found.min() for row in similarities.values() for found in row.values())
    names = [joint.replace("_", " ") for joint in joints]
    for row, (model, by_action) in zip(panels, similarities.items(), strict=True):
        for axes, (action, found) in zip(row, by_action.items(), strict=True):
            image = axes.imshow(found, cmap="viridis", vmin=least, vmax=1, interpolation="nearest")
            axes.set_title(f"{model}, {action}: {between_joints(found):.2f}", fontsize=9)
            axes.set_xticks(range(len(names)), names, rotation=90, fontsize=8)
            axes.set_yticks(range(len(names)), names, fontsize=8)
            axes.grid(False)
    figure.colorbar(image, ax=panels, shrink=0.6, label="cosine similarity; in titles the mean over other joints")
    source_note(figure, note)
    return figure
