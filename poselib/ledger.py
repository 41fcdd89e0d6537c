"""The divergence ledger: where paper and released code differ, what we do, and what it changes."""

from pathlib import Path

import pandas as pd

from poselib.errors import InputError

EFFECT = "effect on the number"


def divergences(root: Path, table: str | None = None) -> pd.DataFrame:
    """Ledger rows, all of them or those that touch a table ('paper/tableNN')."""
    rows = _ledger(root)
    if table is not None:
        rows = rows[[table in tables.split() for tables in rows["tables"]]]
    return rows.drop(columns="tables").reset_index(drop=True)


def tables_of(root: Path) -> list[list[str]]:
    """The tables that each row of the ledger touches."""
    return [tables.split() for tables in _ledger(root)["tables"]]


def effects(root: Path, results: str) -> dict[tuple[str, str], str]:
    """Divergence and the notebook that settles it otherwise -> what that changed, where it has been run.

    Raises:
        InputError: a table of switches that is damaged or has other columns.
    """
    found = {}
    for path in sorted((root / results).glob("*/switches.csv")):
        try:
            for row in pd.read_csv(path).dropna(subset="change_percent").itertuples():
                said = f"{row.switch} {row.change_percent:+.1f} % [{row.low_percent:+.1f}, {row.high_percent:+.1f}]"
                found.setdefault((row.divergence, f"{path.parent.name}/switches"), []).append(said)
        except (AttributeError, KeyError, ValueError) as error:
            raise InputError(f"{path}: no table of switches ({error}); run 'dvc repro' again") from error
    return {where: "; ".join(said) for where, said in found.items()}


def _ledger(root: Path) -> pd.DataFrame:
    return pd.read_csv(root / "data/divergences.csv", dtype=str, keep_default_na=False)
