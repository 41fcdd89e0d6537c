"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

# Tests run side by side; more threads than cores would only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(items):
    # The longest file begins first, or it would be left to one process at the end; what needs a copy of what that file
    # makes comes last, and does not wait for it.
    order = {"test_pipeline.py": -1, "test_same_bytes.py": 1}
    items.sort(key=lambda item: order.get(item.path.name, 0))


@pytest.fixture(scope="session")
def both_smoke(tmp_path_factory):
    from smoke import reproduced

    own = tmp_path_factory.getbasetemp()
    # Processes that test side by side have a folder each in a common one.
    return reproduced(own.parent if "PYTEST_XDIST_WORKER" in os.environ else own)


@pytest.fixture(scope="session")
def smoke(both_smoke) -> Path:
    """A copy of the checkout that has reproduced everything in the smoke profile; tests leave it as it was."""
    return both_smoke[0]


@pytest.fixture(scope="session")
def smoke_again(both_smoke) -> Path:
    """Another such copy, for what runs beside the tests of the first."""
    return both_smoke[1]


@pytest.fixture(scope="session")
def mocap_folder() -> Path:
    """The real motion capture: POSELIB_MOCAP if set, else beside the project, else inside it."""
    if "POSELIB_MOCAP" in os.environ:
        places = [Path(os.environ["POSELIB_MOCAP"])]
    else:
        places = [ROOT.parent / "shared" / "mocap", ROOT / "data" / "raw" / "cmu"]
    for place in places:
        if place.is_dir() and any(place.iterdir()):
            return place
    pytest.skip(f"no motion capture in {' or '.join(map(str, places))}; name its folder in POSELIB_MOCAP")


@pytest.fixture
def motions():
    """Smooth random motion: three subjects, two recordings."""
    import numpy as np

    from poselib.data.sequences import Motion
    from poselib.skeleton import H36M_17

    random = np.random.default_rng(0)
    body = random.uniform(-0.4, 0.4, (17, 3)) + [0, 0, 1]
    found = []
    for subject in ("S1", "S8", "S9"):
        for action in ("Walking", "Sitting 1"):
            sway = 0.1 * np.sin(np.linspace(0, 3, 23)[:, None, None] + random.uniform(0, 6, (1, 17, 3)))
            found.append(Motion(subject, action, H36M_17, 50.0, (body + sway).astype(np.float32)))
    return found


SPLIT = {"S1": "train", "S8": "validation", "S9": "test"}


@pytest.fixture
def prepared(motions, tmp_path):
    """A small prepared set of these motions, two cameras, two detectors."""
    from poselib.data.filming import film
    from poselib.data.h36m import cameras
    from poselib.data.prepared import write_prepared

    views = [(motion, camera) for motion in motions for camera in cameras()[motion.subject][:2]]
    sequences = [film(motion, camera, lambda p, seed: p + 3, 0) for motion, camera in views]
    return write_prepared(sequences, tmp_path / "set", role="h36m", source="synthetic", split_of=SPLIT.get)


@pytest.fixture
def world(motions, tmp_path):
    """The same motions prepared without a camera; as in AMASS there is no test."""
    from poselib.data.prepared import write_prepared

    held_out = {**SPLIT, "S9": "validation"}.get
    return write_prepared(motions, tmp_path / "world", role="amass", source="synthetic", split_of=held_out)
