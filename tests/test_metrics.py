import numpy as np
import pytest
import torch
from golden import metric_poses
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

from poselib.metrics import align_similarity, auc, mpjpe, mpjve, n_mpjpe, p_mpjpe, pck, weighted_mpjpe
from poselib.protocols import MIXSTE_WEIGHTS
from poselib.skeleton import H36M_17

PREDICTED, TARGET = metric_poses()
TURN = np.array([[np.cos(0.7), -np.sin(0.7), 0], [np.sin(0.7), np.cos(0.7), 0], [0, 0, 1]])
CASES = {
    "prediction": (PREDICTED, (0.17320022, 0.05736248, 0.04904462, 0.23127697)),
    "mirror image": (TARGET * [-1, 1, 1], (0.66029412, 0.31261495, 0.54446169, 0.87555439)),
    "turned and scaled": (1.7 * TARGET @ TURN + 0.3, (0.89010074, 0.0, 0.37321680, 0.75548802)),
}


def test_the_golden_poses_are_the_sheets():
    assert_allclose(TARGET[0, 1], (0.630952, -0.149802, 0.070437), atol=1e-6)
    assert_allclose(PREDICTED[4, 16], (0.268452, -0.055456, -0.679663), atol=1e-6)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("convert", [np.asarray, torch.tensor], ids=["numpy", "torch"])
def test_golden_numbers(name, convert):
    predicted, expected = CASES[name]
    predicted, target = convert(predicted), convert(TARGET)
    found = [float(metric(predicted, target)) for metric in (mpjpe, p_mpjpe, n_mpjpe, mpjve)]
    assert_allclose(found, expected, atol=1e-8)


def test_weighted_and_partial_means():
    weights = np.array([MIXSTE_WEIGHTS[joint] for joint in H36M_17.names])
    assert weights.tolist() == [1, 1, 2.5, 2.5, 1, 2.5, 2.5, 1, 1, 1, 1.5, 1.5, 4, 4, 1.5, 4, 4]
    assert_allclose(weighted_mpjpe(PREDICTED, TARGET, weights), 0.38777019, atol=1e-8)
    assert_allclose(mpjpe(PREDICTED[:, 1:], TARGET[:, 1:]), 0.18402524, atol=1e-8)


def test_alignment_undoes_any_similarity_but_no_mirror():
    random = np.random.default_rng(0)
    turned = 0.4 * TARGET @ Rotation.random(rng=random).as_matrix() + random.normal(size=3)
    assert_allclose(align_similarity(turned, TARGET), TARGET, atol=1e-12)
    swapped = TARGET[:, list(H36M_17.flip)]
    assert p_mpjpe(swapped, TARGET) > 0.1


def errors_as_poses():
    f, j = np.ogrid[:7, :17]
    errors = ((37 * f + 53 * j) % 211).astype(float)
    return np.stack([errors, np.zeros_like(errors), np.zeros_like(errors)], axis=-1)


def test_pck_and_auc_of_the_test_kit():
    poses = errors_as_poses()
    counted = [0, 1, 2, 5, 3, 6, 4, 7, 8, 11, 9, 12, 10, 13]
    zero = np.zeros_like(poses)
    assert_allclose(pck(poses[:, counted], zero[:, counted], threshold=150), 73.469388, atol=1e-6)
    assert_allclose(auc(poses[:, counted], zero[:, counted], limit=150), 38.018433, atol=1e-6)
    assert_allclose(mpjpe(poses, zero), 100.588235, atol=1e-6)
    assert_allclose(auc(zero, zero), 100 * 30 / 31)


def test_a_shift_of_five_millimetres_is_five_and_costs_no_velocity():
    shifted = TARGET + [0.003, 0.004, 0]
    assert_allclose(mpjpe(shifted, TARGET), 0.005)
    assert_allclose(mpjve(shifted, TARGET), 0, atol=1e-15)
