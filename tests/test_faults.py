"""The catalogue: every malformed or hostile file ends in one sentence and exit code 2, and nothing else happens."""

import ast
import shutil
import subprocess
import sys

import pytest
from faults import (
    amass,
    h36m,
    humaneva,
    mocap,
    mpi_inf_3dhp,
    mpi_inf_3dhp_original,
    official,
    records,
    settings,
    trained,
)
from faults.catalogue import REMEDY, ROOT, TRACE, call, content, is_one_sentence

from poselib.errors import InputError
from poselib.interop import from_official

KINDS = (h36m, mpi_inf_3dhp, mpi_inf_3dhp_original, humaneva, amass, mocap, settings, trained, records)
CATALOGUE = {
    f"{kind.__name__.removeprefix('faults.')}: {name}": (kind, fault)
    for kind in KINDS
    for name, fault in kind.FAULTS.items()
}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Projects by kind of file in which all is well, and an earlier good output lies."""
    made = {}

    def project(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp("good")
            kind.make(folder)
            assert call(folder, *kind.COMMAND) == (0, [])
            made[kind] = folder
        return made[kind]

    return project


def faulty(good, tmp_path, name):
    """A project with this fault, and the command that meets it."""
    kind, fault = CATALOGUE[name]
    folder = tmp_path / "project"
    shutil.copytree(good(kind), folder)
    fault.harm(folder)
    return fault, folder, fault.command or kind.COMMAND


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_fault_ends_in_one_sentence_and_changes_nothing(good, tmp_path, name):
    fault, folder, command = faulty(good, tmp_path, name)
    before = content(tmp_path)
    code, said = call(folder, *command)
    assert (code, len(said)) == (2, 1) and said[0].startswith("poselib: "), said
    is_one_sentence(fault, said[0])
    assert content(tmp_path) == before and not list(tmp_path.rglob(TRACE))


# The same through the operating system, for some of the ways in which a file can be wrong.
SOME = ("h36m: cut at its end", "h36m: pickle that calls", "h36m: bomb", "h36m: entry that leads out", "h36m: NaN")
SOME += ("mocap: no skeleton", "settings: YAML that calls", "trained: checkpoint cut")


@pytest.mark.parametrize("name", SOME)
def test_a_fault_ends_a_process_with_code_2(good, tmp_path, name):
    fault, folder, command = faulty(good, tmp_path, name)
    before = content(tmp_path)
    done = subprocess.run([sys.executable, "-m", "poselib", *command], cwd=folder, capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if line.startswith("poselib: ")]
    assert (done.returncode, len(told)) == (2, 1) and "Traceback" not in done.stderr, done.stderr
    is_one_sentence(fault, told[0])
    assert content(tmp_path) == before and not list(tmp_path.rglob(TRACE))


@pytest.mark.parametrize("name", official.FAULTS)
def test_a_fault_of_official_weights_ends_in_one_sentence(tmp_path, monkeypatch, name):
    fault = official.FAULTS[name]
    official.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert from_official(official.MODELS[fault.file], tmp_path / fault.file, heads=official.SMALL[fault.file]["heads"])
    fault.harm(tmp_path)
    before = content(tmp_path)
    with pytest.raises(InputError) as caught:
        from_official(official.MODELS[fault.file], tmp_path / fault.file, heads=official.SMALL[fault.file]["heads"])
    is_one_sentence(fault, str(caught.value))
    assert content(tmp_path) == before and not list(tmp_path.rglob(TRACE))


DOORS = ("data", "interop", "stages", "checkpoints.py", "experiments.py", "records.py", "scoreboard.py", "tables.py")


@pytest.mark.parametrize("door", DOORS)
def test_every_sentence_ends_in_a_remedy(door):
    for path in sorted((ROOT / "poselib" / door).rglob("*.py")) or [ROOT / "poselib" / door]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError":
                parts = getattr(node.args[0], "values", [node.args[0]])
                text = "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in parts)
                assert REMEDY.search(text), f"{path.name}: {text}"
