"""Stage report: scoreboard, ledger, the pages for a browser, and the blocks of the README that show the results."""

import re
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import pandas as pd

from poselib.experiments import load_parameters
from poselib.files import write_whole
from poselib.ledger import EFFECT, divergences, effects, tables_of
from poselib.records import runs_of, source_line
from poselib.scoreboard import data_line, front_page, overview, scoreboard, tally, training_times
from poselib.site.build import build
from poselib.tables import markdown

# So many pictures are seen at once, the others on demand.
OPEN = 4


def run(root: Path) -> None:
    """Write what <results> shows of itself, and the blocks of README.md that belong to these results."""
    results = load_parameters(root).results
    folder, summary = root / results, tally(root, results)
    board, tables = (_linked(root, results, rows(root, results)) for rows in (scoreboard, overview))
    about = f"{summary} For a browser, without a network: `{results}/site/index.html`, which `dvc repro` writes."
    about += " How long each training took: `scoreboard.timing.csv`."
    about += " What verdicts, gaps and brackets mean stands in the project's README, under Scoreboard."
    text = f"# Results\n\n{about}\n\n## Tables\n\n{markdown(tables)}\n\n## Claims\n\n{markdown(board)}\n"
    write_whole(folder / "README.md", text)
    ledger = divergences(root)
    for (key, notebook), said in effects(root, results).items():
        told = f"{said} ({_link(root, results, notebook)})"
        ledger[EFFECT] = ledger[EFFECT].mask(
            ledger["id"] == key, ledger[EFFECT].str.replace(f"rows of {notebook}", told)
        )
    ledger["tables"] = [", ".join(_link(root, results, name) for name in names) for names in tables_of(root)]
    about = "Where paper and released code differ, what is done here, what it changes, and which tables it touches. A"
    about += f" percentage is what the switch changes of MPJPE, with its 95 % interval: {data_line(root, results)}."
    write_whole(folder / "divergences.md", f"# Divergence ledger\n\n{about}\n\n{markdown(ledger)}\n")
    times = training_times(root, results)
    write_whole(folder / "scoreboard.timing.csv", times.to_csv(index=False, lineterminator="\n"))
    build(root, results)
    readme = root / "README.md"
    text = readme.read_text()
    for name, written in (("gallery", gallery), ("scoreboard", block)):
        between = re.compile(rf"(<!-- {name} of {results} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
        text = between.sub(lambda match, written=written: match[1] + written(root, results) + match[2], text)
    write_whole(readme, text)


def block(root: Path, results: str) -> str:
    """What the front page of the project shows of these results."""
    front = markdown(_linked(root, results, front_page(root, results), f"{results}/"))
    behind = f"Sentences, numbers and intervals behind each: [{results}/README.md]({results}/README.md)."
    return f"{tally(root, results)}\n\n{front}\n\n{behind}\n"


def gallery(root: Path, results: str) -> str:
    """The pictures that the notebook `gallery` draws of these results, each with what it shows of which data."""
    cells = []
    for row in pd.read_csv(root / "data/gallery.csv", dtype=str, keep_default_na=False).itertuples():
        made = source_line(runs_of(root, row.notebook, results)) if row.notebook else data_line(root, results)
        source = f"{results}/{row.notebook}.ipynb" if row.notebook else f"{results}/README.md"
        picture = f"![{row.alt}]({results}/gallery/{row.picture})"
        cells.append((picture, f"[{row.title}]({source}): {row.caption} *{made}*"))
    more = f"<details><summary>More pictures</summary>\n\n{_in_rows(cells[OPEN:])}\n\n</details>"
    return f"{_in_rows(cells[:OPEN])}\n\n{more}\n"


def _in_rows(cells: Sequence[tuple[str, str]]) -> str:
    """A table, two pictures in a row with their texts below them; the first two are its head."""
    lines = []
    for pair in zip_longest(cells[::2], cells[1::2], fillvalue=("", "")):
        lines += [f"| {left} | {right} |" for left, right in zip(*pair, strict=True)]
    return "\n".join([lines[0], "|---|---|", *lines[1:]])


def _linked(root: Path, results: str, rows: pd.DataFrame, before: str = "") -> pd.DataFrame:
    """Rows whose tables are links to the executed notebooks, as seen from where `before` leads to the results."""
    return rows.assign(table=[_link(root, results, name, before) for name in rows["table"]])


def _link(root: Path, results: str, name: str, before: str = "") -> str:
    return f"[{name}]({before}{name}.ipynb)" if (root / results / f"{name}.ipynb").is_file() else name
