"""The transcribed tables: what the papers print, and that it hangs together."""

from pathlib import Path

import pandas as pd
import pytest

from poselib.experiments import load_tables
from poselib.ledger import divergences
from poselib.pipeline import notebooks
from poselib.tables import reported

ROOT = Path(__file__).resolve().parent.parent
TABLES = sorted(
    p.relative_to(ROOT / "data/reported").with_suffix("").as_posix() for p in ROOT.glob("data/reported/*/table*.csv")
)


@pytest.mark.parametrize("table", TABLES)
def test_columns_and_ranges(table):
    rows = reported(ROOT, table)
    assert {"method", "own"} <= set(rows.columns) and set(rows["own"]) <= {0, 1}
    if "is_delta" in rows:
        rows = rows[rows["is_delta"] == 0]
    for column in rows.columns:
        if column.startswith("mpjpe") or column == "Avg":
            assert rows[column].dropna().between(5, 150).all(), column


def test_action_means_agree_with_the_printed_average():
    rows = reported(ROOT, "mixste/table02")
    actions = rows.loc[:, "Dir":"WalkT"]
    # Wang et al. print an average of their own that differs in every paper that quotes it.
    off = (actions.mean(axis=1) - rows["Avg"]).abs()
    assert off[rows["method"] != "Wang et al."].max() < 0.15
    assert actions.shape[1] == 15


def test_own_rows_of_uplift_and_upsample_agree_with_their_averages_and_with_each_other():
    rows = reported(ROOT, "uplift_upsample/table01").query("own == 1")
    assert (rows.loc[:, "Dir":"WalkT"].mean(axis=1) - rows["Avg"]).abs().max() < 0.06
    # Where no gap is filled, both ways of upsampling stand on the same poses.
    own = reported(ROOT, "uplift_upsample/table03").query("method == 'Ours'")
    assert (own.groupby("s_in")[["key_mpjpe_mm", "key_n_mpjpe_mm", "key_p_mpjpe_mm"]].nunique() == 1).all(axis=None)
    best = reported(ROOT, "uplift_upsample/table04").query("frames == 351 and own == 1")["mpjpe_mm"].item()
    assert best == rows.query("block == 'P1_MPJPE' and s_in == 20 and pretrain == 1")["Avg"].item()


@pytest.mark.parametrize("table", [t for t in load_tables(ROOT) if not t.endswith("figures")])
def test_every_own_row_has_a_run_and_every_printed_key_exists(table):
    rows, runs = reported(ROOT, table), load_tables(ROOT)[table]
    for _, row in rows[rows["own"] == 1].iterrows():
        matches = [run for run in runs if all(row.get(key) == value for key, value in run.row.items())]
        assert len(matches) == 1, dict(row)


def test_the_ledger_is_numbered_and_refers_to_tables_that_exist():
    ledger = pd.read_csv(ROOT / "data/divergences.csv", dtype=str, keep_default_na=False)
    assert ledger["id"].str.fullmatch(r"D-\d\d\d?").all()
    numbers = ledger["id"].str.removeprefix("D-").astype(int)
    assert numbers.is_unique and numbers.is_monotonic_increasing
    known = {*TABLES, *notebooks(ROOT)}
    for tables in ledger["tables"]:
        assert set(tables.split()) <= known
    assert (ledger.drop(columns="tables") != "").all(axis=None)
    assert len(divergences(ROOT, "tmt/table04")) == 1


def test_ledger_entries_named_in_the_code_exist():
    import re

    known = set(divergences(ROOT)["id"])
    named = {entry for path in ROOT.glob("poselib/**/*.py") for entry in re.findall(r"D-\d+", path.read_text())}
    assert named and named <= known, named - known
