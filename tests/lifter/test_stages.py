"""The stages behind the checkpoint that ships, on clips written here: what they write, and that the card repeats it."""

import csv
import re
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml
from samples.mocap import put_bvh
from typer.testing import CliRunner

import poselib
from poselib import checkpoints, training
from poselib.__main__ import app
from poselib.data.mocap_clean import resample
from poselib.data.prepared import open_prepared
from poselib.errors import InputError
from poselib.lifting.root_path import estimate_root_path
from poselib.models import build
from poselib.skeleton_cmu import CMU_BVH
from poselib.stages.lifter import card, measure, prepare, train
from poselib.stages.lifter.code import STAGES
from poselib.stages.lifter.rehearse import small
from poselib.stages.lifter.settings import CURVES, LOG, PREPARED, PROJECT, SHIPPED, SPEED, Settings, load

SUBJECTS = ("02", "05", "07", "09", "12", "35")


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    """The rehearsal on one second of six people who glide through the room in a pose of their own."""
    folder, random = tmp_path_factory.mktemp("cmu"), np.random.default_rng(0)
    for subject in SUBJECTS:
        offsets = {joint: random.uniform(-4, 4, 3).round(3) for joint in CMU_BVH.names}
        put_bvh(folder, f"{subject}_01.bvh", offsets=offsets)
    short = small(load(PROJECT), PROJECT)
    measuring = short.measuring.model_copy(update={"every": 1})
    return short.model_copy(update={"path": str(folder), "measuring": measuring})


@pytest.fixture(scope="module")
def made(settings, tmp_path_factory):
    """A folder with everything that the stages write."""
    folder, threads = tmp_path_factory.mktemp("made"), torch.get_num_threads()
    for stage in (prepare, train, measure, card):
        stage.run(folder, settings)
    torch.set_num_threads(threads)
    return folder


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_motions_are_at_the_rate_of_the_network_and_split_by_subject(made, settings):
    prepared = open_prepared(made / PREPARED)
    splits = {video.subject: video.split for video in prepared.videos}
    assert sorted(splits) == [f"CMU_{subject}" for subject in SUBJECTS] and set(splits.values()) == {
        *("train", "validation", "test")
    }
    assert {video.fps for video in prepared.videos} == {settings.fps} and "mocap.cs.cmu.edu" in prepared.credits[0]


def test_clips_whose_licence_is_share_alike_are_refused(tmp_path):
    for name in ("07_01.bvh", "09_01.bvh", "HDM_bd_walk.bvh"):
        put_bvh(tmp_path, name)
    with pytest.raises(InputError, match="HDM_bd_walk.bvh: is of HDM05, whose licence is share-alike; name a folder"):
        prepare.checked_split(tmp_path)


def test_a_command_without_motion_capture_ends_in_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "lifter").mkdir()
    for name in ("dvc.yaml", "lifter/params.yaml"):
        shutil.copy(PROJECT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for stage, sentence in (("prepare", "data/raw/cmu is no folder"), ("train", "no prepared set here")):
        done = CliRunner().invoke(app, ["lifter", stage])
        assert isinstance(done.exception, InputError) and sentence in str(done.exception)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dvc.yaml", "lifter"]


def test_a_training_that_was_killed_ends_with_the_same_bits(made, settings, tmp_path, monkeypatch):
    prepared, take, taken = open_prepared(made / PREPARED), training.take_batch, []

    def killed_at_the_sixth(*given):
        take(*given)
        taken.append(len(taken))
        if len(taken) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(training, "SNAPSHOT_EVERY_S", -1)
    monkeypatch.setattr(training, "take_batch", killed_at_the_sixth)
    with pytest.raises(KeyboardInterrupt):
        train.train(settings, prepared, tmp_path / "snapshot")
    progress = train.train(settings, prepared, tmp_path / "snapshot")
    assert (progress.updates, len(taken)) == (8, 9)
    with (made / LOG).open() as file:
        assert [float(row["held_out_mpjpe_mm"]) for row in csv.DictReader(file)] == [
            row["held_out_mpjpe_mm"] for row in progress.log
        ]
    shipped = checkpoints.load(made / settings.checkpoint)[0].state_dict()
    best = progress.best["held_out"]["weights"]
    assert all(torch.equal(weights, best[name]) for name, weights in shipped.items())


def test_what_ships_lifts_alone_and_says_what_it_is(made, settings, monkeypatch, tmp_path):
    monkeypatch.setattr("poselib.lifting.trained.DEFAULT", made / SHIPPED)
    monkeypatch.chdir(tmp_path)
    points = np.random.default_rng(0).uniform(100, 900, (30, 17, 2))
    found = poselib.lift(points, "coco", (1000, 1000), 30)
    assert found.poses_3d.shape == (30, 17, 3) and found.checkpoint == settings.name
    assert found.about.assumed_focal == settings.assumed_focal and "mocap.cs.cmu.edu" in found.about.trained_on


def test_the_configured_network_takes_less_than_five_megabytes(tmp_path):
    network = load(PROJECT).network
    model = build("mixste", joints=17, in_channels=2, drop_path=0.0, **network.model_dump())
    checkpoints.save(tmp_path / "fresh.safetensors", model, {})
    assert (tmp_path / "fresh.safetensors").stat().st_size < 5e6


def test_every_curve_has_its_values_and_the_usual_input_is_the_same_in_all(made, settings):
    rows, values = rows_of(made / CURVES), settings.measuring
    by = {(row["curve"], row["value"]): row for row in rows}
    assert len(by) == len(rows)
    for curve in ("noise", "missing", "fps", "height", "distance"):
        assert [row["value"] for row in rows if row["curve"] == curve] == [f"{one:g}" for one in getattr(values, curve)]
    usual = by["usual", ""]
    same = (("noise", "1"), ("missing", "0"), ("fps", "50"), ("height", "1.5"), ("joints", "as recorded"))
    for key in (*same, ("focal length", "not told")):
        assert by[key]["mpjpe_mm"] == usual["mpjpe_mm"]
    assert by["noise", "0"]["noise_px"] == "0.0" and 4 < float(usual["noise_px"]) < 9
    for row in rows:
        best, scaled, plain = (float(row[f"{kind}mpjpe_mm"]) for kind in ("p_", "n_", ""))
        assert 0 < best <= scaled <= plain
        # Two of the six people are tested, a second each.
        assert (
            int(row["pieces"]) == 2
            and abs(int(row["frames"]) - 2 * float(row["value"] if row["curve"] == "fps" else 50)) <= 2
        )


def test_true_poses_have_no_error(made, settings, monkeypatch):
    kind = measure.Kind("focal length", "told", measure.USUAL, noise=0.0, focal=1.0)
    piece = next(measure._pieces(made, settings))
    draws = np.random.default_rng([3, 1])
    moved = replace(piece, fps=kind.fps, positions=resample(piece.positions, measure.RECORDED_FPS, kind.fps))
    truth = measure._filmed(moved, kind, 3, draws, settings)[1]

    def true(points, joints, size, fps, *, checkpoint, focal):
        relative, pixels = truth - truth[:, :1], points[..., :2] - np.array(size) / 2
        path = estimate_root_path(relative, pixels, points[..., 2], focal)
        return SimpleNamespace(person=SimpleNamespace(frames=np.arange(51), poses_3d=relative, root_path_estimate=path))

    monkeypatch.setattr(measure, "lift", true)
    found = measure._errors(kind, None, piece, 3, settings, np.zeros((17, 3)))
    assert found.pop("frames") == 51
    assert found.pop("mean_pose_mm") == pytest.approx(1000 * np.linalg.norm(truth - truth[:, :1], axis=-1).mean())
    assert max(found.values()) < 1e-3


def test_the_card_says_what_was_measured(made, settings):
    text, rows = (made / SHIPPED / "CARD.md").read_text(), rows_of(made / CURVES)
    shown = numbers_of(text)
    for curve, label in card.CURVES_OF.items():
        own = [row for row in rows if row["curve"] == curve]
        assert shown[label] == {
            row["value"] + "*" * int(row["beyond_training"]): [f"{float(row[column]):.1f}" for column in card.COLUMNS]
            for row in own
        }
    usual = next(row for row in rows if row["curve"] == "usual")
    assert f"| MPJPE | {float(usual['mpjpe_mm']):.1f} |" in text
    assert "{" not in text and "CMU_02" in text and "NSF EIA-0196217" in text


def test_other_numbers_make_another_card(made, settings, tmp_path):
    for name in (CURVES, LOG, SPEED, settings.checkpoint, f"{PREPARED}/set.json", f"{PREPARED}/poses_world.f32"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((made / name).read_bytes())
    assert card.text(tmp_path, settings) == (made / SHIPPED / "CARD.md").read_text()
    text = (tmp_path / CURVES).read_text()
    usual = rows_of(tmp_path / CURVES)[0]["mpjpe_mm"]
    (tmp_path / CURVES).write_text(text.replace(usual, "4321.0"))
    assert "| MPJPE | 4321.0 |" in card.text(tmp_path, settings)
    (tmp_path / CURVES).unlink()
    with pytest.raises(
        InputError, match="curves.csv: no such file; train and measure first: dvc repro lifter/dvc.yaml"
    ):
        card.text(tmp_path, settings)


def numbers_of(text):
    """First heading of every table of the card -> first cell of each row -> the errors in it."""
    found = {}
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in line.strip("|\n ").split("|")] for line in table.splitlines())
        found[head[0]] = {row[0]: row[1:4] for row in rows}
    return found


def test_the_pipeline_names_the_files_and_settings_there_are():
    content = yaml.safe_load((PROJECT / "lifter/dvc.yaml").read_text())["stages"]
    # `side-by-side` takes stages of all pipelines by their names.
    assert all(name.startswith("lifter-") for name in content)
    stages = {name.removeprefix("lifter-"): stage for name, stage in content.items()}
    outs = {
        name: [next(iter(out)) if isinstance(out, dict) else out for out in stages[name]["outs"]] for name in stages
    }
    assert outs["code"] == [f"data/code/lifter/{name}.json" for name in STAGES]
    assert outs["prepare"] == [PREPARED] and outs["train"] == [load(PROJECT).checkpoint, LOG]
    assert outs["measure"] == [CURVES, SPEED] and outs["card"] == [f"{SHIPPED}/CARD.md"]
    for name in STAGES:
        assert stages[name]["cmd"] == f"python -m poselib lifter {name}"
        assert f"data/code/lifter/{name}.json" in stages[name]["deps"]
        for part in stages[name]["params"]:
            assert set(part["lifter/params.yaml"] or ()) <= set(Settings.model_fields)
    # Else `dvc repro` would train it too.
    other = (PROJECT / "dvc.yaml").read_text()
    assert not [out for made in outs.values() for out in made if out in other]
