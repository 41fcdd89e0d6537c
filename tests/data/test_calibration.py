import numpy as np
import pytest
from numpy.testing import assert_allclose

from poselib.data.calibration import fit_lens, placed
from poselib.data.h36m import cameras
from poselib.errors import InputError
from poselib.geometry import project


@pytest.fixture
def poses():
    random = np.random.default_rng(0)
    return (random.uniform((-1, -1, -0.4), (1, 1, 0.4), (40, 17, 3)) + (0, 0, 5)).astype(np.float32)


@pytest.mark.parametrize("number", range(4))
def test_the_lenses_of_human36m_are_found_from_what_they_show(poses, number):
    truth = cameras()["S1"][number]
    lens = np.array([*truth.focal, *truth.centre, *truth.radial, *truth.tangential])
    found = fit_lens(placed("a", truth.size), poses, project(poses, lens).astype(np.float32), "file")
    assert_allclose(found.focal, truth.focal, rtol=1e-5)
    assert_allclose(found.centre, truth.centre, atol=0.01)
    assert_allclose(found.radial, truth.radial, atol=0.02)
    assert_allclose(found.tangential, truth.tangential, atol=1e-5)
    assert found.id == "a" and found.size == truth.size and found.position == (0, 0, 0)


def test_noise_moves_a_lens_and_strangeness_refuses_one(poses):
    pixels = 1000 * poses[..., :2] / poses[..., 2:] + 500
    noisy = pixels + np.random.default_rng(1).normal(0, 5, pixels.shape)
    assert_allclose(fit_lens(placed("a", (1000, 1000)), poses, noisy, "file").focal, 1000, rtol=0.02)
    with pytest.raises(InputError, match="file: the 3D misses the 2D by"):
        fit_lens(placed("a", (1000, 1000)), poses, pixels[::-1], "file")
    with pytest.raises(InputError, match="file: the 3D misses the 2D by"):
        fit_lens(placed("a", (1000, 1000)), poses, 1000 - pixels, "file")
    with pytest.raises(InputError, match="file: a joint is behind the camera"):
        fit_lens(placed("a", (1000, 1000)), poses - [0, 0, 5], pixels, "file")
