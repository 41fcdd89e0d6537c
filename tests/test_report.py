"""What the stage report writes, on a copy of the committed results."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from poselib.ledger import divergences, tables_of
from poselib.project import notebooks
from poselib.scoreboard import scoreboard
from poselib.stages import report

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """A checkout whose reports were thrown away and written anew."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ("experiments", "notebooks", "data"):
        (root / name).symlink_to(ROOT / name)
    parameters = re.sub("^results: .*$", "results: results", (ROOT / "params.yaml").read_text(), flags=re.MULTILINE)
    (root / "params.yaml").write_text(parameters)
    shutil.copytree(ROOT / "results", root / "results", ignore=shutil.ignore_patterns("site", "README.md"))
    for block in ("results", "results/laptop-cmu"):
        with (root / "README.md").open("a") as file:
            file.write(f"before\n<!-- scoreboard of {block} -->\nold\n<!-- end of scoreboard -->\nafter\n")
    with (root / "README.md").open("a") as file:
        file.write("<!-- gallery of results -->\n<!-- end of gallery -->\n")
    report.run(root)
    return root


def section(text, heading):
    return text.split(f"## {heading}\n")[1].split("\n## ")[0]


def test_the_front_page_of_the_results_has_every_table_and_every_claim(reported):
    text = (reported / "results/README.md").read_text()
    rows = re.findall(r"^\| \[?([a-z_]+/\w+)", section(text, "Tables"), re.MULTILINE)
    assert rows == [name for name in notebooks(ROOT) if "/" in name]
    claims = section(text, "Claims")
    assert all(
        f"| {row.claim} " in claims and row.verdict in claims for row in scoreboard(ROOT, "results").itertuples()
    )


def test_links_lead_to_files(reported):
    for name in ("results/README.md", "results/divergences.md", "README.md"):
        path = reported / name
        targets = re.findall(r"\]\(([^)]+)\)", path.read_text())
        assert len(targets) > 5
        assert not [target for target in targets if not (path.parent / target).is_file()], name


def test_the_ledger_leads_to_the_tables_that_it_touches(reported):
    text = (reported / "results/divergences.md").read_text()
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("| D-")}
    for entry, names in zip(divergences(ROOT)["id"], tables_of(ROOT), strict=True):
        for name in names:
            executed = (reported / f"results/{name}.ipynb").is_file()
            assert (f"[{name}]({name}.ipynb)" if executed else name) in rows[entry], entry


def test_the_ledger_tells_what_switches_change(reported):
    text = (reported / "results/divergences.md").read_text()
    for path in (reported / "results").glob("*/switches.csv"):
        for row in pd.read_csv(path).itertuples():
            (line,) = (line for line in text.splitlines() if line.startswith(f"| {row.divergence} "))
            said = f"{row.switch} {row.change_percent:+.1f} % [{row.low_percent:+.1f}, {row.high_percent:+.1f}]"
            assert said in line and f"({path.parent.name}/switches.ipynb)" in line
    assert not re.search("rows of [a-z_]+/switches", text)


def test_only_the_block_of_these_results_is_written(reported):
    text = (reported / "README.md").read_text()
    assert report.block(reported, "results") in text and text.count("\nold\n") == 1
    assert report.gallery(reported, "results") in text
    assert text.count("before\n") == text.count("after\n") == 2


def test_timings_stand_apart_and_the_rest_is_the_same_twice(reported):
    rows = pd.read_csv(reported / "results/scoreboard.timing.csv")
    assert list(rows) == ["table", "trainings", "timed", "seconds"] and "tmt/table07" in set(rows["table"])
    before = {path: path.read_bytes() for path in (reported / "results").rglob("*") if path.is_file()}
    report.run(reported)
    assert {path: path.read_bytes() for path in (reported / "results").rglob("*") if path.is_file()} == before
    assert (reported / "results/site/index.html") in before
