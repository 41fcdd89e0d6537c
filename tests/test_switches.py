import numpy as np
import pytest

from poselib.errors import InputError
from poselib.figures import comparison
from poselib.ledger import effects
from poselib.records import Run
from poselib.switches import switches
from poselib.tables import write

KEY = {"divergence": "D-01", "against": "usual", "switch": "squared distances"}


def run(name, key, *errors, mean_pose=200.0):
    """A run of which every recording, of one action, is 10 mm around its error, the same for all runs."""
    offsets = np.linspace(-10, 10, 8)
    seeds = [
        {
            "action_mean": {"mpjpe": error},
            "per_recording": {"mpjpe": {f"S9 walk {i}": error + offset for i, offset in enumerate(offsets)}},
            "selected_on_test": {"mpjpe": error},
            "selected_epoch": 2,
            "updates": 10,
        }
        for error in errors
    ]
    sizes = {"frames": 4, "depth": 2, "dim": 8, "frame_stride": 1, "input_strides": [], "batch_frames": 32, "lr": 0.01}
    about = {"profile": "smoke", "role": "h36m", "source": "synthetic", "setting": {**sizes, "what": name}}
    return Run(name, key, {**about, "seeds": seeds, "mean_pose": {"mpjpe": mean_pose}})


def test_a_switched_run_stands_beside_the_one_it_differs_from_and_the_mean_pose_of_its_own_test():
    others = [run("usual", {"switch": "none"}, 80.0, mean_pose=100.0), run("elsewhere", {"switch": "none"}, 40.0)]
    (row,) = switches([*others, run("switched", KEY, 84.0, mean_pose=150.0)], 0.02).to_dict("records")
    assert row["mpjpe_mm measured"] == 84 and row["mpjpe_mm not switched"] == 80
    assert row["mpjpe_mm of mean pose"] == 150 and row["against"] == "usual" and row["experiment"] == "switched"
    assert [row[f"{name}_percent"] for name in ("change", "low", "high")] == [5.0, 5.0, 5.0]
    assert row["below 2 %"] == "fails (one seed)"


def test_with_seeds_the_change_has_the_interval_of_the_seeds():
    usual = run("usual", {"switch": "none"}, 79.0, 80.0, 81.0)
    row = switches([usual, run("switched", KEY, 79.5, 80.5, 81.5)], 0.02).iloc[0]
    # Welch for 3 against 3 with variance 1: half width t(4) * sqrt(2 / 3).
    half = 100 * 2.776 * np.sqrt(2 / 3) / 80
    assert row["change_percent"] == pytest.approx(0.6, abs=0.03)
    assert row["high_percent"] - row["change_percent"] == pytest.approx(half, abs=0.11)
    assert row["below 2 %"] == "within noise"


def test_what_was_not_run_says_so_and_has_no_effect(tmp_path):
    table = switches([run("usual", {"switch": "none"}, 80.0), Run("switched", KEY, None)], 0.02)
    assert table["status"][0].startswith("not run: ") and table["below 2 %"][0] == "not testable here"
    (tmp_path / "results/mixste").mkdir(parents=True)
    write(table, tmp_path / "results/mixste", "switches")
    assert effects(tmp_path, "results") == {}


def test_the_ledger_tells_all_switches_of_a_divergence(tmp_path):
    other = {**KEY, "switch": "no squares"}
    runs = [run("usual", {"switch": "none"}, 80.0), run("one", KEY, 84.0), run("other", other, 79.2)]
    (tmp_path / "results/mixste").mkdir(parents=True)
    write(switches(runs, 0.02), tmp_path / "results/mixste", "switches")
    said = "squared distances +5.0 % [+5.0, +5.0]; no squares -1.0 % [-1.0, -1.0]"
    assert effects(tmp_path, "results") == {("D-01", "mixste/switches"): said}
    (tmp_path / "results/mixste/switches.csv").write_text("divergence,switch\nD-01,a\n")
    with pytest.raises(InputError, match="mixste/switches.csv: no table of switches .* run 'dvc repro' again"):
        effects(tmp_path, "results")


def test_the_figure_has_a_point_and_an_interval_for_every_switch():
    runs = [run("usual", {"switch": "none"}, 80.0, 81.0), run("one", KEY, 84.0, 85.0), run("two", KEY, 79.0, 80.0)]
    table = switches(runs, 0.02)
    figure = comparison.changes(table, 0.02, "made of nothing")
    (axes,) = figure.axes
    points, (bars,) = axes.containers[0][0], axes.containers[0][2]
    assert points.get_xdata() == pytest.approx(table["change_percent"].astype(float))
    ends = np.array([segment[:, 0] for segment in bars.get_segments()])
    assert ends == pytest.approx(table[["low_percent", "high_percent"]].to_numpy(float))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["D-01: squared distances"] * 2
    comparison.plt.close(figure)
