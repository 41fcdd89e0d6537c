"""Streamed in blocks is lifted whole, memory is bounded, and a causal pose does not know what comes."""

import numpy as np
import pytest
from test_every_model import SMALL

import poselib
from poselib.data.windows import centred, cut, evaluation_starts, stitch
from poselib.errors import InputError
from poselib.geometry import normalise_screen
from poselib.inference import lift_windows
from poselib.lifting import Live
from poselib.lifting import passes as lifting
from poselib.lifting.passes import passes
from poselib.skeleton import H36M_17
from poselib.strategies import PLAIN

KINDS = {
    **{name: {} for name in SMALL},
    "sparse": {"frame_stride": 2, "input_stride": 4},
    "thinned": {"frame_stride": 3},
}
MODEL = {"sparse": "uplift_upsample", "thinned": "poseformer"}


def screen_of(clip):
    return normalise_screen(clip.pixels.astype(np.float32), clip.size)


def whole(small, screen):
    """By what evaluates the tables."""
    model, about, video = small.model, small.about, [(0, len(screen))]
    if model.many_to_one:
        windows = centred(video, model.config.frames, about.frame_stride, about.frame_stride)
    else:
        windows = cut(video, model.config.frames, evaluation_starts)
    return stitch(lift_windows(model, PLAIN, screen, windows, H36M_17.flip, about.input_stride)[0], windows)


@pytest.mark.parametrize("frames", [1, 4, 23, 40])
@pytest.mark.parametrize("kind", KINDS)
def test_blocks_of_any_size_are_the_whole(kind, frames, clip, network, monkeypatch):
    small = network(MODEL.get(kind, kind), **KINDS[kind])
    screen = screen_of(clip)[:frames]
    expected = whole(small, screen)
    for windows in (1, 3):
        monkeypatch.setattr(lifting, "WINDOWS_AT_A_TIME", windows)
        blocks = list(passes(small, screen))
        joined = np.concatenate(blocks)
        np.testing.assert_allclose(joined, expected[:: small.about.frame_stride], atol=1e-5)
        assert len(blocks) > 1 or frames <= windows * small.model.config.frames
        lifted = poselib.lift(clip.pixels[:frames], "h36m", clip.size, 25, checkpoint=small)
        np.testing.assert_allclose(lifted.poses_3d, expected, atol=1e-5)


class Counted:
    """Frames that are only there when asked for, and how many of them were asked for at once."""

    def __init__(self, screen, repeated):
        self.screen, self.shape, self.most = screen, (repeated * len(screen), *screen.shape[1:]), 0

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, frames):
        self.most = max(self.most, np.size(frames))
        return self.screen[np.asarray(frames) % len(self.screen)]


@pytest.mark.parametrize("name", ["mixste", "gla_gcn"])
@pytest.mark.parametrize("ahead", [None, 2])
def test_frames_in_flight_do_not_grow_with_the_sequence(name, ahead, clip, network, monkeypatch):
    monkeypatch.setattr(lifting, "WINDOWS_AT_A_TIME", 16)
    small, most = network(name), {}
    for repeated in (4, 16):
        counted, poses = Counted(screen_of(clip), repeated), 0
        for block in passes(small, counted, ahead):
            assert len(block) <= 16 * small.model.config.frames
            poses += len(block)
        assert poses == len(counted)
        most[repeated] = counted.most
    assert most[4] == most[16] <= 16 * small.model.config.frames


def future_changed(clip, frame):
    changed = clip.pixels.copy()
    changed[frame:] += np.random.default_rng(frame).uniform(5, 60, changed[frame:].shape)
    return changed


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fps", [25.0, 30.0])
def test_a_causal_pose_depends_on_nothing_behind_its_look_ahead(kind, fps, clip, network):
    small = network(MODEL.get(kind, kind), **KINDS[kind])
    least = next(bound for bound in range(20) if not refused(small, bound, fps))
    for ahead in (least, least + 3):
        lift = {"joints": "h36m", "image_size": clip.size, "fps": fps, "checkpoint": small, "look_ahead": ahead}
        poses = poselib.lift(clip.pixels, **lift).poses_3d
        for frame in (10, 24):
            other = poselib.lift(future_changed(clip, frame + ahead + 1), **lift).poses_3d
            np.testing.assert_allclose(other[: frame + 1], poses[: frame + 1], atol=1e-6)
            assert np.abs(other[-1] - poses[-1]).max() > 1e-3


@pytest.mark.parametrize("name", ["mixste", "gla_gcn", "poseformer"])
def test_a_causal_pose_uses_its_look_ahead(name, clip, network):
    lift = {"joints": "h36m", "image_size": clip.size, "fps": 25, "checkpoint": network(name), "look_ahead": 2}
    poses, other = (poselib.lift(pixels, **lift).poses_3d for pixels in (clip.pixels, future_changed(clip, 20)))
    assert np.abs(other - poses).max(axis=(1, 2))[18:20].min() > 1e-4


def refused(small, ahead, fps):
    try:
        lifting.ahead_at_the_network(small, ahead, fps)
    except InputError:
        return True
    return False


@pytest.mark.parametrize("name", ["mixste", "gla_gcn"])
def test_a_look_ahead_of_a_whole_window_is_the_usual_lifting(name, clip, network):
    small = network(name)
    usual, causal = (
        poselib.lift(clip.pixels, "h36m", clip.size, 25, checkpoint=small, look_ahead=ahead).poses_3d
        for ahead in (None, small.model.config.frames - 1)
    )
    np.testing.assert_allclose(usual, causal, atol=1e-6)
    now = poselib.lift(clip.pixels, "h36m", clip.size, 25, checkpoint=small, look_ahead=0).poses_3d
    assert now.shape == usual.shape and np.abs(now - usual).max() > 1e-3


def test_a_causal_gap_is_held_and_not_known_to_end(clip, network):
    small, points = network("gla_gcn"), np.dstack([clip.pixels, np.ones((40, 17))])
    points[8:12, 3] = np.nan
    points[20:24] = np.nan
    lift = {"joints": "h36m", "image_size": clip.size, "fps": 25, "checkpoint": small, "look_ahead": 1}
    found = poselib.lift(points, **lift).person
    assert found.frames.tolist() == [*range(20), *range(24, 40)] and found.filled[8:12, 3].all()
    for end in (8, 10, 20):
        cut_off = poselib.lift(points[: end + 2], **lift).person
        np.testing.assert_allclose(cut_off.poses_3d[: end + 1][:20], found.poses_3d[: end + 1][:20], atol=1e-6)
    late = points.copy()
    late[:6, 5] = np.nan
    assert poselib.lift(late, **lift).person.frames[0] == 6


@pytest.mark.parametrize(
    ("about", "fps", "allowed", "sentence"),
    [
        ({"frame_stride": 3}, 25, 1, "sees one frame in 3 at 25 fps and the input has as many, .*; allow at least 2"),
        ({}, 50, 1, "sees every frame at 25 fps and the input has 50, .*; allow at least 2"),
        ({}, 25, -1, "allow at least 0"),
    ],
)
def test_a_look_ahead_that_cannot_be_kept_is_refused_with_the_reason(about, fps, allowed, sentence, clip, network):
    small = network("poseformer", **about)
    with pytest.raises(InputError, match=sentence):
        poselib.lift(clip.pixels, "h36m", clip.size, fps, checkpoint=small, look_ahead=allowed)
    poselib.lift(clip.pixels, "h36m", clip.size, fps, checkpoint=small, look_ahead=int(sentence[-1]))


@pytest.mark.parametrize("kind", KINDS)
def test_frames_pushed_one_by_one_give_the_causal_poses_in_time(kind, clip, network):
    small = network(MODEL.get(kind, kind), **KINDS[kind])
    allowed = small.about.frame_stride + 1
    ahead = lifting.ahead_at_the_network(small, allowed, 25)
    many = np.concatenate([clip.pixels, clip.pixels[::-1], clip.pixels])
    screen = normalise_screen(many.astype(np.float32), clip.size)
    expected = np.concatenate(list(passes(small, screen, ahead)))
    live, numbers, poses, held = Live(small, "h36m", clip.size, allowed), [], [], 0
    for frame, points in enumerate(many):
        some, lifted = live.push(points)
        numbers, poses, held = [*numbers, *some], [*poses, *lifted], max(held, len(live._buffer))
        # Whatever stands between the network's poses is known at the later one.
        assert frame - allowed < small.about.frame_stride or numbers[-1] + small.about.frame_stride > frame - allowed
    some, lifted = live.close()
    assert [*numbers, *some] == list(range(0, 120, small.about.frame_stride))
    np.testing.assert_allclose([*poses, *lifted], expected, atol=1e-5)
    assert held <= 2 * live._reach + 1 < 100


def test_live_lifting_waits_for_all_joints_and_holds_what_is_missed(clip, network):
    small, points = network("gla_gcn"), np.dstack([clip.pixels, np.ones((40, 17))])
    points[:3, 4] = np.nan
    points[7, 2, 2] = 0
    held = clip.pixels[3:].copy()
    held[4, 2] = held[3, 2]
    points[20, 5, 0], held[17, 5] = np.inf, held[16, 5]
    live = Live(small, "h36m", clip.size)
    found = [live.push(frame) for frame in points]
    assert [len(numbers) for numbers, _ in found] == [0] * 3 + [1] * 37 and found[3][0].tolist() == [3]
    expected = poselib.lift(held, "h36m", clip.size, 25, checkpoint=small, look_ahead=0).poses_3d
    np.testing.assert_allclose(np.concatenate([poses for _, poses in found]), expected, atol=1e-5)
    with pytest.raises(InputError, match="keypoints: coordinates up to .* do not fit an image of"):
        live.push(1e6 * points[-1])
    assert live.push(points[-1])[0].tolist() == [40]
    with pytest.raises(InputError, match=r"shape \(5, 2\), expected \(17, 2 or 3\)"):
        live.push(np.zeros((5, 2)))
    with pytest.raises(InputError, match="allow at least 0"):
        Live(small, "h36m", clip.size, -1)
