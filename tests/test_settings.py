"""The files that tell a stage its settings."""

import json
import shutil
from pathlib import Path

import pytest

from poselib.errors import InputError
from poselib.experiments import load_experiments, load_parameters, load_tables
from poselib.stages import settings

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def project(tmp_path):
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


def changed_by(project, file, old, new):
    """Setting files that differ after this change."""

    def contents():
        settings.run(project)
        folder = project / "data/settings"
        return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.json")}

    before = contents()
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new, 1))
    after = contents()
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def test_every_experiment_and_every_table_has_its_file(project):
    settings.run(project)
    runs = {path.stem for path in (project / "data/settings/runs").iterdir()}
    tables = {path.relative_to(project / "data/settings/tables") for path in project.glob("data/settings/tables/*/*")}
    assert runs == set(load_experiments(ROOT)) and tables == {Path(f"{name}.json") for name in load_tables(ROOT)}
    told = json.loads((project / "data/settings/runs/mixste_t243_cpn.json").read_text())
    parameters = load_parameters(ROOT)
    assert told["profile"] == parameters.profile and told["seeds"] == parameters.seeds
    assert told["lr"] == pytest.approx(4e-5 * parameters.chosen.lr_factor["adamw"])


def test_a_change_reaches_those_that_it_concerns(project):
    old = "strategy: tmt_step2, detector: gt}"
    name = "runs/tmt_step2_d4_w64_t27_gt.json"
    assert changed_by(project, "experiments/tmt.yaml", old, old.replace("}", ", lr: 5.0e-5}")) == {name}
    assert changed_by(project, "params.yaml", "seeds: [0]", "seeds: [0, 1]") == {
        f"runs/{name}.json" for name in load_experiments(ROOT)
    }


def test_a_changed_precision_concerns_every_training_and_no_table(project):
    old = "  demo:\n    about: the default"
    assert changed_by(project, "params.yaml", old, old.replace("    about", "    precision: bfloat16\n    about")) == {
        f"runs/{name}.json" for name in load_experiments(ROOT)
    }


def test_another_profile_s_values_concern_nobody(project):
    assert changed_by(project, "params.yaml", "selection_clips: 8\n", "selection_clips: 9\n") == set()


def test_a_fault_leaves_the_files_as_they_were(project):
    settings.run(project)
    before = sorted((project / "data/settings").rglob("*"))
    (project / "experiments/tmt.yaml").write_text("experiments: 3\n")
    with pytest.raises(InputError, match=r"experiments/tmt\.yaml"):
        settings.run(project)
    assert sorted((project / "data/settings").rglob("*")) == before
