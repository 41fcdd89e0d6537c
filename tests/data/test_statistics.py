"""Statistics of motion on shapes whose numbers one can work out by hand."""

import numpy as np
import pytest

from poselib.data import statistics
from poselib.data.sequences import Motion
from poselib.data.synthetic_body import Angles, draw_body, positions
from poselib.errors import InputError
from poselib.skeleton import H36M_17


def motion_of(places, fps=50.0):
    return Motion("S1", "Walking", H36M_17, fps, np.asarray(places, dtype=np.float64))


@pytest.fixture
def sliding():
    """Everything moves by 10 mm a frame along x; the head by 30."""
    places = np.tile(np.random.default_rng(0).uniform(0.1, 1, (17, 3)), (11, 1, 1))
    places[..., 0] += 0.01 * np.arange(11)[:, None]
    places[:, H36M_17.index["head"], 0] += 0.02 * np.arange(11)
    return motion_of(places)


def standing(frames=3, **changes):
    flat = np.zeros((frames, 3))
    body = draw_body(np.random.default_rng(0))
    ankles = np.tile([[0, 0.13, 0.08], [0, -0.13, 0.08]], (frames, 1, 1))
    pelvis = np.tile([0, 0, 0.9], (frames, 1))
    arms, sides = np.zeros((frames, 2, 4)), np.zeros((frames, 2))
    parts = {"pelvis": pelvis, "heading": flat[:, 0], "tilt": flat, "spine": flat, "neck": flat, "arms": arms}
    return motion_of(positions(body, Angles(**(parts | {"ankles": ankles, "splay": sides} | changes))))


def test_speeds_of_a_slide(sliding):
    table = statistics.speed_table([sliding])
    assert table.loc["pelvis"].tolist() == pytest.approx([10, 10, 10, 0, 0, 0])
    assert table.loc["head"].tolist() == pytest.approx([30, 30, 30, 20, 20, 20])


def test_speeds_are_per_frame_of_50_hz(sliding):
    fast = Motion("S1", "Walking", H36M_17, 100.0, sliding.positions)
    assert statistics.speed_table([fast]).loc["pelvis", "world_mean"] == pytest.approx(20)


def test_peaks(sliding):
    speed, acceleration = statistics.peaks([sliding])
    assert speed == pytest.approx(1.5) and acceleration == pytest.approx(0, abs=1e-6)


def test_bone_table_sees_the_one_bone_that_changes(sliding):
    spread = statistics.bone_table([sliding])["spread"]
    assert spread["head"] > 1 and spread.drop("head").max() < 1e-6


def test_floor_table(sliding):
    lowest = statistics.floor_table([sliding])["lowest"]
    assert lowest.to_numpy() == pytest.approx(sliding.positions[0, :, 2] * 1000)


@pytest.mark.parametrize("bend", [0.3, 1.0, 2.4])
def test_elbow_angle_is_the_bend_put_in(bend):
    arms = np.zeros((3, 2, 4))
    arms[..., 3] = bend
    angles = statistics.joint_angles(standing(arms=arms))
    for side in ("left", "right"):
        assert angles[f"{side}_elbow"] == pytest.approx(np.degrees(bend))


def test_forearms_go_ahead_and_right_mirrors_left():
    arms = np.tile([0.4, -0.4, 0.2, 0.6], (3, 2, 1))
    places = standing(arms=arms).positions
    assert np.allclose(places * [1, -1, 1], places[:, list(H36M_17.flip)])
    assert (places[:, H36M_17.index["left_wrist"], 0] > places[:, H36M_17.index["left_elbow"], 0]).all()


@pytest.mark.parametrize("height", [0.4, 0.6, 0.8])
def test_knee_angle_follows_the_law_of_cosines(height):
    motion = standing(pelvis=np.tile([0, 0, height + 0.08], (3, 1)))
    at = {name: motion.positions[:, number] for name, number in H36M_17.index.items()}
    thigh, shin, reach = (
        np.linalg.norm(at[a] - at[b], axis=-1)
        for a, b in (("left_hip", "left_knee"), ("left_knee", "left_ankle"), ("left_hip", "left_ankle"))
    )
    inside = np.degrees(np.arccos((thigh**2 + shin**2 - reach**2) / (2 * thigh * shin)))
    angles = statistics.joint_angles(motion)
    assert angles["left_knee"] == pytest.approx(180 - inside)
    assert (angles["left_knee_side"] > 0.99).all(), "the knee points ahead"


def test_a_knee_that_bends_the_wrong_way_is_negative():
    places = standing(pelvis=np.tile([0, 0, 0.7], (3, 1))).positions
    knee = H36M_17.index["left_knee"]
    places[:, knee, 0] *= -1
    assert (statistics.joint_angles(motion_of(places))["left_knee_side"] < 0).all()


def test_nothing_to_measure_is_refused(sliding):
    with pytest.raises(InputError, match="at least one"):
        statistics.speed_table([])
    with pytest.raises(InputError, match="one frame"):
        statistics.speed_table([motion_of(sliding.positions[:1])])
