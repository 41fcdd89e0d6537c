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
    # Velocity errors, mm per frame, are ten times smaller.
    rows = rows[rows["metric"] != "mpjve"] if "metric" in rows else rows
    if "is_delta" in rows:
        rows = rows[rows["is_delta"] == 0]
    for column in rows.columns:
        if column.startswith("mpjpe") or column in ("Avg", "avg"):
            assert rows[column].dropna().between(5, 150).all(), column


@pytest.mark.parametrize(
    ("table", "differ"),
    [
        # Averages that differ from their rows in print; those of Pavlakos and Wang do so in every paper that has them.
        ("mixste/table01", ["Pavlakos et al.", "Ours, HRNet", "Wang et al., HRNet", "Ours, HRNet"]),
        ("mixste/table02", ["Wang et al., GT"]),
    ],
)
def test_action_means_agree_with_the_printed_average(table, differ):
    rows = reported(ROOT, table)
    actions = rows.loc[:, "Dir":"WalkT"]
    off = (actions.mean(axis=1) - rows["Avg"]).abs() > 0.15
    assert list((rows["method"] + (", " + rows["detector"]).fillna(""))[off]) == differ
    assert actions.shape[1] == 15


def test_tmts_action_means_agree_but_for_its_one_wrong_cell():
    rows = pd.concat([reported(ROOT, "tmt/table01"), reported(ROOT, "tmt/table02")])
    rows = rows[rows["own"] == 1].set_index("label")
    wrong = rows.index == "TMT (CPN,T=81,MixSTE-based)"
    assert rows.loc[wrong, "Wait"].item() == 50.8
    rows.loc[wrong, "Wait"] = 40.8
    assert (rows.loc[:, "Dir":"WalkT"].mean(axis=1) - rows["Avg"]).abs().max() < 0.06


def test_tmts_tables_agree_where_they_print_the_same_run():
    errors = {number: reported(ROOT, f"tmt/table{number}") for number in ("01", "06", "07", "08", "09", "10")}
    ours = {number: rows[(rows["method"] == "TMT") & (rows["own"] == 1)] for number, rows in errors.items()}
    shared = ours["07"].merge(ours["06"], on=["d_l", "d_m", "frames"])
    assert len(shared) == 4 and (shared["mpjpe_mm_x"] == shared["mpjpe_mm_y"]).all()
    best = [ours["01"]["Avg"].min(), ours["06"]["mpjpe_mm"].min(), ours["08"]["mpjpe_mm"].min()]
    best += [ours["09"]["mpjpe_mm"].min(), errors["10"]["mpjpe_mm"].min()]
    assert best == [18.6] * 5
    mixste, tmt = (errors["08"][errors["08"]["method"] == name].set_index("m") for name in ("MixSTE", "TMT"))
    gain = 100 * (1 - tmt["mpjpe_mm"] / mixste["mpjpe_mm"])
    assert (gain - tmt["improvement_pct"]).abs().max() < 0.01


def test_humaneva_means_agree_with_the_printed_average():
    rows = reported(ROOT, "mixste/table04")
    assert (rows.loc[:, "walk_s1":"jog_s3"].mean(axis=1) - rows["avg"]).abs().max() < 0.05


def test_own_rows_of_uplift_and_upsample_agree_with_their_averages_and_with_each_other():
    rows = reported(ROOT, "uplift_upsample/table01").query("own == 1")
    assert (rows.loc[:, "Dir":"WalkT"].mean(axis=1) - rows["Avg"]).abs().max() < 0.06
    # Where no gap is filled, both ways of upsampling stand on the same poses.
    own = reported(ROOT, "uplift_upsample/table03").query("method == 'Ours'")
    assert (own.groupby("s_in")[["key_mpjpe_mm", "key_n_mpjpe_mm", "key_p_mpjpe_mm"]].nunique() == 1).all(axis=None)
    best = reported(ROOT, "uplift_upsample/table04").query("frames == 351 and own == 1")["mpjpe_mm"].item()
    assert best == rows.query("block == 'P1_MPJPE' and s_in == 20 and pretrain == 1")["Avg"].item()


@pytest.mark.parametrize("table", [t for t in load_tables(ROOT) if "/table" in t])
def test_every_own_row_has_a_run_and_every_printed_key_exists(table):
    rows, runs = reported(ROOT, table), [dict(run.row) for run in load_tables(ROOT)[table]]
    # Where every cell of a row is a run of its own, the key 'column' says which.
    columns = {run.pop("column", None) for run in map(dict, runs)}
    assert columns == {None} or columns <= set(rows.columns)
    for _, row in rows[rows["own"] == 1].iterrows():
        for column in columns:
            cell = {**row, "column": column}
            matches = [run for run in runs if all(cell.get(key) == value for key, value in run.items())]
            assert len(matches) == 1, cell


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
