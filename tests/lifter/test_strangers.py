"""What training clips hold: a detector of any rate, lost joints filled in, coarse joints, cameras drawn anew."""

import numpy as np
import pytest

from poselib.data.detections import DetectorNoise, simulate_detections
from poselib.data.prepared import write_prepared
from poselib.data.sequences import Motion
from poselib.data.synthetic import synthetic_take
from poselib.keypoints import to_h36m_17
from poselib.keypoints.joint_sets import JOINT_SETS
from poselib.lifting.detections import track_of
from poselib.skeleton import H36M_17
from poselib.stages.lifter.settings import load
from poselib.stages.lifter.strangers import StrangersClips, coarse, detector, filled, missed
from poselib.stages.lifter.train import PROJECT


@pytest.fixture(scope="module")
def film():
    return load(PROJECT).film


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Two people who train and one who is held out, two seconds each."""
    time = np.arange(50) / 25
    motions = [
        Motion(f"S{person}", "Walking", H36M_17, 25.0, synthetic_take(person, "Walking", 0, time, 0), split)
        for person, split in enumerate(("train", "train", "validation"))
    ]
    return write_prepared(motions, tmp_path_factory.mktemp("set") / "set", role="amass", source="synthetic")


def clips(prepared, film, **changes):
    return StrangersClips(prepared, "train", film.model_copy(update=changes), 9, 8, 3, 0)


def test_the_usual_detector_is_the_usual_one_and_none_errs_at_level_0():
    assert detector(1, 50) == DetectorNoise()
    pixels = np.random.default_rng(0).uniform(0, 900, (200, 17, 2))
    assert (simulate_detections(pixels, seed=1, noise=detector(0, 30)) == pixels).all()
    still = np.full((3000, 17, 2), 500.0)
    errors = [np.abs(simulate_detections(still, seed=2, noise=detector(level, 50)) - 500).mean() for level in (1, 2)]
    assert errors[1] == pytest.approx(2 * errors[0], rel=1e-6)


def test_a_detector_errs_as_long_and_as_often_at_another_rate():
    usual, slow = detector(1, 50), detector(1, 10)
    assert slow.correlation**10 == pytest.approx(usual.correlation**50)
    assert 10 * slow.outliers == pytest.approx(50 * usual.outliers)
    assert slow.swap_frames / 10 == pytest.approx(usual.swap_frames / 50)
    # A joint moves five times as far from frame to frame.
    assert 5 * slow.blur == pytest.approx(usual.blur)


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_a_share_of_the_joints_is_missed_in_spells(share):
    lost = missed(np.random.default_rng(0), 5000, share, 25.0)
    assert lost.mean() == pytest.approx(share, abs=0.03)
    begins = (lost[1:] & ~lost[:-1]).sum()
    # Spells of 0.3 s on average, longer where they run into one another.
    assert 0.29 * 25 < lost.sum() / begins < 0.3 * 25 / (1 - share) * 1.1
    short = np.array([missed(np.random.default_rng(seed), 9, 0.5, 25.0) for seed in range(300)])
    assert (~short).any(axis=1).all() and short[:, 0].mean() == pytest.approx(short[:, 8].mean(), abs=0.05)


def test_lost_joints_come_to_lie_on_straight_lines():
    line = np.arange(10.0)[:, None, None] * np.ones((1, 17, 2)) * [1, -2]
    lost = np.zeros((10, 17), bool)
    lost[3:6, 4] = lost[8:, 2] = True
    spoilt = np.where(lost[..., None], 77.0, line)
    found = filled(spoilt, lost)
    line[8:, 2] = line[7, 2]
    np.testing.assert_allclose(found, line)
    assert (spoilt[4, 4] == 77).all()


def test_coarse_joints_are_those_made_of_a_coco_detector():
    points = np.random.default_rng(0).uniform(100, 900, (4, 17, 2))
    columns = [H36M_17.index.get(joint, 0) for joint in JOINT_SETS["coco_17"]]
    made = to_h36m_17(track_of(points[:, columns], "coco")).keypoints
    same = [joint for joint in H36M_17.names if joint != "head"]
    at = [H36M_17.index[joint] for joint in same]
    np.testing.assert_allclose(coarse(points)[:, at], made[:, at], atol=1e-3)
    nose, head = (points[:, H36M_17.index[joint]] for joint in ("nose", "head"))
    np.testing.assert_allclose(coarse(points)[:, H36M_17.index["head"]], (nose + head) / 2)


def test_every_epoch_draws_other_clips_and_the_same_ones_when_asked_again(prepared, film):
    batches = clips(prepared, film)
    numbers, others = batches.clips_of(0), batches.clips_of(1)
    assert len(numbers) == 24 == len(batches) * batches.size and not (numbers == others).any()
    first, again = (batches.gather(numbers[:8]) for _ in range(2))
    assert all((one == two).all() for one, two in zip(vars(first).values(), vars(again).values(), strict=True))
    assert (first.poses_2d != batches.gather(others[:8]).poses_2d).all()
    assert first.poses_2d.shape == (8, 9, 17, 2) and first.truth_3d.shape == (8, 9, 17, 3)
    assert (first.truth_3d[:, :, 0] == 0).all() and 0.5 < first.truth_3d.abs().max() < 2


def test_input_and_target_belong_together(prepared, film):
    """Seen from afar without errors, a 2D pose is the target without its depth, up to one scale."""
    far = {**film.cameras, "distance": (200.0, 200.0), "height": (1.0, 1.0), "roll": (0.0, 0.0)}
    exact = clips(prepared, film, cameras=far, noise=(0.0, 0.0), complete=1.0, coarse_joints=0.0)
    clip = exact.gather(exact.clips_of(0))
    flat = clip.truth_3d[..., :2] - clip.truth_3d[..., :2].mean(dim=-2, keepdim=True)
    flat = flat / flat.square().mean(dim=(-2, -1), keepdim=True).sqrt()
    assert (flat - clip.poses_2d).abs().max() < 0.05
    assert (clip.poses_2d == clip.truth_2d).all()


def test_noise_and_lost_joints_change_the_input_alone(prepared, film):
    plain = clips(prepared, film, noise=(0.0, 0.0), complete=1.0, coarse_joints=0.0)
    spoilt = clips(prepared, film, noise=(2.0, 2.0), complete=0.0, missing=(0.3, 0.3), coarse_joints=0.0)
    numbers = plain.clips_of(0)
    one, two = plain.gather(numbers), spoilt.gather(numbers)
    assert (one.truth_2d == two.truth_2d).all() and (one.poses_2d != two.poses_2d).float().mean() > 0.9
    # The person's frame follows the place where the detector saw them.
    assert (one.truth_3d - two.truth_3d).norm(dim=-1).mean() < 0.02
