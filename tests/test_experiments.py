import shutil
from pathlib import Path

import pytest

from poselib.errors import InputError
from poselib.experiments import (
    Experiment,
    Profile,
    load_experiment,
    load_experiments,
    load_parameters,
    load_tables,
    scaled,
)
from poselib.models import MODELS
from poselib.strategies import STRATEGIES

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def project(tmp_path):
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


def test_experiments_hold_the_papers_values():
    experiments = load_experiments(ROOT)
    main = experiments["mixste_t243_cpn"]
    assert (main.frames, main.depth, main.dim, main.heads, main.lr, main.batch_frames) == (243, 8, 512, 8, 4e-5, 1024)
    assert main.losses == {"weighted_position": 1.0, "temporal_consistency": 0.5, "velocity": 2.0}
    row = experiments["tmt_step2_d8_w128_t27_gt"]
    assert (row.frames, row.depth, row.dim, row.strategy) == (27, 8, 128, "tmt_step2")


def test_typed_choices_are_what_the_package_has():
    fields = Experiment.model_fields
    assert set(fields["strategy"].annotation.__args__) == set(STRATEGIES)
    assert set(fields["model"].annotation.__args__) == set(MODELS)


def test_the_paper_profile_changes_nothing():
    parameters = load_parameters(ROOT)
    for experiment in load_experiments(ROOT).values():
        assert scaled(experiment, parameters.profiles["paper"]) == experiment


def test_profiles_keep_rows_apart_that_the_paper_keeps_apart():
    experiments, parameters = load_experiments(ROOT), load_parameters(ROOT)
    sizes = [experiments[f"tmt_d{d}_w{w}_t27_gt"] for d, w in ((4, 64), (6, 64), (8, 64), (8, 128))]
    for name in ("demo", "laptop"):
        profile = parameters.profiles[name]
        assert len({(run.depth, run.dim) for run in (scaled(size, profile) for size in sizes)}) == 4
        long, short = (scaled(experiments[f"mixste_t{t}_gt"], profile) for t in (243, 81))
        assert long.frames > short.frames


def test_scaling_rule():
    experiment = load_experiment(ROOT, "mixste_t243_gt")
    rule = {"frames_divisor": 9, "depth_divisor": 3, "dim_cube_root": 5.0, "heads": 2, "lr": 0.5}
    profile = Profile(about="test", synthetic_seconds=1.0, **rule)
    run = scaled(experiment, profile)
    assert (run.frames, run.depth, run.dim, run.heads, run.lr) == (27, 2, 40, 2, 0.5)


def test_a_table_names_experiments_that_there_are(project):
    path = project / "experiments/tmt.yaml"
    path.write_text(path.read_text().replace("experiment: tmt_t243_gt,", "experiment: tmt_t9,", 1))
    with pytest.raises(InputError, match="tmt.yaml, tmt/.*no experiment 'tmt_t9'"):
        load_tables(project)


def test_unknown_names_and_profiles(project):
    with pytest.raises(InputError, match="no experiment 'x'"):
        load_experiment(project, "x")
    path = project / "params.yaml"
    path.write_text(path.read_text().replace("profile: demo", "profile: demmo"))
    with pytest.raises(InputError, match="'demmo' does not exist"):
        load_parameters(project)
    path.write_text(path.read_text().replace("demmo", "demo").replace("batches:", "batchez:", 1))
    with pytest.raises(InputError, match="batchez"):
        load_parameters(project)
