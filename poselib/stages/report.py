"""Stage report: scoreboard, ledger, the pages for a browser, and the block of the README that shows the results."""

import re
from pathlib import Path

import pandas as pd

from poselib.experiments import load_parameters
from poselib.files import write_whole
from poselib.ledger import divergences, tables_of
from poselib.scoreboard import front_page, overview, scoreboard, tally, training_times
from poselib.site.build import build
from poselib.tables import markdown


def run(root: Path) -> None:
    """Write what <results> shows of itself, and the block of README.md that belongs to these results."""
    results = load_parameters(root).results
    folder, summary = root / results, tally(root, results)
    board, tables = (_linked(root, results, rows(root, results)) for rows in (scoreboard, overview))
    about = f"{summary} For a browser, without a network: `{results}/site/index.html`, which `dvc repro` writes."
    text = f"# Results\n\n{about}\n\n## Tables\n\n{markdown(tables)}\n\n## Claims\n\n{markdown(board)}\n"
    write_whole(folder / "README.md", text)
    ledger = divergences(root)
    ledger["tables"] = [", ".join(_link(root, results, name) for name in names) for names in tables_of(root)]
    about = "Where paper and released code differ, what is done here, what it changes, and which tables it touches."
    write_whole(folder / "divergences.md", f"# Divergence ledger\n\n{about}\n\n{markdown(ledger)}\n")
    times = training_times(root, results)
    write_whole(folder / "scoreboard.timing.csv", times.to_csv(index=False, lineterminator="\n"))
    build(root, results)
    between = re.compile(rf"(<!-- scoreboard of {results} -->\n).*?(<!-- end of scoreboard -->)", re.DOTALL)
    readme, shown = root / "README.md", block(root, results)
    write_whole(readme, between.sub(lambda match: match[1] + shown + match[2], readme.read_text()))


def block(root: Path, results: str) -> str:
    """What the front page of the project shows of these results."""
    front = markdown(_linked(root, results, front_page(root, results), f"{results}/"))
    behind = f"Sentences, numbers and intervals behind each: [{results}/README.md]({results}/README.md)."
    return f"{tally(root, results)}\n\n{front}\n\n{behind}\n"


def _linked(root: Path, results: str, rows: pd.DataFrame, before: str = "") -> pd.DataFrame:
    """Rows whose tables are links to the executed notebooks, as seen from where `before` leads to the results."""
    return rows.assign(table=[_link(root, results, name, before) for name in rows["table"]])


def _link(root: Path, results: str, name: str, before: str = "") -> str:
    return f"[{name}]({before}{name}.ipynb)" if (root / results / f"{name}.ipynb").is_file() else name
