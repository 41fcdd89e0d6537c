"""All verdicts on one page, and what every table was made from."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from poselib.claims import FAILS, HOLDS, NOISE, UNTESTABLE
from poselib.errors import InputError
from poselib.experiments import load_tables
from poselib.project import notebooks, title
from poselib.records import SOURCES, Run, runs_of, timing_of

OUTCOMES = [HOLDS, NOISE, FAILS, UNTESTABLE]
COLUMNS = ["claim", "sentence", "verdict", "run_at", "evidence", "basis"]


def scoreboard(root: Path, results: str) -> pd.DataFrame:
    """Every claim that a notebook judged: table, claim, verdict, evidence; tables in order of paper and number.

    Raises:
        InputError: a file of claims that is damaged or has other columns.
    """
    parts = []
    for path in sorted((root / results).glob("*/*.claims.csv")):
        table = f"{path.parent.name}/{path.name.removesuffix('.claims.csv')}"
        try:
            claims = pd.read_csv(path, dtype=str, keep_default_na=False)[COLUMNS]
        except (KeyError, ValueError) as error:
            raise InputError(f"{path}: no table of claims ({error}); run 'dvc repro' again") from error
        claims.insert(0, "table", table)
        parts.append(claims)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["table", *COLUMNS])


def outcome(verdict: str) -> str:
    """A verdict without what it says of seeds."""
    return verdict.partition(" (")[0]


def front_page(root: Path, results: str) -> pd.DataFrame:
    """A row per table with the names of the claims that came out each way, failures as prominent as successes."""
    board = scoreboard(root, results)
    names = board["claim"].groupby([board["table"], board["verdict"].map(outcome)], sort=False).agg("; ".join)
    return names.unstack(fill_value="").reindex(columns=OUTCOMES, fill_value="").reset_index()


def overview(root: Path, results: str) -> pd.DataFrame:
    """A row per notebook of a paper: its claims counted by outcome, and what its numbers were made from."""
    board, tables, rows = scoreboard(root, results), load_tables(root), []
    for notebook in (name for name in notebooks(root) if "/" in name):
        counts = board["verdict"][board["table"] == notebook].map(outcome).value_counts()
        runs = runs_of(root, notebook, results) if notebook in tables else []
        executed = (root / results / f"{notebook}.ipynb").is_file()
        rows.append(
            {"table": notebook, "about": title(root, notebook)}
            | {verdict: counts.get(verdict, 0) for verdict in OUTCOMES}
            | (_made_from(runs) if executed else _nothing("not run: no executed notebook"))
        )
    return pd.DataFrame(rows)


def _made_from(runs: Sequence[Run]) -> dict[str, str]:
    if not runs:
        return _nothing("counted or timed, no training")
    records = [run.record for run in runs if run.record is not None]
    return {
        "data": _alike(SOURCES[record["source"]] for record in records) or "not run: no record yet",
        "profile": _alike(record["profile"] for record in records),
        "seeds": _alike(str(len(record["seeds"])) for record in records),
        "runs made": f"{len(records)} of {len(runs)}",
    }


def _nothing(why: str) -> dict[str, str]:
    return {"data": why, "profile": "", "seeds": "", "runs made": ""}


def _alike(values: Iterable[str]) -> str:
    """One value where all are alike, else all that there are."""
    return ", ".join(dict.fromkeys(values))


def tally(root: Path, results: str) -> str:
    """One line: how many claims came out how, and on which data."""
    counts = scoreboard(root, results)["verdict"].value_counts()
    verdicts = ", ".join(f"{verdict}: {count}" for verdict, count in counts.items())
    return f"{verdicts or 'no claim judged yet'}. Data: {data_line(root, results)}."


def data_line(root: Path, results: str) -> str:
    """What all numbers were made from, and the credits that are due."""
    runs = all_runs(root, results)
    made = _made_from(runs)
    parts = [made["data"]]
    if made["profile"]:
        parts += [f"profile {made['profile']}", f"{made['seeds']} seed(s)"]
    records = [run.record for run in runs if run.record is not None and run.record["source"] != "synthetic"]
    credits = dict.fromkeys(text for record in records for text in record["credits"])
    return "; ".join([*parts, *credits]).rstrip(".")


def all_runs(root: Path, results: str) -> list[Run]:
    """The runs of all tables; one that fills several comes several times."""
    return [run for table in load_tables(root) for run in runs_of(root, table, results)]


def training_times(root: Path, results: str) -> pd.DataFrame:
    """Seconds of the trainings behind every table, all seeds, where noted; a shared one counts in each table."""
    rows = []
    for table in load_tables(root):
        records = [run.record for run in runs_of(root, table, results) if run.record is not None]
        seconds = [_seconds(root, results, name) for name in dict.fromkeys(record["experiment"] for record in records)]
        timed = [value for value in seconds if value is not None]
        total = round(sum(timed), 1) if timed else None
        rows.append({"table": table, "trainings": len(seconds), "timed": len(timed), "seconds": total})
    return pd.DataFrame(rows)


def _seconds(root: Path, results: str, name: str) -> float | None:
    try:
        return timing_of(root, results, name).groupby("seed")["seconds"].max().sum()
    except InputError:
        return None
