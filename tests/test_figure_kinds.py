"""The pictures that several notebooks share say what they should."""

import numpy as np
import pandas as pd
import pytest

from poselib.figures import attention, comparison, curves, poses, similarity, velocity
from poselib.skeleton import SKELETONS

BODY = SKELETONS["h36m_17"]


def test_sheet_marks_the_better_model_and_rings_its_rival():
    truth = np.random.default_rng(0).normal(size=(17, 3)) * 0.3
    off = truth.copy()
    off[5] += 0.05
    figure = poses.sheet({"S9 Walking": (truth, {"near": truth, "far": off})}, BODY, "note")
    near, _, far, _ = figure.axes
    assert near.get_title(loc="left") == "✓ near: 0.0 mm" and far.get_title(loc="left") == "far: 5.1 mm"
    rings = [len(line.get_xdata()) for axes in (near, far) for line in axes.lines if line.get_marker() == "o"]
    assert rings == [0, 1]
    alone = poses.sheet({"S9 Walking": (truth, {"far": off})}, BODY, "note")
    assert alone.axes[0].get_title(loc="left") == "far: 5.1 mm"
    assert "ring:" not in alone.get_supxlabel() and "ring:" in figure.get_supxlabel()
    assert all(note.get_supxlabel().startswith("blue: left, vermillion: right") for note in (figure, alone))
    (left, right), (bottom, top) = near.get_xlim(), near.get_ylim()
    assert left < truth[:, [0, 2]].min() and truth[:, [0, 2]].max() < right
    assert top < truth[:, 1].min() and truth[:, 1].max() < bottom and far.get_xlim() == (left, right)


def test_curves_average_seeds_and_shares_count_poses():
    log = pd.DataFrame({"seed": [0, 1], "updates": [10, 10], "loss": [1.0, 3.0], "test_mpjpe_mm": [50.0, 70.0]})
    figure = curves.training({"run": log}, "note")
    assert [axes.lines[0].get_ydata()[0] for axes in figure.axes] == pytest.approx([2.0, 60.0])
    figure = curves.distribution({"run": np.array([5.0, 15.0, 45.0, 95.0])}, "note")
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == "run: 50% above 40 mm"
    assert figure.axes[0].lines[0].get_ydata().sum() == pytest.approx(100)


def test_similarity_is_one_for_parallel_features_and_judged_between_joints_only():
    features = np.array([[[1.0, 0.0], [5.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [-3.0, 0.0], [0.0, 1.0]]])
    found = similarity.cosine(features)
    np.testing.assert_allclose(found, [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    found = similarity.cosine(features[:1])
    np.testing.assert_allclose(found, [[1, 1, 0], [1, 1, 0], [0, 0, 1]])
    assert not similarity.cosine(np.zeros((1, 2, 3))).any()
    assert similarity.between_joints(found) == pytest.approx(1 / 3)
    figure = similarity.maps({"one layer": {"Eating": found}}, ("a", "b", "left_c"), "note")
    assert figure.axes[0].get_title() == "one layer, Eating: 0.33"
    assert figure.axes[0].get_yticklabels()[2].get_text() == "left c"


def test_comparisons_name_their_metric():
    errors = pd.DataFrame({"action": ["Eating", "Walking"], "run": [50.0, 40.0]})
    assert comparison.actions(errors, "note", "P-MPJPE").axes[0].get_ylabel() == "P-MPJPE (mm)"
    table = pd.DataFrame(
        {f"p_mpjpe_mm {kind}": [1.0] for kind in ("reported", "measured", "spread")} | {"status": "own"}
    )
    assert comparison.dots(table, ["row"], "p_mpjpe_mm", "mm", "note").axes[0].get_xlabel() == "P-MPJPE (mm)"


def test_the_baseline_is_a_number_beside_the_dots_and_no_row_is_cut():
    table = pd.DataFrame({"pck reported": [None, 60.0, None], "pck measured": [70.0, 71.0, 203.4], "pck spread": None})
    table = table.assign(status=["measured", "measured", "baseline"]).convert_dtypes()
    reported, measured = comparison.dots(table, ["a", "b", "mean pose"], "pck", "%", "note").axes
    assert [text.get_text() for text in measured.texts] == ["mean pose: 203.4 %"] and not reported.texts
    assert measured.get_xlim()[1] < 75 and measured.get_ylim() == reported.get_ylim() == (2.5, -0.5)
    np.testing.assert_array_equal(measured.lines[0].get_xdata(), [70, 71, np.nan])


def test_heads_tell_their_range_and_how_to_read_the_colours():
    figure = attention.heads(np.array([[[0.25, 0.75], [0.5, 0.5]], [[0.4, 0.6], [0.5, 0.5]]]), "frames", "note")
    *panels, bar = figure.axes
    assert [panel.get_title() for panel in panels] == ["frames, head 1, 0.250-0.750", "frames, head 2, 0.400-0.600"]
    assert "its smallest to its largest" in bar.get_ylabel()


def test_labels_of_near_points_stand_apart():
    speed = {"left_wrist": 24.0, "left_ankle": 27.5, "right_wrist": 24.5, "right_ankle": 27.8, "nose": 24.2, "hip": 3.0}
    figure = velocity.scatter({**dict.fromkeys(speed, 118.0), "hip": 20.0}, speed, (0.9, 0.8, 1.0), "note")
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert [text.get_text() for text in figure.axes[0].texts] == ["hip", "wrist", "nose", "ankle"]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
