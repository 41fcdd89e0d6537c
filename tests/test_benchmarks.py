"""MPI-INF-3DHP and HumanEva-I from stand-in to result, by each benchmark's own protocol."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.testing import assert_allclose

from poselib.data import load
from poselib.data.humaneva import POSITIONS_FILE
from poselib.data.mpi_inf_3dhp import TEST_FILE, TRAIN_FILE
from poselib.data.prepared import PreparedSet, Video, open_prepared
from poselib.errors import InputError
from poselib.evaluation import frames_of, summarise
from poselib.experiments import load_experiment
from poselib.geometry import denormalise_screen, project
from poselib.inference import targets_of
from poselib.pipeline import dvc_yaml
from poselib.skeleton import H36M_17, HUMANEVA_15, MPI_INF_3DHP_17
from poselib.stages import evaluate, prepare, synthesise, train

ROOT = Path(__file__).resolve().parent.parent
SMALL = "paper: mixste, model: mixste, frames: 27, dim: 64, depth: 4"
EXPERIMENTS = f"""experiments:
  dhp: {{{SMALL}, role: mpi_inf_3dhp, detector: gt}}
  eva: {{{SMALL}, role: humaneva, detector: mask_rcnn, blend: 0.25}}
  human: {{{SMALL}, detector: gt, also_on: [mpi_inf_3dhp]}}
  fifteen: {{{SMALL}, detector: cpn, blend: 0.5, joints: humaneva_15}}
"""
ROLES = ("h36m", "mpi_inf_3dhp", "humaneva")


@pytest.fixture(scope="module")
def project_folder(tmp_path_factory):
    """A project in the smoke profile with the stand-ins of three roles, prepared."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "experiments").mkdir()
    (folder / "experiments/mixste.yaml").write_text(EXPERIMENTS)
    shutil.copy(ROOT / "experiments/recipes.yaml", folder / "experiments")
    text = (ROOT / "params.yaml").read_text().replace("profile: demo", "profile: smoke")
    (folder / "params.yaml").write_text(text)
    for role in ROLES:
        synthesise.run(folder, role)
        prepare.run(folder, role)
    return folder


def result(folder, monkeypatch, name, on=None):
    monkeypatch.setattr(train, "_key", lambda *_: "key")
    if not (folder / "checkpoints" / name).is_dir():
        train.run(folder, name)
    evaluate.run(folder, name, on)
    return json.loads((folder / f"results/metrics/{name}{f'_on_{on}' if on else ''}.json").read_text())


def test_mpi_inf_3dhp_from_stand_in_to_result(project_folder, monkeypatch):
    record = result(project_folder, monkeypatch, "dhp")
    seed = record["seeds"][0]
    assert seed["updates"] == 6 and record["test_subjects"] == [f"TS{n}" for n in range(1, 7)]
    assert list(seed["action_mean"]) == ["mpjpe", "p_mpjpe", "n_mpjpe", "pck", "auc"]
    assert seed["action_mean"] == seed["frame_mean"] and list(seed["per_action"]["pck"]) == ["GS", "noGS", "outdoor"]
    assert seed["per_joint"]["pelvis"] == 0 and "counted_as_mixste" not in seed
    assert list(seed["per_subject"]) == record["test_subjects"] and seed["per_chain_depth"]["0"] == 0
    assert seed["bone_length_spread"]["predicted"] > 0 and "acceleration_error" not in seed
    prepared = open_prepared(project_folder / "data/prepared/mpi_inf_3dhp")
    assert record["test_frames"] == prepared.valid[frames_of(prepared.split("test"))].sum() < 90
    assert {video.subject for video in prepared.split("validation")} == {"S8"}
    assert {video.fps for video in prepared.split("train")} == {25.0, 50.0}


def test_humaneva_from_stand_in_to_result(project_folder, monkeypatch):
    record = result(project_folder, monkeypatch, "eva")
    seed = record["seeds"][0]
    assert record["detector"] == "blend:0.25:mask_rcnn" and list(seed["per_joint"]) == list(HUMANEVA_15.names)
    groups = [f"{action}/S{subject}" for action in ("Jog", "Walking") for subject in (1, 2, 3)]
    assert list(seed["per_action"]["mpjpe"]) == groups
    for metric in ("mpjpe", "p_mpjpe", "mpjve"):
        assert seed["action_mean"][metric] == pytest.approx(
            np.mean(list(seed["per_action"][metric].values())), abs=1e-3
        )
    assert seed["acceleration_error"] > 0 and set(seed["left_right_symmetry"]) == {"predicted", "truth"}
    videos = open_prepared(project_folder / "data/prepared/humaneva").videos
    assert {video.action.split()[0] for video in videos if video.split == "validation"} == {"Box"}
    assert {video.action.split()[0] for video in videos if video.split == "train"} == {"Walking", "Jog", "Box"}


def test_trained_on_one_role_and_tested_on_another(project_folder, monkeypatch):
    record = result(project_folder, monkeypatch, "human", "mpi_inf_3dhp")
    own, other = (open_prepared(project_folder / "data/prepared" / role) for role in ("h36m", "mpi_inf_3dhp"))
    assert record["trained_on"] == {"role": "h36m", "source": "synthetic"} and record["data"] == other.fingerprint
    assert list(record["seeds"][0]["per_joint"]) == list(H36M_17.names)
    assert record["seeds"][0]["per_joint"]["pelvis"] == 0 and 0 < record["mean_pose"]["pck"] < 100
    seen = other.in_joints(own.skeleton)
    frame, names = [other.split("test")[0].start], MPI_INF_3DHP_17.index
    here, there = seen.poses_3d[frame][0], other.poses_3d[frame][0]
    for joint, name in (("thorax", "neck"), ("nose", "head"), ("head", "head_top"), ("left_knee", "left_knee")):
        assert_allclose(here[H36M_17.index[joint]], there[names[name]])


def test_fifteen_joints_of_human36m_train_for_humaneva(project_folder, monkeypatch):
    record = result(project_folder, monkeypatch, "fifteen")
    assert list(record["seeds"][0]["per_joint"]) == list(HUMANEVA_15.names)
    assert record["detector"] == "blend:0.5:cpn"
    with pytest.raises(InputError, match="no 2D of detector 'cpn'"):
        evaluate.run(project_folder, "fifteen", "humaneva")


@pytest.mark.parametrize("role", ROLES[1:])
def test_3d_of_a_prepared_set_projects_onto_its_2d(project_folder, role):
    prepared = open_prepared(project_folder / "data/prepared" / role)
    files = {
        (s.subject, s.action, s.camera.id, s.split): s.camera
        for s in load(role, source="synthetic", path=project_folder / "data/raw/synthetic" / role)
    }
    root = prepared.skeleton.root
    for video in prepared.videos:
        split = {"S8": "train"}.get(video.subject, "test") if video.split == "validation" else video.split
        camera = files[video.subject, video.action, video.camera, split]
        span = slice(video.start, video.start + video.frames)
        poses = np.array(prepared.poses_3d[span])
        poses += np.where(np.arange(len(prepared.skeleton)) == root, 0, 1)[:, None] * poses[:, [root]]
        pixels = denormalise_screen(project(poses, camera.intrinsics), camera.size)
        assert_allclose(pixels, denormalise_screen(prepared.poses_2d("gt")[span], camera.size), atol=0.01)
        assert role == "mpi_inf_3dhp" or abs(camera.radial[0] + 0.2) < 0.01


def memory_set(role, skeleton, videos, target, valid=None):
    prepared = PreparedSet(None, role, "synthetic", skeleton, (), "", tuple(videos))
    prepared.__dict__.update(poses_3d=target, valid=np.ones(len(target), bool) if valid is None else valid)
    return prepared


def golden_3dhp():
    """The sheet's errors (37 f + 53 j) mod 211 mm as predictions, with frames between them that do not count."""
    f, j = np.ogrid[:7, :17]
    errors = ((37 * f + 53 * j) % 211).astype(float)
    target = np.random.default_rng(0).normal(size=(14, 17, 3))
    predicted = target.copy()
    # A little more than a millimetre's fraction, lest metres times 1000 fall short of a threshold.
    predicted[1::2, :, 1] += errors / 1000 + 1e-9
    predicted[::2] += 9
    target[:, 14], predicted[:, 14] = 5, 3
    videos = [Video("TS1", "GS", "0", "test", 0, 6, 25.0), Video("TS5", "outdoor", "0", "test", 6, 8, 25.0)]
    return errors, predicted, memory_set("mpi_inf_3dhp", MPI_INF_3DHP_17, videos, target, np.arange(14) % 2 == 1)


def test_golden_numbers_of_the_test_kit():
    errors, predicted, prepared = golden_3dhp()
    found = summarise(predicted, prepared, prepared.videos)
    assert found["action_mean"]["pck"] == pytest.approx(73.469388, abs=1e-6)
    assert found["action_mean"]["auc"] == pytest.approx(38.018433, abs=1e-6)
    # The root is put to the origin before anything is counted, and counts as one of the 17 joints.
    errors[:, 14] = 0
    assert found["action_mean"]["mpjpe"] == pytest.approx(errors.mean(), abs=1e-3)
    assert found["per_action"]["mpjpe"]["GS"] == pytest.approx(errors[:3].mean(), abs=1e-3)
    assert found["per_action"]["mpjpe"]["outdoor"] == pytest.approx(errors[3:].mean(), abs=1e-3)
    assert found["per_recording"]["mpjpe"]["TS5 outdoor"] == pytest.approx(errors[3:].mean(), abs=1e-3)


def test_pck_counts_fourteen_joints_and_no_frame_that_is_not_valid():
    _, _, prepared = golden_3dhp()
    for joint, share in (("pelvis", 0), ("spine", 0), ("head", 0), ("head_top", 1), ("neck", 1), ("left_wrist", 1)):
        predicted = targets_of(prepared, np.arange(14))
        predicted[:, MPI_INF_3DHP_17.index[joint], 0] += 0.2
        found = summarise(predicted, prepared, prepared.videos)["frame_mean"]
        assert found["pck"] == pytest.approx(100 * (1 - share / 14)), joint
        assert found["auc"] == pytest.approx(100 * 30 / 31 * (1 - share / 14)), joint
    predicted = targets_of(prepared, np.arange(14))
    predicted[::2] += 7
    assert summarise(predicted, prepared, prepared.videos)["frame_mean"]["mpjpe"] == 0


def test_humaneva_is_the_mean_of_six_numbers_however_long_their_videos():
    lengths, errors = (2, 3, 4, 5, 6, 7, 2), (10, 20, 30, 40, 50, 60, 80)
    names = [("S1", "Walking"), ("S2", "Walking"), ("S3", "Walking"), ("S1", "Jog"), ("S2", "Jog"), ("S3", "Jog")]
    starts = np.cumsum((0, *lengths))
    videos = [
        Video(subject, f"{action} 1 chunk{i}", "C1", "test", int(starts[i]), lengths[i], 60.0)
        for i, (subject, action) in enumerate([*names, ("S1", "Walking")])
    ]
    target = np.random.default_rng(0).normal(size=(sum(lengths), 15, 3))
    target[:, 0] = 0
    prepared = memory_set("humaneva", HUMANEVA_15, videos, target)
    predicted = target + np.repeat(np.array(errors) / 1000, lengths)[:, None, None] * (1, 0, 0)
    found = summarise(predicted, prepared, videos)
    walking_s1 = (2 * 10 + 2 * 80) / 4
    assert found["per_action"]["mpjpe"]["Walking/S1"] == pytest.approx(walking_s1, abs=1e-3)
    assert found["action_mean"]["mpjpe"] == pytest.approx((walking_s1 + 20 + 30 + 40 + 50 + 60) / 6, abs=1e-3)


def settings(folder, role, source, path):
    content = yaml.safe_load((folder / "params.yaml").read_text())
    content["roles"][role] = {"source": source, "path": str(path)}
    (folder / "params.yaml").write_text(yaml.safe_dump(content))


SHORT = {
    "h36m": ("human36m", "5 of 5 parts", "1800 of 248376 frames of video S1"),
    "mpi_inf_3dhp": ("mpi_inf_3dhp", "22 of 22 parts", "64 of 51328 frames of train S1 Seq1"),
}


@pytest.mark.parametrize("role", SHORT)
def test_a_check_says_in_a_sentence_what_of_the_real_set_is_missing(project_folder, tmp_path, role, capsys):
    shutil.copytree(project_folder / "experiments", tmp_path / "experiments")
    shutil.copy(project_folder / "params.yaml", tmp_path)
    source, parts, frames = SHORT[role]
    message = f"{parts} are incomplete, there are {frames}"
    settings(tmp_path, role, source, project_folder / "data/raw/synthetic" / role)
    with pytest.raises(InputError, match=message) as caught:
        prepare.run(tmp_path, role, check=True)
    assert "\n" not in str(caught.value) and not (tmp_path / "data").exists()
    prepare.run(tmp_path, role)
    assert message in capsys.readouterr().out


def test_a_check_of_humaneva_wants_three_actions_of_three_people_in_both_parts(project_folder, tmp_path, capsys):
    shutil.copy(project_folder / "params.yaml", tmp_path)
    raw = tmp_path / "raw"
    shutil.copytree(project_folder / "data/raw/synthetic/humaneva", raw)
    settings(tmp_path, "humaneva", "humaneva", raw)
    prepare.run(tmp_path, "humaneva", check=True)
    assert "humaneva: 81 videos" in capsys.readouterr().out
    with np.load(raw / POSITIONS_FILE, allow_pickle=True) as content:
        positions = content["positions_3d"].item()
    positions["Validate/S3"].pop("Jog 1 chunk0")
    np.savez(raw / POSITIONS_FILE, positions_3d=np.array(positions, dtype=object))
    with pytest.raises(InputError, match="1 of 18 parts are incomplete, there are 0 of some frames of test S3 Jog;"):
        prepare.run(tmp_path, "humaneva", check=True)


@pytest.mark.parametrize(("role", "file"), [("mpi_inf_3dhp", TRAIN_FILE), ("mpi_inf_3dhp", TEST_FILE)])
@pytest.mark.parametrize("check", [False, True])
def test_a_file_that_is_not_there_is_named_and_nothing_is_written(project_folder, tmp_path, role, file, check):
    shutil.copy(project_folder / "params.yaml", tmp_path)
    shutil.copytree(project_folder / "data/raw/synthetic" / role, tmp_path / "data/raw/synthetic" / role)
    (tmp_path / "data/raw/synthetic" / role / file).unlink()
    with pytest.raises(InputError, match=f"{file}: no such file; data/README.md"):
        prepare.run(tmp_path, role, check)
    assert not (tmp_path / "data/prepared" / role).exists()


def test_no_stand_in_of_an_unknown_role(project_folder):
    with pytest.raises(InputError, match="'coco' has no stand-in; choose from h36m, mpi_inf_3dhp, humaneva"):
        synthesise.run(project_folder, "coco")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("blend: 0.25", "blend: 1.25", "blend.*less than or equal to 1"),
        ("blend: 0.25", "joints: coco_17", "joints"),
        ("role: humaneva", "role: human", "role"),
        ("detector: mask_rcnn", "detector: rcnn", "detector"),
    ],
)
def test_wrong_settings_are_named(project_folder, tmp_path, old, new, message):
    shutil.copytree(project_folder / "experiments", tmp_path / "experiments")
    (tmp_path / "experiments/mixste.yaml").write_text(EXPERIMENTS.replace(old, new, 1))
    with pytest.raises(InputError, match=message):
        load_experiment(tmp_path, "eva")


def test_roles_in_use_get_stages_and_others_none(tmp_path):
    for name in ("poselib", "notebooks", "experiments", "data/reported"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "experiments/mixste.yaml"
    for paper in {*path.parent.glob("*.yaml")} - {path, path.with_name("recipes.yaml")}:
        paper.unlink()
    path.write_text(f"experiments:\n  only: {{{SMALL}, detector: gt}}\n")
    before = yaml.safe_load(dvc_yaml(tmp_path))["stages"]
    assert before["synthesise"]["foreach"] == ["h36m"] and list(before["prepare"]["foreach"]) == ["h36m"]
    assert "evaluate_on" not in before
    path.write_text(EXPERIMENTS)
    content = yaml.safe_load(dvc_yaml(tmp_path))
    stages, (runs, crossed) = content["stages"], content["vars"]
    assert stages["prepare"]["foreach"] == {role: f"${{roles.{role}.path}}" for role in sorted(ROLES)}
    assert (
        runs["runs"]["dhp"]["role"] == "mpi_inf_3dhp" and "data/prepared/${item.role}" in stages["train"]["do"]["deps"]
    )
    assert list(crossed["crossed"]) == ["human_on_mpi_inf_3dhp"]
    cross = stages["evaluate_on"]["do"]
    assert cross["cmd"] == "python -m poselib evaluate ${item.run} --on ${item.on}"
    assert {"data/prepared/${item.role}", "data/prepared/${item.on}", "checkpoints/${item.run}"} <= set(cross["deps"])


def test_mixste_counts_humaneva_by_subject_too(project_folder, monkeypatch):
    seed = result(project_folder, monkeypatch, "eva")["seeds"][0]
    assert seed["counted_as_mixste"]["mpjpe"] == pytest.approx(seed["action_mean"]["mpjpe"], rel=0.05)
