from pathlib import Path

import pandas as pd
import pytest

from poselib.experiments import load_tables
from poselib.project import notebooks
from poselib.scoreboard import OUTCOMES, data_line, front_page, overview, scoreboard, training_times

ROOT = Path(__file__).resolve().parent.parent
RESULTS = "results"


def test_the_front_page_names_every_judged_claim_once_under_its_outcome():
    board, front = scoreboard(ROOT, RESULTS), front_page(ROOT, RESULTS)
    assert len(board) > 15 and len(front) == board["table"].nunique()
    shown = {
        (row["table"], claim): outcome
        for row in front.to_dict("records")
        for outcome in OUTCOMES
        for claim in filter(None, row[outcome].split("; "))
    }
    said = {(row.table, row.claim): row.verdict.removesuffix(" (one seed)") for row in board.itertuples()}
    assert shown == said


def test_the_overview_has_every_table_and_counts_every_claim():
    board, rows = scoreboard(ROOT, RESULTS), overview(ROOT, RESULTS).set_index("table")
    assert list(rows.index) == [name for name in notebooks(ROOT) if "/" in name]
    assert rows[OUTCOMES].to_numpy().sum() == len(board)
    verdicts = board[board["table"] == "tmt/table07"]["verdict"]
    assert rows.loc["tmt/table07", "fails"] == verdicts.str.startswith("fails").sum()
    assert rows.loc["tmt/table07", "data"] == "synthetic (stand-in)"
    assert rows.loc["tmt/table07", "profile"] == "demo"
    assert rows.loc["tmt/table07", "runs made"].endswith(f" of {len(load_tables(ROOT)['tmt/table07'])}")
    assert rows.loc["tmt/table04", "data"] == "counted or timed, no training"
    for name, row in rows.iterrows():
        executed = (ROOT / RESULTS / f"{name}.ipynb").is_file()
        assert executed or row["data"] == "not run: no executed notebook", name


def test_the_data_are_named_with_the_credits_that_are_due():
    assert "stand-in" in data_line(ROOT, "results")


def test_training_times_are_the_ends_of_all_seeds_where_they_are_noted(tmp_path):
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    (tmp_path / "results/logs").mkdir(parents=True)
    (tmp_path / "results/metrics").symlink_to(ROOT / RESULTS / "metrics")
    noted = sorted((tmp_path / "results/metrics").glob("tmt_*_d4_*.json"))
    for path in noted:
        lines = "seed,epoch,seconds\n0,1,0.5\n0,2,1.5\n1,1,0.5\n1,2,2.0\n"
        (tmp_path / f"results/logs/{path.stem}.timing.csv").write_text(lines)
    rows = training_times(tmp_path, "results").set_index("table")
    assert len(noted) == 5 and rows.loc["tmt/table07", "timed"] == 5 < rows.loc["tmt/table07", "trainings"]
    assert rows.loc["tmt/table07", "seconds"] == pytest.approx(5 * 3.5)
    assert rows.loc["mixste/table06", "timed"] == 0 and pd.isna(rows.loc["mixste/table06", "seconds"])
