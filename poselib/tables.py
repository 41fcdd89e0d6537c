"""Reported numbers beside measured ones: every row of a paper's table, what was run for it, or why nothing was."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from poselib.errors import InputError
from poselib.files import write_whole
from poselib.records import SOURCES, Run


def row_label(key: Mapping) -> str:
    """A row's key columns in a line, such as 'TMT, d_l 4, d_m 64'; empty ones are left out."""
    parts = [str(v) if k == "method" else f"{k} {v}" for k, v in key.items() if not pd.isna(v)]
    return ", ".join(parts)


def reported(root: Path, table: str) -> pd.DataFrame:
    """The paper's own table as transcribed, one row per printed row.

    Raises:
        InputError: there is no such file.
    """
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
    return row | provenance(run, status, next(iter(metrics.values()), "mpjpe"))


def _measured(column: str, metric: str, run: Run | None) -> dict:
    if run is None or run.record is None:
        return {f"{column} measured": np.nan, f"{column} spread": np.nan}
    values = run.errors(metric)
    return {f"{column} measured": round(values.mean(), 2), f"{column} spread": round(_spread(values), 2)}


def provenance(run: Run | None, status: str = "", metric: str = "mpjpe") -> dict:
    """What a row says of where it comes from; `status` of a row that no run fills, `metric` chooses on the test."""
    if run is None:
        return {"seeds": 0, "setting run": "", "source": "", "status": status, "experiment": ""}
    if run.record is None:
        status = f"not run: {run.not_run}"
        return {"seeds": 0, "setting run": "", "source": "", "status": status, "experiment": run.name}
    record = run.record
    told = record.get("told_in_the_test")
    return {
        "seeds": len(record["seeds"]),
        "chosen on test": round(run.values("selected_on_test", metric).mean(), 2) if not run.view else np.nan,
        "setting run": _setting_line(record),
        "source": SOURCES[record["source"]],
        "status": f"measured; told {told}" if told else "measured",
        "experiment": run.name,
    }


def _setting_line(record: Mapping) -> str:
    """The setting actually run: sizes, frames, updates, the epoch whose weights were kept, and what it started from."""
    run, seeds = record["setting"], record["seeds"]
    kept = "/".join(str(seed["selected_epoch"]) for seed in seeds)
    depth = "" if run["depth"] is None else f", depth {run['depth']}"
    sizes = f"T {run['frames']}{depth}, width {run['dim']}"
    sizes += f", interval {run['interval']}" if run.get("interval") else ""
    sizes += f", every {run['frame_stride']} frames" if run["frame_stride"] > 1 else ""
    sizes += f", 2D every {'/'.join(map(str, run['input_strides']))} frames" if run["input_strides"] else ""
    batch = f"{run['batch_frames']} frames" if run["batch_frames"] else f"{run['batch_clips']} clips"
    updates = f"{seeds[0]['updates']} updates of {batch} at rate {run['lr']:.3g}"
    line = f"{record['profile']}: {sizes}, {updates}, epoch {kept} kept"
    start = seeds[0].get("start")
    return f"{line}, started from {start['experiment']} ({SOURCES[start['source']]})" if start else line


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
    """A table with a column per action: printed rows, beneath each own row what was measured for it, then other runs.

    Args:
        actions: printed column -> action name in the records. An action that the source does not have stays empty.
        metric: metric name in the records.
    """
    rows, left = [], list(runs)
    for _, row in printed.iterrows():
        key = {"method": row["method"], **{k: row[k] for k in keys}}
        cells = {column: row[column] for column in (*actions, "Avg")}
        rows.append(key | {"kind": "reported"} | cells | {"status": "own" if row["own"] else "quoted"})
        run = next((run for run in left if row["own"] and all(row[k] == v for k, v in run.key.items())), None)
        if run is not None:
            left.remove(run)
            rows.append(key | {"kind": "measured"} | _actions_of(run, actions, metric) | provenance(run, "", metric))
    for run in left:
        key = {k: run.key.get(k) for k in ("method", *keys)}
        rows.append(key | {"kind": "measured"} | _actions_of(run, actions, metric) | provenance(run, "", metric))
    run = next((run for run in runs if run.record is not None), None)
    if run is not None:
        mean_pose = {"method": "mean pose (no input)", "kind": "measured"}
        mean_pose["Avg"] = round(run.record["mean_pose"][metric], 1)
        rows.append(mean_pose | {"source": SOURCES[run.record["source"]], "status": "baseline"})
    return pd.DataFrame(rows).convert_dtypes()


def _actions_of(run: Run, actions: Mapping[str, str], metric: str) -> dict:
    if run.record is None:
        return {}
    known = run.summaries[0]["per_action"][metric]
    cells = {
        column: round(run.values("per_action", metric, action).mean(), 1)
        for column, action in actions.items()
        if action in known
    }
    values = run.errors(metric)
    return cells | {"Avg": round(values.mean(), 1), "Avg spread": round(_spread(values), 2)}


def _spread(values: np.ndarray) -> float:
    return values.std(ddof=1) if len(values) > 1 else np.nan


def own_actions(runs: Sequence[Run], metric: str, labels: Sequence[str] = ()) -> pd.DataFrame:
    """Measured error of every action that the source has, one column per run, by label or by name; millimetres."""
    columns = {
        label: {
            action: run.values("per_action", metric, action).mean() for action in run.summaries[0]["per_action"][metric]
        }
        for label, run in zip(labels or [run.name for run in runs], runs, strict=True)
        if run.record is not None
    }
    return pd.DataFrame(columns).round(2).rename_axis("action").reset_index()


def write(table: pd.DataFrame, folder: Path, stem: str, footer: str = "") -> None:
    """Write <folder>/<stem>.csv and .md, the second with the footer below the table."""
    write_whole(folder / f"{stem}.csv", table.to_csv(index=False, lineterminator="\n"))
    write_whole(folder / f"{stem}.md", markdown(table, footer) + "\n")


def markdown(table: pd.DataFrame, footer: str = "") -> str:
    """A table for reading: what is absent stays empty, and a column without any value is left out."""
    shown = table.loc[:, (table.notna() & (table != "")).any()]
    sides = ["right" if pd.api.types.is_numeric_dtype(shown[column]) else "left" for column in shown]
    text = shown.astype(object).where(shown.notna(), "")
    numbers = shown.select_dtypes("number").columns
    for column in numbers[numbers.str.endswith((" measured", " spread", "on test"))]:
        places = max(len(str(value).partition(".")[2]) for value in shown[column].dropna())
        text[column] = ["" if pd.isna(value) else f"{value:.{places}f}" for value in shown[column]]
    # A citation before a bracket, "[37](T=81)", is no link.
    text = text.map(lambda cell: re.sub(r"(\[\d+\])\(", r"\1\\(", cell) if isinstance(cell, str) else cell)
    lines = text.to_markdown(index=False, disable_numparse=True, colalign=sides)
    return f"{lines}\n\n*{footer}*" if footer else lines
