"""The checkpoint that ships: small, described as measured, as good as it says on people it never saw, fast enough."""

import csv
import shutil
import time

import numpy as np
import pytest
from test_stages import numbers_of

import poselib
from poselib.data.camera_table import TEST_RIGS, cameras
from poselib.data.cmu import cmu_motions
from poselib.data.cmu_files import CMU_CREDIT
from poselib.data.detections import simulate_detections
from poselib.data.filming import film
from poselib.geometry import centre_on_root
from poselib.lifting import find
from poselib.metrics import MILLIMETRES, mpjpe
from poselib.stages.lifter.card import COLUMNS, CURVES_OF
from poselib.stages.lifter.settings import CURVES, PROJECT, SHIPPED, load

WALK = "35_14.bvh.gz"


@pytest.fixture(scope="module")
def shipped():
    """Its file."""
    path = PROJECT / load(PROJECT).checkpoint
    if not path.is_file():
        pytest.skip(f"{path.relative_to(PROJECT)} is not trained yet: dvc repro lifter/dvc.yaml")
    return path


@pytest.fixture(scope="module")
def rows(shipped):
    with (PROJECT / CURVES).open(newline="") as file:
        return list(csv.DictReader(file))


def test_it_is_one_small_file_that_credits_its_source(shipped):
    assert [path.name for path in (PROJECT / SHIPPED).glob("*.safetensors")] == [shipped.name]
    assert shipped.stat().st_size <= 5e6
    found = find()
    assert found.name == shipped.stem and CMU_CREDIT in found.about.trained_on


def test_its_card_says_what_was_measured(rows):
    shown = numbers_of((PROJECT / SHIPPED / "CARD.md").read_text())
    for curve, label in CURVES_OF.items():
        own = {row["value"]: row for row in rows if row["curve"] == curve}
        assert own and {value.rstrip("*") for value in shown[label]} == own.keys()
        for value, numbers in shown[label].items():
            assert numbers == [f"{float(own[value.rstrip('*')][column]):.1f}" for column in COLUMNS]


def test_a_walk_of_somebody_it_never_saw_is_lifted_as_well_as_it_says(rows, mocap_folder, tmp_path):
    found = sorted(mocap_folder.rglob(WALK))
    if not found:
        pytest.skip(f"no {WALK} in {mocap_folder}")
    shutil.copy(found[0], tmp_path)
    (walk,) = cmu_motions(tmp_path)
    stated = next(row for row in rows if row["value"] == "Human3.6M, S9 and S11")
    errors = []
    for camera in (camera for rig in TEST_RIGS for camera in cameras()[rig]):
        seen = film(walk, camera, lambda pixels, seed: simulate_detections(pixels, seed=seed))
        lifted = poselib.lift(seen.poses_2d["cpn"], "h36m", camera.size, walk.fps)
        errors.append(MILLIMETRES * mpjpe(lifted.poses_3d, centre_on_root(seen.poses_3d)))
    # People in the table also dance, fight and play ball.
    assert np.mean(errors) < float(stated["mpjpe_mm"]) < 0.6 * float(stated["mean_pose_mm"])


def test_it_lifts_faster_than_a_camera_films(shipped):
    points = np.random.default_rng(0).uniform(300, 700, (1000, 17, 2))
    poselib.lift(points[:100], "h36m", (1000, 1000), 50)
    started = time.perf_counter()
    poselib.lift(points, "h36m", (1000, 1000), 50)
    assert time.perf_counter() - started < len(points) / 50
