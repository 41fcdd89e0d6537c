"""The simulated detector does what its parameters say."""

from dataclasses import replace

import numpy as np
import pytest

from poselib.data.detections import SPREAD, DetectorNoise, simulate_detections
from poselib.errors import InputError
from poselib.skeleton import H36M_17

CALM = DetectorNoise(outliers=0, swaps=0)
WRIST, SHOULDER = H36M_17.index["left_wrist"], H36M_17.index["left_shoulder"]


@pytest.fixture(scope="module")
def pixels():
    """A person who walks to and fro in front of the camera, arms and legs swinging."""
    time = np.arange(20_000) / 50
    places = np.tile(np.random.default_rng(0).uniform(300, 700, (17, 2)), (len(time), 1, 1))
    places[..., 0] += 100 * np.sin(0.5 * time)[:, None]
    for joint in ("left_wrist", "right_ankle"):
        places[:, H36M_17.index[joint], 0] += 40 * np.sin(6 * time)
    return places


def errors(pixels, noise=None):
    return simulate_detections(pixels, seed=0, noise=noise) - pixels


def test_mean_error_is_that_of_a_tuned_detector(pixels):
    mean = np.linalg.norm(errors(pixels), axis=-1).mean()
    assert 5 < mean < 8, f"{mean:.2f} px"


def test_error_grows_towards_the_ends_of_limbs(pixels):
    mean = np.linalg.norm(errors(pixels), axis=-1).mean(axis=0)
    for chain in (("hip", "knee", "ankle"), ("shoulder", "elbow", "wrist")):
        for side in ("left", "right"):
            assert (np.diff([mean[H36M_17.index[f"{side}_{joint}"]] for joint in chain]) > 0).all(), mean.round(2)


def test_error_has_the_stated_spread_at_rest():
    still = np.full((20_000, 17, 2), 500.0)
    measured = errors(still, CALM).std(axis=(0, 2))
    assert measured[WRIST] == pytest.approx(SPREAD["wrist"], rel=0.05)
    assert measured[SHOULDER] == pytest.approx(SPREAD["shoulder"], rel=0.05)


def test_fast_joints_are_worse(pixels):
    error = np.linalg.norm(errors(pixels, replace(CALM, blur=0.2)), axis=-1)[:, WRIST]
    speed = np.linalg.norm(np.gradient(pixels, axis=0), axis=-1)[:, WRIST]
    fast = speed > np.median(speed)
    assert error[fast].mean() > 1.2 * error[~fast].mean()


def test_errors_last(pixels):
    still = np.full((20_000, 17, 2), 500.0)
    error = errors(still, CALM)
    measured = np.mean(error[1:] * error[:-1], axis=(0, 2)) / np.mean(error**2, axis=(0, 2))
    assert measured == pytest.approx((1 - CALM.jitter) * CALM.correlation, abs=0.03)


def test_swaps_exchange_left_and_right_at_the_stated_rate(pixels):
    quiet = DetectorNoise(spread=dict.fromkeys(SPREAD, 0.0), outliers=0, swaps=0.004, swap_frames=5)
    seen = simulate_detections(pixels, seed=1, noise=quiet)
    wrist, other = WRIST, H36M_17.index["right_wrist"]
    exchanged = np.all(seen[:, wrist] == pixels[:, other], axis=-1)
    assert np.array_equal(exchanged, np.all(seen[:, other] == pixels[:, wrist], axis=-1))
    # spells may overlap: a frame is exchanged unless no spell covers it
    assert exchanged.mean() == pytest.approx(0.004 * 5, rel=0.35)
    assert np.array_equal(seen[~exchanged, wrist], pixels[~exchanged, wrist])


def test_outliers_come_in_spells(pixels):
    quiet = DetectorNoise(spread=dict.fromkeys(SPREAD, 0.0), swaps=0, outliers=0.002, outlier_frames=6)
    gross = np.any(errors(pixels, quiet) != 0, axis=-1)
    distal = [H36M_17.index[f"{side}_{joint}"] for side in ("left", "right") for joint in ("ankle", "elbow", "wrist")]
    rest = np.setdiff1d(np.arange(17), distal)
    assert gross[:, rest].mean() == pytest.approx(0.002 * 6, rel=0.2)
    assert gross[:, distal].mean() == pytest.approx(2 * 0.002 * 6, rel=0.2)
    begins = (gross[1:] & ~gross[:-1]).sum()
    assert gross.sum() / begins == pytest.approx(6, rel=0.15)


def test_same_seed_same_detections_and_errors_scale_with_the_image(pixels):
    first = simulate_detections(pixels[:500], seed=3)
    assert np.array_equal(first, simulate_detections(pixels[:500], seed=3))
    assert not np.array_equal(first, simulate_detections(pixels[:500], seed=4))
    doubled = simulate_detections(2 * pixels[:500], seed=3, width=2000)
    assert np.allclose(doubled, 2 * first)


def test_dtype_is_kept_and_one_frame_will_do(pixels):
    assert simulate_detections(pixels[:1].astype(np.float32), seed=0).dtype == np.float32


@pytest.mark.parametrize("bad", [np.zeros((5, 16, 2)), np.zeros((17, 2)), np.full((5, 17, 2), np.nan)])
def test_bad_pixels_are_refused(bad):
    with pytest.raises(InputError):
        simulate_detections(bad, seed=0)
