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
)
from poselib.losses import TERMS
from poselib.models import MODELS
from poselib.recipe import OPTIMISERS, SCHEDULES
from poselib.scaling import scaled
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


def test_the_rows_of_tmt_are_filled_by_runs_of_their_own_setting():
    experiments = load_experiments(ROOT)
    rows = [row for table, rows in load_tables(ROOT).items() if table.startswith("tmt/table") for row in rows]
    for row in rows:
        run, key = experiments[row.experiment], row.row
        said = {"frames": run.frames, "d_l": run.depth, "d_m": run.dim, "batch": run.batch_frames}
        said |= {"m": run.blend or float(run.detector == "gt"), "detector": run.detector.upper()}
        assert {name: said[name] for name in said if name in key} == {name: key[name] for name in said if name in key}
        assert run.model == key.get("base_model", "MixSTE").lower()
        plain = str(key.get("method")).startswith(("plain", "MixSTE"))
        assert (run.strategy == "plain") == plain, row
        # Table 5: the learning rate rises with the batch.
        assert run.model != "mixste" or run.lr / run.batch_frames == pytest.approx(4e-5 / 1024)


def test_gla_gcn_experiments_have_the_parameters_that_its_table_5_counts():
    import torch

    from poselib.skeleton import H36M_17
    from poselib.stages.train import build_model

    experiments, refinement = load_experiments(ROOT), 140_322
    names = ("t27_gt", "t81_gt", "t243_gt", "t243_gt_sequence", "w512_t243_gt_sequence")
    for name, millions in zip(names, (0.84, 1.10, 1.35, 1.88, 48.64), strict=True):
        with torch.device("meta"):
            model = build_model(experiments[f"gla_gcn_{name}"], H36M_17)
        count = sum(parameter.numel() for parameter in model.parameters()) + refinement * name.endswith("sequence")
        assert count / 1e6 == pytest.approx(millions, abs=0.005), name


def test_ablations_of_gla_gcn_change_one_thing_each():
    experiments = load_experiments(ROOT)
    for name in ("cpn", "gt", "humaneva_mask_rcnn", "humaneva_gt"):
        base = experiments[f"gla_gcn_t27_{name}"]
        changes = {"no_agcn": "adaptive", "no_strides": "strided", "no_individual": "head", "swapped": "swap_sides"}
        for suffix, option in changes.items():
            variant = experiments[f"gla_gcn_t27_{name}_{suffix}"]
            assert variant.model_copy(update={"options": base.options}) == base
            assert set(variant.options) - set(base.options) == {option}


def test_ampose_experiments_hold_the_papers_values():
    experiments = load_experiments(ROOT)
    main = experiments["ampose_cpn"]
    assert (main.frames, main.depth, main.dim, main.lr, main.lr_decay) == (1, 5, 512, 2.5e-5, 0.98)
    assert (main.batch_clips, main.epochs, main.losses) == (128, 50, {"squared_position": 1.0})
    refined = experiments["ampose_cpn_refined"]
    assert refined.refine and refined.start == "ampose_cpn" and refined.detector == main.detector


def test_typed_choices_are_what_the_package_has():
    fields = Experiment.model_fields
    assert set(fields["strategy"].annotation.__args__) == set(STRATEGIES)
    assert set(fields["model"].annotation.__args__) == set(MODELS)
    assert set(fields["optimiser"].annotation.__args__) == set(OPTIMISERS)
    assert set(fields["losses"].annotation.__args__[0].__args__) == set(TERMS)
    assert set(fields["schedule"].annotation.__args__) == set(SCHEDULES)
    (names, none) = Profile.model_fields["schedule"].annotation.__args__
    assert set(names.__args__) == set(SCHEDULES) and none is type(None)


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
    rule = {"short_clips": True, "depth_divisor": 3, "dim_cube_root": 5.0, "heads": 2}
    factors = {"lr_factor": {"adamw": 100, "poseformer": 7}, "batch_divisor": {"mixste": 32}, "batches": {"mixste": 9}}
    memory = {"betas": {"adamw": [0.8, 0.9]}, "options": {"gla_gcn": {"last_momentum": 0.03}}}
    profile = Profile(about="test", every=1, synthetic_seconds=1.0, **rule, **factors, **memory)
    run = scaled(experiment, profile)
    assert (run.frames, run.depth, run.dim, run.heads) == (4, 2, 40, 2)
    assert (run.lr, run.batch_frames, run.batches, run.betas) == (pytest.approx(4e-3), 32, 9, [0.8, 0.9])
    other = scaled(load_experiment(ROOT, "poseformer_t81_gt"), profile)
    assert (other.lr, other.batch_clips, other.batches) == (pytest.approx(7e-4), 512, None)
    graph = scaled(load_experiment(ROOT, "gla_gcn_t27_gt"), profile)
    assert (graph.betas, graph.options["last_momentum"]) == (None, 0.03)


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("mixste_t1_3dhp", 1),
        ("mixste_d4_w64_t27_gt", 2),
        ("mixste_t81_gt", 3),
        ("mixste_t243_gt", 4),
        ("poseformer_t9_cpn", 3),
        ("poseformer_t81_cpn", 7),
        ("mhformer_t9_cpn", 3),
        ("mhformer_t27_cpn", 9),
        ("mhformer_t81_cpn", 15),
        ("gla_gcn_t27_gt", 3),
        ("gla_gcn_t81_gt", 9),
        ("gla_gcn_t243_gt", 9),
        ("uu_t81_cpn", 27),
        ("uu_t351_cpn", 27),
        ("strided_t81_cpn", 9),
        ("strided_t81_every4_cpn", 9),
        ("poseformer_t81_every4_cpn", 13),
        ("ampose_cpn", 1),
    ],
)
def test_short_clips_are_about_the_logarithm_in_the_form_that_a_model_takes(name, frames):
    profile = Profile(about="test", synthetic_seconds=1.0, short_clips=True, every=2)
    assert scaled(load_experiment(ROOT, name), profile).frames == frames


def test_key_frames_stay_frames_that_the_model_sees():
    profile = Profile(about="test", synthetic_seconds=1.0, every=2)
    for name, stride, key_frames in (("uu_t351_cpn", 2, [2, 4, 8]), ("uu_t81_cpn", 1, [2, 5, 10])):
        run = scaled(load_experiment(ROOT, name), profile)
        assert (run.frame_stride, run.input_strides) == (stride, key_frames)


def test_the_interval_between_clips_shrinks_with_the_clip():
    profile = Profile(about="test", synthetic_seconds=1.0, short_clips=True, every=1)
    base = load_experiment(ROOT, "mixste_t243_cpn")
    assert scaled(base, profile).interval is None
    intervals = [scaled(base.model_copy(update={"interval": n}), profile).interval for n in (243, 122, 9, 1)]
    assert intervals == [4, 2, 1, 1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("frames: 27,", "frames: 27, interval: 0,", "interval.*greater than 0"),
        ("model: mixste,", "model: mhformer, interval: 1,", "interval is for mixste"),
        ("model: mixste,", "model: mixste, frame_stride: 3,", "frame_stride is for models of one pose per clip"),
        ("model: mixste,", "model: mixste, input_strides: [4],", "input_strides is for uplift_upsample"),
        ("model: mixste,", "model: mixste, losses: {},", "losses are needed"),
        ("strategy: tmt,", "strateggy: tmt,", "strateggy.*known keys: paper, model"),
        ("depth: 4,", "depth: four,", "depth.*valid integer"),
        ("strategy: tmt,", "strategy: tmtt,", "strategy"),
        ("paper: tmt,", "paper: mixste,", "the file's name is the paper"),
        ("tables:", "tabels:", "unknown key 'tabels'"),
        ("experiment: tmt_t243_gt,", "experiment: tmt_t9,", "no experiment 'tmt_t9'"),
        ("experiments:", "experiments: [", "not valid YAML"),
    ],
)
def test_mistakes_name_file_and_key(project, old, new, message):
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
