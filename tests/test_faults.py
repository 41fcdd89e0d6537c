"""The catalogue: every malformed or hostile file ends in one sentence and exit code 2, and nothing else happens."""

import importlib
import shutil

import pytest
from faults.catalogue import TRACE, call, content, is_one_sentence

KINDS = (
    "h36m",
    "mpi_inf_3dhp",
    "mpi_inf_3dhp_original",
    "humaneva",
    "amass",
    "mocap",
    "settings",
    "trained",
    "records",
)
CATALOGUE = {
    f"{kind}: {name}": (kind, fault)
    for kind in KINDS
    for name, fault in importlib.import_module(f"faults.{kind}").FAULTS.items()
}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Projects by kind of file in which all is well, and an earlier good output lies."""
    made = {}

    def project(kind):
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp("good") / kind
            made[kind].mkdir()
            module = importlib.import_module(f"faults.{kind}")
            module.make(made[kind])
            assert call(made[kind], *module.COMMAND) == (0, [])
        return made[kind]

    return project


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_fault_ends_in_one_sentence_and_changes_nothing(good, tmp_path, name):
    kind, fault = CATALOGUE[name]
    folder = tmp_path / "project"
    shutil.copytree(good(kind), folder)
    fault.harm(folder)
    before = content(folder)
    code, said = call(folder, *(fault.command or importlib.import_module(f"faults.{kind}").COMMAND))
    assert (code, len(said)) == (2, 1), said
    assert said[0].startswith("poselib: ")
    is_one_sentence(fault, said[0])
    assert content(folder) == before and not list(folder.rglob(TRACE))
