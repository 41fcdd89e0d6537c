"""What moved since a revision, on a repository of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from poselib.errors import InputError
from poselib.stages.compare import compare

ROOT = Path(__file__).resolve().parent.parent
TABLE = "method,d_l,mpjpe_mm reported,mpjpe_mm measured,status\nTMT,4,35.9,{},measured\nTMT,8,,60.0,measured\n"
CLAIMS = "claim,sentence,verdict,evidence\nTMT-13,A < B.,{},A - B = {}\n"
ACTIONS = "method,frames,kind,Dir,Avg\nX,243,reported,20,21\nX,243,measured,50,{}\n"


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    write(tmp_path, "95.06", "holds", "-3.94", "52.0")
    commit(tmp_path, "first")
    return tmp_path


def write(folder, cell, verdict, evidence, mean, seconds="1.0"):
    tables = {"table07": TABLE.format(cell), "table07.claims": CLAIMS.format(verdict, evidence)}
    tables |= {"table02": ACTIONS.format(mean), "table08.timing": f"method,seconds measured\nTMT,{seconds}\n"}
    (folder / "results/tmt").mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (folder / f"results/tmt/{name}.csv").write_text(text)
    (folder / "results/logs").mkdir(exist_ok=True)
    (folder / "results/logs/mixste_t9_gt.csv").write_text(f"seed,epoch,loss\n0,1,{cell}\n")


def commit(folder, message):
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    for command in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "-m", message)):
        subprocess.run(["git", *command], cwd=folder, check=True)


def moved(folder):
    return [tuple(row) for row in compare(folder, "HEAD", "results").itertuples(index=False)]


def test_nothing_moved(repository):
    write(repository, "95.06", "holds", "-3.94", "52.0", seconds="9.9")
    assert moved(repository) == []


def test_cells_and_verdicts_that_moved_are_named_by_row_and_column(repository):
    write(repository, "95.07", "fails", "+3.94", "53.0")
    assert moved(repository) == [
        ("tmt/table02", "X, 243, measured", "Avg", "52.0", "53.0"),
        ("tmt/table07", "TMT-13", "verdict", "holds", "fails"),
        ("tmt/table07", "TMT, 4", "mpjpe_mm measured", "95.06", "95.07"),
    ]


def test_rows_and_tables_that_came_or_went(repository):
    path = repository / "results/tmt/table07.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    (repository / "results/tmt/table02.csv").unlink()
    (repository / "results/tmt/figure02.csv").write_text("joint,MPJPE (mm)\nhead,50.0\n")
    assert moved(repository) == [
        ("tmt/figure02", "all", "all", "0 cells", "1 cells"),
        ("tmt/table02", "all", "all", "4 cells", "0 cells"),
        ("tmt/table07", "TMT, 8", "mpjpe_mm measured", "60.0", "absent"),
        ("tmt/table07", "TMT, 8", "status", "measured", "absent"),
    ]


def test_a_row_that_comes_twice_is_two_rows(repository):
    path = repository / "results/tmt/figure02.csv"
    path.write_text("group,MPJPE (mm)\ntrunk,50.0\ntrunk,60.0\n")
    commit(repository, "second")
    path.write_text("group,MPJPE (mm)\ntrunk,50.0\ntrunk,61.0\n")
    assert moved(repository) == [("tmt/figure02", "trunk (2)", "MPJPE (mm)", "60.0", "61.0")]


def test_an_unknown_revision_or_folder(repository):
    for revision in ("nonsense", "--help"):
        with pytest.raises(InputError, match="knows no revision"):
            compare(repository, revision, "results")
    with pytest.raises(InputError, match="no tables there"):
        compare(repository, "HEAD", "resultz")
    for outside in ("..", str(repository.parent)):
        with pytest.raises(InputError, match="lies outside of the project; name a folder in it"):
            compare(repository, "HEAD", outside)


def test_the_command_says_it_in_one_sentence(repository):
    def call(*arguments):
        command = [sys.executable, "-m", "poselib", "compare", *arguments]
        return subprocess.run(command, cwd=repository, capture_output=True, text=True)

    assert call("HEAD").stdout == "Nothing moved in results since HEAD.\n"
    write(repository, "95.06", "fails", "+3.94", "52.0")
    shown = call("HEAD", "--results", "results/").stdout
    assert "Verdicts that flipped in results/ since HEAD: 1\n" in shown and "Cells that moved" not in shown
    assert call("nonsense").returncode == 2
