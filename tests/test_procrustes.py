"""The closed form agrees with the singular value decomposition, also where it hands over to it."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.spatial.transform import Rotation

from poselib import procrustes
from poselib.metrics import align_similarity, p_mpjpe
from poselib.procrustes import best_rotation, decomposed

RANDOM = np.random.default_rng(0)
BODY = RANDOM.normal(size=(500, 17, 3)) * [0.1, 0.5, 0.1]
SEEN = BODY @ Rotation.random(500, rng=RANDOM).as_matrix() + 0.04 * RANDOM.normal(size=BODY.shape)
CASES = {
    "a body": (SEEN, BODY),
    "unlike each other": (RANDOM.normal(size=BODY.shape), BODY),
    "mirrored": (SEEN * [-1, 1, 1], BODY),
    "in a plane": (SEEN * [1, 1, 0], BODY * [1, 1, 0]),
    "nearly on a line": (BODY * [1e-4, 1, 2e-4], BODY[::-1] * [1e-4, 1, 1e-4]),
    "the same": (BODY, BODY),
}


def correlation(predicted, target):
    moved, fixed = (poses - poses.mean(axis=1, keepdims=True) for poses in (predicted, target))
    norms = np.sqrt((moved**2).sum(axis=(1, 2)) * (fixed**2).sum(axis=(1, 2)))
    return moved.swapaxes(1, 2) @ fixed / norms[:, None, None]


@pytest.mark.parametrize("name", CASES)
def test_rotation_and_trace_are_those_of_the_decomposition(name):
    given = correlation(*CASES[name])
    rotation, trace = best_rotation(given)
    expected, expected_trace = decomposed(given)
    assert_allclose(rotation, expected, atol=1e-9)
    assert_allclose(trace, expected_trace, atol=1e-12)
    assert_allclose(trace, (rotation * given).sum(axis=(1, 2)), atol=1e-11)
    assert_allclose(np.linalg.det(rotation), 1, atol=1e-9)


@pytest.mark.parametrize("name", ["a body", "the same"])
def test_bodies_need_no_decomposition(name, monkeypatch):
    monkeypatch.setattr(procrustes, "decomposed", None)
    best_rotation(correlation(*CASES[name]))


def test_points_on_a_line_are_aligned_without_a_warning():
    line = np.linspace(-1, 1, 17)[:, None] * [0.0, 1.0, 0.0]
    turned = 3 * line[:, [1, 2, 0]] + 0.5
    with np.errstate(all="raise"):
        assert_allclose(align_similarity(turned, line), line, atol=1e-12)


def test_float32_is_as_good_as_its_input_and_one_pose_as_good_as_many():
    single = p_mpjpe(SEEN.astype(np.float32), BODY.astype(np.float32))
    assert_allclose(single, p_mpjpe(SEEN, BODY), rtol=1e-6)
    assert_allclose(align_similarity(SEEN[3], BODY[3]), align_similarity(SEEN, BODY)[3], atol=1e-13)
    assert_allclose(p_mpjpe(torch.tensor(SEEN), torch.tensor(BODY)), p_mpjpe(SEEN, BODY), rtol=1e-12)
