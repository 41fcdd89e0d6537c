"""What moved in the committed tables: the cells and verdicts of a revision beside those of the working tree."""

import io
import subprocess
from itertools import takewhile
from pathlib import Path

import pandas as pd

from poselib.errors import InputError
from poselib.experiments import load_parameters
from poselib.tables import markdown


def run(root: Path, revision: str, results: str | None) -> None:
    """Print the cells that moved and the verdicts that flipped since a revision; timings are left out.

    Raises:
        InputError: git does not know the revision, or the folder has no tables.
    """
    results = results or load_parameters(root).results
    moved = compare(root, revision, results)
    verdict = moved["column"] == "verdict"
    for heading, rows in (("Verdicts that flipped", moved[verdict]), ("Cells that moved", moved[~verdict])):
        if len(rows):
            print(f"{heading} in {results} since {revision}: {len(rows)}\n\n{markdown(rows)}\n")
    if moved.empty:
        print(f"Nothing moved in {results} since {revision}.")


def compare(root: Path, revision: str, results: str) -> pd.DataFrame:
    """One row per cell that differs: table, row, column, before, after; a table that came or went is one row.

    Of a claim the verdict is compared, since the numbers of its evidence are cells of the table.

    Raises:
        InputError: git does not know the revision, or the folder has no tables.
    """
    if _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}") is None:
        raise InputError(f"{root}: git knows no revision {revision!r}; choose one that 'git log' lists")
    folder = root / results
    if not folder.resolve().is_relative_to(root.resolve()):
        raise InputError(f"{results}: lies outside of the project; name a folder in it with --results")
    listed = _git(root, "ls-tree", "-r", "--name-only", revision, "--", f"{folder.relative_to(root)}/") or ""
    paths = {root / name for name in listed.splitlines()} | set(folder.glob("*/*.csv"))
    # Beside the papers' folders stands that of the training logs.
    tables = sorted(p for p in paths if p.match("*.csv") and p.parent.parent == folder and p.parent.name != "logs")
    if not tables:
        raise InputError(f"{results}: no tables there, neither now nor at {revision}; name a folder with --results")
    rows = []
    for path in (path for path in tables if not path.match("*.timing.csv")):
        before = _cells(_git(root, "show", f"{revision}:./{path.relative_to(root).as_posix()}"))
        after = _cells(path.read_text() if path.is_file() else None)
        name = f"{path.parent.name}/{path.stem.removesuffix('.claims')}"
        rows += [{"table": name, **row} for row in _moved(before, after)]
    return pd.DataFrame(rows, columns=["table", "row", "column", "before", "after"])


def _moved(before: dict, after: dict) -> list[dict[str, str]]:
    if not before or not after:
        counts = {"before": f"{len(before)} cells", "after": f"{len(after)} cells"}
        return [{"row": "all", "column": "all", **counts}] if before or after else []
    return [
        {"row": cell[0], "column": cell[1], "before": before.get(cell, "absent"), "after": after.get(cell, "absent")}
        for cell in dict.fromkeys([*before, *after])
        if before.get(cell) != after.get(cell)
    ]


def _git(root: Path, *arguments: str) -> str | None:
    """What git answers in this folder, or None where it refuses."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    return done.stdout if done.returncode == 0 else None


def _cells(text: str | None) -> dict[tuple[str, str], str]:
    """The filled cells of a table by row and column; rows are named by their key columns, which come first."""
    if not text:
        return {}
    table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    if "verdict" in table:
        table = table[["claim", "verdict"]]
    filled = (" reported", " measured")
    keys = list(takewhile(lambda column: not column.endswith(filled), table.columns))
    keys = keys[: keys.index("kind") + 1] if "kind" in keys else keys
    keys = keys if len(keys) < len(table.columns) else keys[:1]
    names = table[keys].agg(lambda row: ", ".join(filter(None, row)), axis=1)
    repeated = names.groupby(names).cumcount()
    names += [f" ({count + 1})" if count else "" for count in repeated]
    values = table.drop(columns=keys).set_axis(names).stack()
    return {cell: value for cell, value in values.items() if value}
