"""Reported numbers beside measured ones: every row of a paper's table, what was run for it, or why nothing was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from poselib.errors import InputError
from poselib.experiments import load_parameters, load_tables
from poselib.files import write_whole
from poselib.records import SOURCES, read_record


@dataclass(frozen=True)
class Run:
    """A named experiment that fills a table row, with its record where it has been run."""

    name: str
    key: Mapping[str, str | int]
    record: Mapping | None

    @property
    def per_joint(self) -> dict[str, float]:
        """Error of every joint, mean over seeds, mm."""
        return {joint: self.values("per_joint", joint).mean() for joint in self.record["seeds"][0]["per_joint"]}

    def values(self, *path: str) -> np.ndarray:
        """One number per seed, found under these keys of the record, (S,); millimetres for errors."""
        found = []
        for seed in self.record["seeds"]:
            for part in path:
                seed = seed[part]
            found.append(float(seed))
        return np.array(found)


def runs_of(root: Path, table: str, results: str) -> list[Run]:
    """The experiments that fill this table, with their records under <results>/metrics.

    Args:
        table: 'paper/tableNN'; results: a folder below `root`, or empty for the one that params.yaml names.

    Raises:
        InputError: no experiment names the table, or a record is not readable.
    """
    rows = load_tables(root).get(table)
    if not rows:
        raise InputError(f"experiments/ names no runs for table {table!r}; add them under 'tables'")
    folder = root / _chosen(root, results) / "metrics"
    return [Run(row.experiment, row.row, read_record(folder / f"{row.experiment}.json")) for row in rows]


def folder_of(root: Path, results: str, paper: str) -> Path:
    """<results>/<paper>, where a notebook writes."""
    return root / _chosen(root, results) / paper


def _chosen(root: Path, results: str) -> str:
    """An empty `results` means what params.yaml names, so that a notebook opened by hand reads what its stage read."""
    return results or load_parameters(root).results


def row_label(key: Mapping) -> str:
    """A row's key columns in a line, such as 'TMT, d_l 4, d_m 64'; empty ones are left out."""
    parts = [str(v) if k == "method" else f"{k} {v}" for k, v in key.items() if not pd.isna(v)]
    return ", ".join(parts)


def named(runs: Sequence[Run], experiment: str) -> Run:
    """The run of this experiment.

    Raises:
        InputError: the table has no such run, or it has not been run.
    """
    found = {run.name: run for run in runs}
    if experiment not in found:
        raise InputError(f"the table has no run {experiment!r}; it has: {', '.join(found)}")
    if found[experiment].record is None:
        raise InputError(f"experiment {experiment!r} has no record yet; run 'dvc repro' first")
    return found[experiment]


def by_name(runs: Sequence[Run]) -> dict[str, Run]:
    """The runs by experiment name."""
    return {run.name: run for run in runs}


def source_line(runs: Sequence[Run]) -> str:
    """Where the runs' numbers come from, for captions: source, profile, seeds, and the credits that are due."""
    records = [run.record for run in runs if run.record is not None]
    if not records:
        return "not run: no record yet"
    first = records[0]
    if other := [r["experiment"] for r in records if (r["data"], r["profile"]) != (first["data"], first["profile"])]:
        raise InputError(f"the record of {other[0]} is of other data or another profile; run 'dvc repro' again")
    parts = [SOURCES[first["source"]], f"profile {first['profile']}", f"{len(first['seeds'])} seed(s)"]
    return "; ".join(parts + [text for text in first["credits"] if first["source"] != "synthetic"])


def reported(root: Path, table: str) -> pd.DataFrame:
    """The paper's own table as transcribed, one row per printed row."""
    path = root / "data/reported" / f"{table}.csv"
    if not path.is_file():
        raise InputError(f"{path}: this table is not transcribed; add it")
    return pd.read_csv(path)


def side_by_side(
    printed: pd.DataFrame, runs: Sequence[Run], keys: Sequence[str], metrics: Mapping[str, str]
) -> pd.DataFrame:
    """A table of single numbers: each printed row with its measurement, then rows of runs that the paper has not.

    Rows that agree in all keys but the first stand together, so that what differs there can be compared.

    Args:
        printed: the reported table; quoted rows (own = 0) are never measured.
        keys: columns that identify a row.
        metrics: reported column -> metric name in the records; action means are shown.
    """
    left = list(runs)
    rows = []
    for _, row in printed.iterrows():
        match = next((run for run in left if row["own"] and all(row[k] == v for k, v in run.key.items())), None)
        if match is not None:
            left.remove(match)
        status = "quoted" if not row["own"] else "not run: no experiment names this row"
        rows.append(_row({k: row[k] for k in keys}, {m: row[m] for m in metrics}, match, metrics, status))
    for run in left:
        rows.append(_row({k: run.key.get(k) for k in keys}, dict.fromkeys(metrics, np.nan), run, metrics, ""))
    groups = list(dict.fromkeys(tuple(row[key] for key in keys[1:]) for row in rows))
    rows.sort(key=lambda row: groups.index(tuple(row[key] for key in keys[1:])))
    rows.append(_mean_pose_row(runs, keys, metrics))
    return pd.DataFrame(rows).convert_dtypes()


def counted(
    printed: pd.DataFrame,
    keys: Sequence[str],
    counts: Mapping[str, Sequence[float]],
    apart: Mapping[str, str | Sequence[str]] = MappingProxyType({}),
) -> pd.DataFrame:
    """A table of cells that are counted, not trained: each printed row, its counts, what they differ by.

    Args:
        keys: columns that identify a row.
        counts: reported column -> the count of every row in its unit, NaN where nothing here can be counted.
        apart: reported column that is not counted -> what stands in place of a measurement.
    """
    table = printed[list(keys)].convert_dtypes()
    for column, values in counts.items():
        table[f"{column} reported"], table[f"{column} measured"] = printed[column], values
        table[f"{column} difference"] = table[f"{column} measured"] - printed[column]
    for column, words in apart.items():
        table[f"{column} reported"], table[f"{column} measured"] = printed[column], words
    return table


def row_labels(table: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    """The key columns of every row in a line, for figures."""
    return [row_label(row) for row in table[list(keys)].to_dict("records")]


def _row(key: Mapping, printed: Mapping, run: Run | None, metrics: Mapping[str, str], status: str) -> dict:
    row = dict(key)
    for column, metric in metrics.items():
        row[f"{column} reported"] = printed[column]
        row |= _measured(column, metric, run)
    return row | _provenance(run, status)


def _measured(column: str, metric: str, run: Run | None) -> dict:
    if run is None or run.record is None:
        return {f"{column} measured": np.nan, f"{column} spread": np.nan}
    values = run.values("action_mean", metric)
    spread = values.std(ddof=1) if len(values) > 1 else np.nan
    return {f"{column} measured": round(values.mean(), 2), f"{column} spread": round(spread, 2)}


def _provenance(run: Run | None, status: str) -> dict:
    if run is None:
        return {"seeds": 0, "setting run": "", "source": "", "status": status, "experiment": ""}
    if run.record is None:
        status = "not run: no record yet, 'dvc repro' makes it"
        return {"seeds": 0, "setting run": "", "source": "", "status": status, "experiment": run.name}
    record = run.record
    return {
        "seeds": len(record["seeds"]),
        "chosen on test": round(run.values("selected_on_test", "mpjpe").mean(), 2),
        "setting run": _setting_line(record),
        "source": SOURCES[record["source"]],
        "status": "measured",
        "experiment": run.name,
    }


def _setting_line(record: Mapping) -> str:
    """The setting actually run: sizes, updates made, and the epoch whose weights were kept."""
    run, seeds = record["setting"], record["seeds"]
    kept = "/".join(str(seed["selected_epoch"]) for seed in seeds)
    sizes = f"T {run['frames']}, depth {run['depth']}, width {run['dim']}"
    return f"{record['profile']}: {sizes}, {seeds[0]['updates']} updates, epoch {kept} kept"


def _mean_pose_row(runs: Sequence[Run], keys: Sequence[str], metrics: Mapping[str, str]) -> dict:
    """The predictor that always answers the mean training pose, so that errors can be read against it."""
    row = {keys[0]: "mean pose (no input)"}
    run = next((run for run in runs if run.record is not None), None)
    for column, metric in metrics.items():
        row[f"{column} measured"] = np.nan if run is None else round(run.record["mean_pose"][metric], 2)
    source = "" if run is None else SOURCES[run.record["source"]]
    return row | {"seeds": 0, "source": source, "status": "baseline" if run else "not run: no record yet"}


def per_action(
    printed: pd.DataFrame, runs: Sequence[Run], keys: Sequence[str], actions: Mapping[str, str], metric: str
) -> pd.DataFrame:
    """A table with a column per action: printed rows, and beneath each own row what was measured for it.

    Args:
        actions: printed column -> action name in the records. An action that the source does not have stays empty.
        metric: metric name in the records.
    """
    rows = []
    for _, row in printed.iterrows():
        key = {"method": row["method"], **{k: row[k] for k in keys}}
        cells = {column: row[column] for column in (*actions, "Avg")}
        rows.append(key | {"kind": "reported"} | cells | {"status": "own" if row["own"] else "quoted"})
        run = next((run for run in runs if row["own"] and all(row[k] == v for k, v in run.key.items())), None)
        if run is not None:
            rows.append(key | {"kind": "measured"} | _actions_of(run, actions, metric) | _provenance(run, ""))
    run = next((run for run in runs if run.record is not None), None)
    if run is not None:
        mean_pose = {"method": "mean pose (no input)", "kind": "measured"}
        mean_pose["Avg"] = round(run.record["mean_pose"][metric], 1)
        rows.append(mean_pose | {"source": SOURCES[run.record["source"]], "status": "baseline"})
    return pd.DataFrame(rows).convert_dtypes()


def _actions_of(run: Run, actions: Mapping[str, str], metric: str) -> dict:
    if run.record is None:
        return {}
    known = run.record["seeds"][0]["per_action"][metric]
    cells = {
        column: round(run.values("per_action", metric, action).mean(), 1)
        for column, action in actions.items()
        if action in known
    }
    return cells | {"Avg": round(run.values("action_mean", metric).mean(), 1)}


def own_actions(runs: Sequence[Run], metric: str) -> pd.DataFrame:
    """Measured error of every action that the source has, one column per run; millimetres."""
    columns = {
        run.name: {
            action: run.values("per_action", metric, action).mean()
            for action in run.record["seeds"][0]["per_action"][metric]
        }
        for run in runs
        if run.record is not None
    }
    return pd.DataFrame(columns).round(2).rename_axis("action").reset_index()


def write(table: pd.DataFrame, folder: Path, stem: str) -> None:
    """Write <folder>/<stem>.csv and .md."""
    write_whole(folder / f"{stem}.csv", table.to_csv(index=False, lineterminator="\n"))
    write_whole(folder / f"{stem}.md", markdown(table) + "\n")


def markdown(table: pd.DataFrame) -> str:
    """A table for reading: what is absent stays empty, and a column without any value is left out."""
    shown = table.loc[:, (table.notna() & (table != "")).any()]
    sides = ["right" if pd.api.types.is_numeric_dtype(shown[column]) else "left" for column in shown]
    text = shown.astype(object).where(shown.notna(), "")
    numbers = shown.select_dtypes("number").columns
    for column in numbers[numbers.str.endswith((" measured", " spread", "on test"))]:
        places = max(len(str(value).partition(".")[2]) for value in shown[column].dropna())
        text[column] = ["" if pd.isna(value) else f"{value:.{places}f}" for value in shown[column]]
    return text.to_markdown(index=False, disable_numparse=True, colalign=sides)
