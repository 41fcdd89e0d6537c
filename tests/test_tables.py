from pathlib import Path

import pandas as pd
import pytest

from poselib import records, tables
from poselib.errors import InputError
from poselib.records import Run

ROOT = Path(__file__).resolve().parent.parent


def record(*errors, source="synthetic", actions=("Walking", "Sitting")):
    seeds = [
        {
            "action_mean": {"mpjpe": error, "mpjve": error / 10},
            "selected_on_test": {"mpjpe": error - 1},
            "selected_epoch": 2,
            "updates": 7,
            "per_action": {"mpjpe": dict(zip(actions, (error - 5, error + 5), strict=True))},
            "per_recording": {"mpjpe": {f"S9 {i}": error + i for i in range(4)}},
        }
        for error in errors
    ]
    return {
        "profile": "smoke",
        "role": "h36m",
        "source": source,
        "experiment": "x",
        "data": "d",
        "setting": {"frames": 3, "depth": 1, "dim": 8, "batch_frames": None, "batch_clips": 6, "lr": 0.001}
        | {"frame_stride": 1, "input_strides": []},
        "mean_pose": {"mpjpe": 200.0, "mpjve": 7.0},
        "credits": ["CMU asks for credit."],
        "seeds": seeds,
    }


PRINTED = pd.DataFrame({"method": ["A", "B", "C"], "d": [1, 1, 2], "own": [0, 1, 1], "mpjpe_mm": [30.0, 20.0, 10.0]})


def test_side_by_side_shows_every_row_and_says_what_was_run():
    runs = [Run("b1", {"method": "B", "d": 1}, record(50.0, 54.0)), Run("extra", {"method": "X"}, record(60.0))]
    table = tables.side_by_side(PRINTED, runs, ["method", "d"], {"mpjpe_mm": "mpjpe"}).set_index("method")
    assert list(table["status"]) == [
        "quoted",
        "measured",
        "not run: no experiment names this row",
        "measured",
        "baseline",
    ]
    assert table.loc["B", "mpjpe_mm reported"] == 20 and table.loc["B", "mpjpe_mm measured"] == 52
    assert table.loc["B", "mpjpe_mm spread"] == pytest.approx(2.83) and table.loc["B", "seeds"] == 2
    assert table.loc["B", "chosen on test"] == 51
    assert pd.isna(table.loc["A", "mpjpe_mm measured"]) and pd.isna(table.loc["X", "mpjpe_mm reported"])
    assert table.loc["mean pose (no input)", "mpjpe_mm measured"] == 200
    assert (
        table.loc["B", "setting run"]
        == "smoke: T 3, depth 1, width 8, 7 updates of 6 clips at rate 0.001, epoch 2/2 kept"
    )


def test_a_citation_before_a_bracket_is_no_link():
    text = tables.markdown(pd.DataFrame({"method": ["A. [37](T=81)"], "mpjpe_mm": [13.1]}))
    assert r"A. [37]\(T=81)" in text and "](" not in text


def test_a_row_says_what_its_training_started_from_and_what_its_test_was_told():
    begun = record(50.0)
    begun["seeds"][0]["start"] = {"experiment": "mocap", "source": "amass", "data": "d"}
    begun["told_in_the_test"] = "the true depth"
    table = tables.side_by_side(PRINTED, [Run("b", {"method": "B"}, begun)], ["method"], {"mpjpe_mm": "mpjpe"})
    row = table.set_index("method").loc["B"]
    assert (
        row["setting run"].endswith("started from mocap (AMASS)") and row["status"] == "measured; told the true depth"
    )


def test_stand_in_data_says_so_in_the_table():
    for source, words in (("synthetic", "stand-in"), ("cmu", "motion capture"), ("human36m", "Human3.6M")):
        runs = [Run("b", {"method": "B"}, record(50.0, source=source))]
        table = tables.side_by_side(PRINTED, runs, ["method"], {"mpjpe_mm": "mpjpe"})
        assert words in table.set_index("method").loc["B", "source"]
        assert words in records.source_line(runs)
    assert "credit" in records.source_line([Run("b", {}, record(1.0, source="cmu"))])


def test_missing_records_are_not_run_with_the_reason():
    table = tables.side_by_side(PRINTED, [Run("b", {"method": "B"}, None)], ["method"], {"mpjpe_mm": "mpjpe"})
    row = table.set_index("method").loc["B"]
    assert row["status"].startswith("not run") and pd.isna(row["mpjpe_mm measured"]) and row["seeds"] == 0


def test_per_action_rows_stand_under_the_papers_own():
    printed = PRINTED.assign(Walk=[1.0, 2, 3], Sit=[4.0, 5, 6], Avg=[7.0, 8, 9])
    runs = [Run("b", {"method": "B"}, record(50.0, 52.0, actions=("Walking", "dance")))]
    setting = {"frames": 3, "depth": None, "dim": 8, "batch_frames": 9, "batch_clips": None, "lr": 0.01}
    setting |= {"frame_stride": 2, "input_strides": [2, 4]}
    extra = Run("x", {"method": "X", "d": 1}, record(70.0) | {"setting": setting, "told_in_the_test": "the depth"})
    table = tables.per_action(printed, [extra, *runs], ["d"], {"Walk": "Walking", "Sit": "Sitting"}, "mpjpe")
    measured = table[(table["method"] == "B") & (table["kind"] == "measured")].iloc[0]
    assert measured["Walk"] == 46 and pd.isna(measured["Sit"])
    assert measured["Avg"] == 51 and measured["Avg spread"] == pytest.approx(1.41)
    assert list(table["method"]) == ["A", "B", "B", "C", "X", "mean pose (no input)"]
    assert list(table["kind"]) == ["reported", "reported", "measured", "reported", "measured", "measured"]
    assert table["status"].iloc[4] == "measured; told the depth" and table["Sit"].iloc[4] == 75
    assert table["setting run"].iloc[4] == (
        "smoke: T 3, width 8, every 2 frames, 2D every 2/4 frames, 7 updates of 9 frames at rate 0.01, epoch 2 kept"
    )
    assert list(tables.own_actions(runs, "mpjpe")["action"]) == ["Walking", "dance"]
    assert list(tables.own_actions(runs, "mpjpe", ["B, T 3"])) == ["action", "B, T 3"]


def test_counted_cells_stand_beside_the_printed_ones_and_the_rest_says_why_not():
    table = tables.counted(PRINTED, ["method"], {"d": [1.5, float("nan"), 1.0]}, {"mpjpe_mm": ["quoted", "-", "-"]})
    assert list(table["method"]) == ["A", "B", "C"] and list(table["d reported"]) == [1, 1, 2]
    assert list(table["d difference"].dropna()) == [0.5, -1.0] and pd.isna(table["d difference"][1])
    assert list(table["mpjpe_mm reported"]) == [30, 20, 10] and table["mpjpe_mm measured"][0] == "quoted"


def test_written_tables_are_the_same_bytes_twice(tmp_path):
    table = tables.side_by_side(PRINTED, [Run("b", {"method": "B"}, record(50.0))], ["method"], {"mpjpe_mm": "mpjpe"})
    tables.write(table, tmp_path, "a")
    tables.write(table, tmp_path, "b")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert "| B " in (tmp_path / "a.md").read_text() and "nan" not in (tmp_path / "a.md").read_text().lower()


def test_a_table_for_reading_has_no_empty_column_and_equal_decimals():
    table = tables.side_by_side(PRINTED, [Run("b", {"method": "B"}, record(50.25))], ["method"], {"mpjpe_mm": "mpjpe"})
    text = tables.markdown(table)
    assert "spread" in table.columns[3] and "spread" not in text
    cells = [[cell.strip() for cell in line.split("|")[1:4]] for line in text.splitlines()]
    assert cells[1][1].endswith(":") and cells[3] == ["B", "20", "50.25"] and cells[5][2] == "200.00"
    assert tables.markdown(table.iloc[:0]) == ""


def test_an_empty_results_folder_is_the_one_that_params_name(tmp_path):
    text = (ROOT / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(text.replace("results: results", "results: results/smoke-synthetic", 1))
    assert records.folder_of(tmp_path, "", "tmt") == tmp_path / "results/smoke-synthetic/tmt"
    assert records.folder_of(tmp_path, "elsewhere", "tmt") == tmp_path / "elsewhere/tmt"


def test_rows_are_named_by_their_keys():
    assert tables.row_label({"method": "TMT", "d_l": 4, "d_m": float("nan")}) == "TMT, d_l 4"
    assert tables.row_label({"frames": 243}) == "frames 243"


def test_unknown_tables():
    with pytest.raises(InputError, match="names no runs"):
        records.runs_of(ROOT, "tmt/table99", "results")
    with pytest.raises(InputError, match="not transcribed"):
        tables.reported(ROOT, "tmt/table99")


def test_measured_columns_of_words_are_shown_as_they_are():
    table = pd.DataFrame({"method": ["a", "b"], "params measured": ["0.84", ">= 18.92"], "mm measured": [1.5, None]})
    lines = tables.markdown(table).splitlines()
    assert lines[2].split() == ["|", "a", "|", "0.84", "|", "1.5", "|"] and ">= 18.92" in lines[3]


def test_a_row_that_cannot_run_says_why_and_a_footer_names_what_made_a_table():
    run = Run("", {"method": "B"}, None, not_run="these detections are not published")
    table = tables.side_by_side(PRINTED, [run], ["method"], {"mpjpe_mm": "mpjpe"}).set_index("method")
    assert table.loc["B", "status"] == "not run: these detections are not published"
    footer = records.footer(ROOT, "tmt/table07", [Run("b", {"method": "B"}, record(50.0, 51.0))])
    for words in (
        "notebooks/tmt/table07.ipynb",
        "table-tmt-table07",
        "stand-in",
        "profile smoke",
        "2 seed(s)",
        "commit",
    ):
        assert words in footer
    assert "counted, no data" in records.footer(ROOT, "tmt/table04")
    assert tables.markdown(table, footer).endswith(f"\n\n*{footer}*")


def test_sources_of_several_roles_are_named_by_role():
    first, second = record(50.0), {**record(60.0, source="humaneva"), "role": "humaneva", "data": "e"}
    line = records.source_line([Run("a", {}, first), Run("b", {}, second)])
    assert "synthetic (stand-in) for h36m, HumanEva-I for humaneva" in line
    more = {**first, "seeds": first["seeds"] * 2}
    assert "1 or 2 seed(s)" in records.source_line([Run("a", {}, first), Run("b", {}, more)])
    with pytest.raises(InputError, match="other data"):
        records.source_line([Run("a", {}, first), Run("b", {}, {**first, "data": "e"})])
