"""All verdicts on one page."""

from pathlib import Path

import pandas as pd

from poselib.claims import FAILS, HOLDS, NOISE, UNTESTABLE
from poselib.errors import InputError
from poselib.experiments import load_tables
from poselib.tables import runs_of, source_line

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
        claims.insert(0, "table", f"[{table}]({table}.ipynb)")
        parts.append(claims)
    return pd.concat(parts) if parts else pd.DataFrame(columns=["table", *COLUMNS])


def front_page(root: Path, results: str) -> pd.DataFrame:
    """A row per table with the names of the claims that came out each way, failures as prominent as successes."""
    board = scoreboard(root, results)
    outcome = board["verdict"].str.replace(r" \(.*\)", "", regex=True)
    names = board["claim"].groupby([board["table"], outcome], sort=False).agg("; ".join).unstack(fill_value="")
    front = names.reindex(columns=[HOLDS, NOISE, FAILS, UNTESTABLE], fill_value="").reset_index()
    front["table"] = front["table"].str.replace("](", f"]({results}/", regex=False)
    return front


def tally(root: Path, results: str) -> str:
    """One line: how many claims came out how, and on which data."""
    counts = scoreboard(root, results)["verdict"].value_counts()
    runs = [run for table in load_tables(root) for run in runs_of(root, table, results)]
    verdicts = ", ".join(f"{verdict}: {count}" for verdict, count in counts.items())
    return f"{verdicts or 'no claim judged yet'}. Data: {source_line(runs).rstrip('.')}."
