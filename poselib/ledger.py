"""The divergence ledger: where paper and released code differ, what we do, and what it changes."""

from pathlib import Path

import pandas as pd


def divergences(root: Path, table: str | None = None) -> pd.DataFrame:
    """Ledger rows, all of them or those that touch a table ('paper/tableNN')."""
    rows = _ledger(root)
    if table is not None:
        rows = rows[[table in tables.split() for tables in rows["tables"]]]
    return rows.drop(columns="tables").reset_index(drop=True)


def tables_of(root: Path) -> list[list[str]]:
    """The tables that each row of the ledger touches."""
    return [tables.split() for tables in _ledger(root)["tables"]]


def _ledger(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "data/divergences.csv", dtype=str, keep_default_na=False)
