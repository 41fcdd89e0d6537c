"""All pages of a results folder, written as a whole."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

import pandas as pd
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from plotly.offline import get_plotlyjs
from pygments.formatters import HtmlFormatter

from poselib.files import whole_folder
from poselib.ledger import divergences, tables_of
from poselib.project import notebooks, title
from poselib.records import SOURCES
from poselib.scoreboard import all_runs, data_line, outcome, overview, scoreboard, tally, training_times
from poselib.site.notebooks import body_of

HERE = Path(__file__).parent


def build(root: Path, results: str) -> None:
    """Write <results>/site: index.html, claims.html, ledger.html, trainings.html and a page per executed notebook."""
    style = (HERE / "style.css").read_text() + HtmlFormatter(style="default").get_style_defs(".highlight") + "\n"
    with whole_folder(root / results / "site") as partial:
        pages = Pages(root, results, partial)
        pages.index()
        pages.claims()
        pages.ledger()
        pages.trainings()
        for name in pages.names:
            pages.notebook(name)
        (partial / "style.css").write_text(style)
        (partial / "plotly.min.js").write_text(get_plotlyjs())


class Pages:
    """The pages of one results folder; those of notebooks lie in a folder per paper."""

    def __init__(self, root: Path, results: str, folder: Path) -> None:
        self.root, self.results, self.folder = root, results, folder
        self.template = Environment(loader=FileSystemLoader(HERE), autoescape=True).get_template("page.html")
        self.names = [name for name in notebooks(root) if (root / results / f"{name}.ipynb").is_file()]
        self.board, self.tables = scoreboard(root, results), overview(root, results)
        self.data = data_line(root, results)
        self.runs = {run.name: run for run in all_runs(root, results)}

    def index(self) -> None:
        """Every table of every paper with its verdicts and what it was made from."""
        seconds = training_times(self.root, self.results).set_index("table")["seconds"]
        names, times = self.tables["table"], self.tables["table"].map(seconds).astype(object)
        about = [self._page(name, words) for name, words in zip(names, self.tables["about"], strict=True)]
        shown = self.tables.assign(table=about, **{"training (s)": times.where(times.notna(), "")})
        free = [name for name in self.names if "/" not in name]
        words = pd.DataFrame({"notebook": [_link(f"{name}.html", title(self.root, name)) for name in free]})
        sections = [_section(shown.drop(columns="about"), "Tables and figures"), _section(words, "Explorations")]
        self._write("index", "Results", tally(self.root, self.results), sections)

    def claims(self) -> None:
        """Every claim with sentence, verdict and evidence, table by table."""
        about = dict(zip(self.tables["table"], self.tables["about"], strict=True))
        board = self.board.assign(verdict=[_badge(verdict) for verdict in self.board["verdict"]])
        sections = [
            _section(rows.drop(columns="table"), self._page(name, about.get(name, name)), name)
            for name, rows in board.groupby("table", sort=False)
        ]
        self._write("claims", "Claims", tally(self.root, self.results), sections)

    def ledger(self) -> None:
        """The divergence ledger, every row with the tables it touches."""
        rows, touched = divergences(self.root), tables_of(self.root)
        rows["tables"] = [Markup(" ").join(self._page(name, name) for name in names) for names in touched]
        section = _section(rows, ids=rows["id"])
        about = "Where paper and released code differ, what is done here, and what it changes."
        self._write("ledger", "Divergence ledger", about, [section])

    def trainings(self) -> None:
        """What stands behind a row: every experiment with what identifies its data and its weights."""
        rows = pd.DataFrame([_training(name, run.record) for name, run in self.runs.items() if run.record is not None])
        about = f"The records themselves: {self.results}/metrics/<experiment>.json."
        self._write("trainings", "Trainings", about, [_section(rows, ids=rows.get("experiment", ()))])

    def notebook(self, name: str) -> None:
        """The page of an executed notebook."""
        up = "../" * name.count("/")
        links = {entry: f"{up}ledger.html#{entry}" for entry in divergences(self.root)["id"]}
        links |= {run: f"{up}trainings.html#{run}" for run in self.runs if self.runs[run].record is not None}
        body, images = body_of(self.root / self.results / f"{name}.ipynb", links)
        (self.folder / name).parent.mkdir(exist_ok=True)
        for file, content in images.items():
            (self.folder / name).with_name(file).write_bytes(content)
        place, claims = self.names.index(name), self.board[self.board["table"] == name]
        beside = {"previous": self.names[place - 1 : place], "next": self.names[place + 1 : place + 2]}
        self._write(
            name,
            title(self.root, name),
            self._made_from(name),
            body=Markup(body),
            plots="Plotly.newPlot" in body,
            verdicts=[
                (claim, _badge(verdict)) for claim, verdict in zip(claims["claim"], claims["verdict"], strict=True)
            ],
            neighbours=[(word, other) for word, names in beside.items() for other in names],
        )

    def _made_from(self, name: str) -> str:
        row = self.tables[self.tables["table"] == name].to_dict("records")
        return "; ".join(f"{key}: {row[0][key]}" for key in ("data", "profile", "seeds") if row and row[0][key])

    def _page(self, name: str, words: str) -> Markup:
        """A link to the page of a notebook, or the bare words where it has not been executed."""
        return _link(f"{name}.html", words) if name in self.names else Markup("{}").format(words)

    def _write(self, name: str, heading: str, about: str, sections: Sequence[dict] = (), **more: object) -> None:
        up = "../" * name.count("/")
        text = self.template.render(title=heading, about=about, sections=sections, data=self.data, up=up, **more)
        (self.folder / f"{name}.html").write_text(text)


def _section(rows: pd.DataFrame, heading: str = "", name: str = "", ids: Sequence[str] = ()) -> dict:
    """A table of a page: `name` is its anchor, `ids` are those of its rows."""
    cells = rows.astype(object).values.tolist()
    return {"heading": heading, "id": name or heading, "columns": list(rows), "rows": cells, "ids": list(ids)}


def _link(address: str, words: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(address, words)


def _badge(verdict: str) -> Markup:
    """A verdict in words, with a class for its colour."""
    return Markup('<span class="verdict {}">{}</span>').format(outcome(verdict).replace(" ", "-"), verdict)


def _training(name: str, record: Mapping) -> dict:
    return {
        "experiment": name,
        **{key: record["setting"][key] for key in ("model", "strategy", "frames", "depth", "dim")},
        "2D input": record["detector"],
        "data": SOURCES[record["source"]],
        "profile": record["profile"],
        "seeds": ", ".join(str(seed["seed"]) for seed in record["seeds"]),
        "MPJPE (mm)": f"{fmean(seed['action_mean']['mpjpe'] for seed in record['seeds']):.2f}",
        "code at commit": record.get("commit", ""),
        "SHA-256 of the data": record["data"][:12],
        "SHA-256 of the weights": ", ".join(seed["weights_sha256"][:12] for seed in record["seeds"]),
    }
