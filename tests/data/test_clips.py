"""Batches of clips are, to the bit, what frame numbers and `geometry.mirror` give."""

import numpy as np
import pytest

from poselib.data import clips as module
from poselib.data.clips import Clips
from poselib.data.prepared import Derived
from poselib.data.windows import centred, cut, training_starts
from poselib.geometry import mirror
from poselib.skeleton import H36M_17

# One video is shorter than a clip.
VIDEOS = [(0, 40), (40, 7), (47, 60)]
WINDOWS = {
    "every frame": centred(VIDEOS, 9),
    "step 3": centred(VIDEOS, 9, 3),
    "chunks": cut(VIDEOS, 12, training_starts),
    "middles": centred(VIDEOS, 9, 2).middles(),
    "longer than the set": cut(VIDEOS, 120, training_starts),
}


def by_frame_numbers(poses, windows, numbers, root):
    found = poses[windows.frame_numbers(numbers % len(windows))]
    if root is not None:
        found[..., root, :] = 0
    mirrored = numbers >= len(windows)
    found[mirrored] = mirror(found[mirrored], H36M_17.flip)
    return found


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize(("channels", "root"), [(2, None), (3, 0)])
@pytest.mark.parametrize("derived", [False, True])
def test_batches_are_those_of_frame_numbers_to_the_bit(monkeypatch, name, channels, root, derived):
    # So few that every kind of clip is gathered in several parts.
    monkeypatch.setattr(module, "BYTES_AT_A_TIME", 2**12)
    random, windows = np.random.default_rng(0), WINDOWS[name]
    poses = random.normal(size=(107, 17, channels)).astype(np.float32)
    before = poses.copy()
    given = Derived(poses.shape, lambda part: part, (poses,)) if derived else poses
    clips = Clips(given, windows, H36M_17.flip, root)
    order = random.permutation(2 * len(windows))
    assert derived or clips.whole.any() == (name in ("every frame", "chunks", "middles"))
    # Batches grow and shrink.
    for numbers in (order[:5], order, order[-3:]):
        found = clips.gather(numbers).numpy()
        assert found.tobytes() == by_frame_numbers(poses, windows, numbers, root).tobytes()
    assert (poses == before).all()


def test_a_batch_takes_the_memory_of_the_one_before():
    clips = Clips(np.zeros((107, 17, 2), np.float32), WINDOWS["every frame"], H36M_17.flip)
    assert clips.gather(np.arange(8)).data_ptr() == clips.gather(np.arange(5)).data_ptr()
