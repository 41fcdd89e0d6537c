"""The generated people: bones, joints, floor, speeds of real people, the same every time."""

import csv
from pathlib import Path

import numpy as np
import pytest

from poselib.data import statistics
from poselib.data.synthetic import synthetic_motions
from poselib.data.synthetic_body import LIMITS
from poselib.errors import InputError
from poselib.skeleton import H36M_17

REPORTED = Path(__file__).parents[2] / "data/reported/open_mocap/speeds.csv"


@pytest.fixture(scope="module")
def motions():
    return list(synthetic_motions(seconds=2.0, seed=0))


@pytest.fixture(scope="module")
def speeds(motions):
    return statistics.speed_table(motions)


@pytest.fixture(scope="module")
def real():
    with REPORTED.open() as file:
        rows = {row.pop("joint"): row for row in csv.DictReader(file)}
    return {joint: {name: float(value) for name, value in row.items()} for joint, row in rows.items()}


def test_takes_are_those_of_human36m(motions):
    names = {(motion.subject, motion.action) for motion in motions}
    assert len(motions) == len(names) == 209
    assert ("S11", "Directions") not in names and ("S11", "Directions 1") in names
    assert {m.subject for m in motions} == {"S1", "S5", "S6", "S7", "S8", "S9", "S11"}
    assert all(m.positions.shape == (100, 17, 3) and m.positions.dtype == np.float32 for m in motions)
    assert all(m.skeleton is H36M_17 and m.fps == 50.0 for m in motions)


def test_bones_keep_their_length(motions):
    table = statistics.bone_table(motions)
    assert table["spread"].max() < 0.01, f"bones change by up to {table['spread'].max():.4f} mm"


def test_bones_differ_between_subjects_within_the_human_range(motions):
    table = statistics.bone_table(motions)
    ratio = table["highest"] / table["lowest"]
    assert ratio.min() > 1.02 and ratio.max() < 1.07 * 1.03 / (0.93 * 0.97), ratio.to_string()
    assert table.loc["left_knee", "mean"] == pytest.approx(443, rel=0.05)


def test_joints_stay_within_their_limits(motions):
    table = statistics.angle_table(motions)
    for joint, (low, high) in LIMITS.items():
        for name in (joint, f"left_{joint}", f"right_{joint}"):
            if name in table.index:
                lowest, highest = table.loc[name, "lowest"], table.loc[name, "highest"]
                assert lowest >= low and highest <= high, f"{name}: {lowest:.1f} to {highest:.1f} degrees"


def test_knees_bend_one_way(motions):
    table = statistics.angle_table(motions)
    assert table.loc[["left_knee_side", "right_knee_side"], "lowest"].min() >= 0


def test_nobody_sinks_into_the_floor(motions):
    heights = statistics.floor_table(motions)["lowest"]
    assert heights.min() > 0 and heights[["left_ankle", "right_ankle"]].min() > 50, heights.to_string()


def test_everybody_stays_in_the_room(motions):
    assert max(np.abs(motion.positions[..., :2]).max() for motion in motions) < 1.6


@pytest.mark.parametrize("kind", ["world", "relative"])
def test_joints_are_as_fast_as_real_ones(speeds, real, kind):
    for joint, row in real.items():
        measured, wanted = speeds.loc[joint, f"{kind}_mean"], row[f"{kind}_mean_mm_per_frame"]
        assert measured <= 1.5 * wanted and 1.5 * measured >= wanted, f"{joint} {kind}: {measured:.1f}, real {wanted}"


def test_speed_rises_along_each_chain(speeds):
    for side in ("left_", "right_"):
        for chain in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
            assert speeds.loc[[side + joint for joint in chain], "relative_mean"].is_monotonic_increasing
    assert speeds.loc[["pelvis", "spine", "thorax", "nose", "head"], "relative_mean"].is_monotonic_increasing


def test_standing_feet_stay_put(speeds):
    ankles = speeds.loc[["left_ankle", "right_ankle"]]
    assert ankles["world_median"].max() < 4.5, ankles.to_string()
    assert ankles["world_p95"].between(40, 80).all(), ankles.to_string()


def test_no_jumps(motions):
    speed, acceleration = statistics.peaks(motions)
    assert speed < 15 and acceleration < 1500, f"{speed:.1f} m/s, {acceleration:.0f} m/s^2"


def test_left_and_right_are_balanced(speeds):
    for joint in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist"):
        ratio = speeds.loc[f"left_{joint}", "relative_mean"] / speeds.loc[f"right_{joint}", "relative_mean"]
        assert 0.85 < ratio < 1.18, f"{joint}: left / right {ratio:.2f}"


def test_people_face_all_ways(motions):
    across = np.concatenate([m.positions[::10, 4] - m.positions[::10, 1] for m in motions])
    facing = np.arctan2(-across[:, 0], across[:, 1])
    assert np.histogram(facing, bins=4, range=(-np.pi, np.pi))[0].min() > 0.15 * len(facing)
    assert np.hypot(np.cos(facing).mean(), np.sin(facing).mean()) < 0.25


def test_subjects_share_one_style(motions):
    wrists = [H36M_17.index[joint] for joint in ("left_wrist", "right_wrist")]
    means = {m.subject: [] for m in motions}
    for motion in motions:
        means[motion.subject].append(statistics.speeds_mm(motion, relative=True)[:, wrists].mean())
    values = np.array([np.mean(each) for each in means.values()])
    assert values.max() / values.min() < 1.5, values.round(1)


def test_same_seed_same_motion_other_seed_other_motion(motions):
    again = next(synthetic_motions(seconds=2.0, seed=0))
    other = next(synthetic_motions(seconds=2.0, seed=1))
    assert np.array_equal(again.positions, motions[0].positions)
    assert not np.allclose(other.positions, motions[0].positions, atol=0.05)
    assert not np.allclose(motions[0].positions, motions[1].positions, atol=0.05)


@pytest.mark.parametrize("arguments", [{"seconds": 0.0}, {"seconds": np.nan}, {"seconds": 2.0, "fps": -50.0}])
def test_too_short_takes_are_refused(arguments):
    with pytest.raises(InputError, match="fewer than two frames"):
        synthetic_motions(seed=0, **arguments)


def test_negative_seed_is_refused():
    with pytest.raises(InputError, match="negative"):
        synthetic_motions(seconds=1.0, seed=-1)
