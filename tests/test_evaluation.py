from dataclasses import replace

import numpy as np
import pytest
import torch
from golden import clip, filled, truth
from numpy.testing import assert_allclose

from poselib.data.prepared import PreparedSet, Video
from poselib.data.windows import centred, stitch
from poselib.errors import InputError
from poselib.evaluation import (
    at_input_stride,
    details,
    example,
    frames_of,
    joint_speeds,
    mean_pose,
    mixste_policy,
    summarise,
    video_errors,
)
from poselib.inference import attention_maps, lift_windows, middle_clip, targets_of, windows_of
from poselib.interop import to_official
from poselib.models import build
from poselib.motion_quality import bone_length_spread, left_right_symmetry
from poselib.skeleton import H36M_17
from poselib.strategies import PLAIN


@pytest.fixture
def golden_video(monkeypatch):
    """The 14-frame video of the reference run, as a prepared set in memory, and its windows' predictions."""
    target = truth(1, 14)[0].float().numpy()
    video = Video("S9", "Walking", "0", "test", 0, 14, 50.0)
    prepared = PreparedSet(None, "h36m", "synthetic", H36M_17, (), "", (video,))
    prepared.__dict__["poses_3d"] = target
    model = build("mixste", frames=9, dim=32, depth=3)
    state = filled(to_official(model))
    model.load_state_dict(dict(zip(model.state_dict(), [state[k] for k in to_official(model)], strict=True)))
    windows = windows_of((video,), model)
    poses_2d = clip(1, 14, 2)[0].float().numpy()
    _, plain = lift_windows(model, PLAIN, poses_2d, windows, H36M_17.flip)
    return prepared, (video,), windows, plain


def test_golden_numbers_under_both_counting_policies(golden_video):
    prepared, videos, windows, clips = golden_video
    official = mixste_policy(clips, windows, prepared, videos)
    assert official["mpjpe"] == pytest.approx(1199.824, abs=1e-2)
    assert official["mpjve"] == pytest.approx(280.994, abs=1e-2)
    once = summarise(stitch(clips, windows), prepared, videos)["action_mean"]
    assert once["mpjpe"] == pytest.approx(1164.345, abs=1e-2)
    assert once["mpjve"] == pytest.approx(266.347, abs=1e-2)


def test_every_test_frame_counts_exactly_once(prepared):
    videos = prepared.split("test")
    target = targets_of(prepared, np.concatenate([np.arange(v.start, v.start + v.frames) for v in videos]))
    off = target.copy()
    off[5, 3] += [0.017, 0, 0]
    summary = summarise(off, prepared, videos)
    frames = sum(video.frames for video in videos)
    assert summary["frame_mean"]["mpjpe"] == pytest.approx(17 / 17 / frames, rel=1e-4)
    assert summary["per_joint"]["right_ankle"] == pytest.approx(17 / frames, rel=1e-4)


def test_views_at_an_input_stride(prepared):
    """Exact at the key-frames 0, 4, ..., 20 of 23 frames, 10 mm off at the other outputs, every second frame."""
    videos = prepared.split("test")
    windows = centred([(video.start, video.frames) for video in videos], 3, step=2, every=2)
    target = targets_of(prepared, windows.centres() + windows.first)
    between = windows.centres() % 4 == 2
    outputs = target + between[:, None, None] * np.float32([0.01, 0, 0])
    found = at_input_stride(outputs[:, None], windows, prepared, videos, 4)
    learned, keys, bilinear = (part["frame_mean"]["mpjpe"] for part in (found, found["key_frames"], found["bilinear"]))
    assert keys == pytest.approx(0, abs=1e-4) and "mpjve" not in found["key_frames"]["frame_mean"]
    assert found["frame_mean"]["mpjve"] > 0
    joined = stitch(outputs[~between][:, None], windows.select(~between))
    assert bilinear == pytest.approx(summarise(joined, prepared, videos)["frame_mean"]["mpjpe"])
    off = np.linalg.norm(stitch(outputs[:, None], windows) - targets_of(prepared, frames_of(videos)), axis=-1)
    assert learned == pytest.approx(1000 * off.mean(), rel=1e-4)
    assert set(found["key_frames"]["per_recording"]["mpjpe"]) == set(found["per_recording"]["mpjpe"])


def test_only_frames_that_count_are_counted(prepared):
    videos = prepared.split("test")
    frames = frames_of(videos)
    off = targets_of(prepared, frames)
    off[[3, 4, 40]] += 0.1 * np.eye(3, dtype=np.float32)[0]
    counted = np.isin(np.arange(len(frames)), [3, 5, 40, 41])
    found = summarise(off, prepared, videos, counted)
    assert found["frame_mean"]["mpjpe"] == pytest.approx(100 * 2 / 4, rel=1e-4)
    # Videos of 23 frames, two cameras of each recording: of the second one nothing counts.
    assert list(found["per_recording"]["mpjpe"]) == ["S9 Walking"]


def test_summaries_agree_with_each_other(prepared):
    videos = prepared.split("test")
    random = np.random.default_rng(0)
    predicted = random.normal(0, 0.1, (sum(v.frames for v in videos), 17, 3)).astype(np.float32)
    summary = summarise(predicted, prepared, videos)
    assert summary["action_mean"]["mpjpe"] == pytest.approx(np.mean(list(summary["per_action"]["mpjpe"].values())))
    assert np.mean(list(summary["per_joint"].values())) == pytest.approx(summary["frame_mean"]["mpjpe"], rel=1e-5)
    assert set(summary["per_recording"]["mpjpe"]) == {"S9 Walking", "S9 Sitting 1"}
    assert summary["action_mean"]["p_mpjpe"] < summary["action_mean"]["mpjpe"]


def test_details_of_one_moved_wrist(prepared):
    """In one video of 23 frames the left wrist, five bones from the root, jumps by 17 mm in one frame."""
    videos = prepared.split("test")
    frames, target = sum(video.frames for video in videos), targets_of(prepared, frames_of(videos))
    off = target.copy()
    off[5, H36M_17.index["left_wrist"]] += [0.017, 0, 0]
    found = details(off, prepared, videos)
    # Jumps of 17, 34 and 17 mm in 21 frames of 17 joints; one of two videos of one of two actions.
    assert found["acceleration_error"] == pytest.approx(4 * 17 / (21 * 17) / 2 / 2, rel=1e-3)
    assert found["per_subject"] == {"S9": pytest.approx(17 / 17 / frames, rel=1e-4)}
    by_depth = {"0": 0, "1": 0, "2": 0, "3": 0, "4": 0, "5": pytest.approx(17 / 2 / frames, rel=1e-4)}
    assert found["per_chain_depth"] == by_depth
    assert details(target, prepared, videos)["acceleration_error"] == 0


def test_body_size_stands_beside_the_truths_and_agrees_with_the_summary(prepared):
    videos = prepared.split("test")
    target = targets_of(prepared, frames_of(videos))
    rigid = np.broadcast_to(mean_pose(prepared), target.shape)
    found, summary = details(rigid, prepared, videos), summarise(rigid, prepared, videos)
    assert found["bone_length_spread"]["predicted"] == pytest.approx(0, abs=1e-6)
    spreads = [1000 * bone_length_spread(target[23 * n : 23 * n + 23], H36M_17) for n in range(len(videos))]
    assert found["bone_length_spread"]["truth"] == pytest.approx(np.mean(spreads), rel=1e-4)
    symmetry = [1000 * left_right_symmetry(poses, H36M_17) for poses in (rigid, target)]
    assert list(found["left_right_symmetry"].values()) == pytest.approx(symmetry, rel=1e-4)
    hips_and_spine = [summary["per_joint"][joint] for joint in ("left_hip", "right_hip", "spine")]
    assert found["per_chain_depth"]["1"] == pytest.approx(np.mean(hips_and_spine), rel=1e-5)
    assert found["per_subject"]["S9"] == pytest.approx(summary["frame_mean"]["mpjpe"], rel=1e-5)


def test_velocity_is_not_taken_across_videos():
    pose = np.random.default_rng(0).normal(size=(1, 17, 3))
    poses = np.concatenate([np.repeat(pose, 4, axis=0), np.repeat(pose + 1, 4, axis=0)])
    assert_allclose(video_errors(poses + 0.01, poses, [4, 4])["mpjve"], 0, atol=1e-9)


def test_a_video_of_one_frame_has_no_velocity_and_takes_none_away(prepared):
    first, second = prepared.split("test")[:2]
    one = replace(second, action="Waiting", frames=1)
    poses = targets_of(prepared, frames_of([first, one]))
    wrong = poses + np.random.default_rng(0).normal(size=poses.shape) * 0.01
    alone = summarise(wrong[: first.frames], prepared, [first])
    found = summarise(wrong, prepared, [first, one])
    for part in ("action_mean", "frame_mean", "per_action", "per_recording"):
        assert found[part]["mpjve"] == alone[part]["mpjve"] and found[part]["mpjpe"] != alone[part]["mpjpe"]
    assert "mpjve" not in summarise(wrong[-1:], prepared, [one])["action_mean"]


def test_mean_pose_and_speeds(prepared):
    mean = mean_pose(prepared)
    train = targets_of(prepared, np.arange(4 * 23))
    assert_allclose(mean, train.mean(axis=0), atol=1e-6)
    speeds = joint_speeds(prepared, prepared.videos[:1])
    moved = np.linalg.norm(np.diff(train[:23], axis=0), axis=-1).mean(axis=0)
    assert_allclose(list(speeds.values()), 1000 * moved, rtol=1e-4)
    assert speeds["pelvis"] == 0


def test_predictions_do_not_depend_on_how_windows_are_batched(prepared, monkeypatch):
    torch.manual_seed(0)
    model = build("mixste", frames=9, dim=8, depth=1, heads=2)
    windows = windows_of(prepared.split("test"), model)
    found = []
    for tokens in (1, 10**6):
        monkeypatch.setattr("poselib.inference.TOKENS_PER_PASS", {"cpu": tokens})
        found.append(lift_windows(model, PLAIN, prepared.poses_2d("gt"), windows, H36M_17.flip)[0])
    assert_allclose(found[0], found[1], atol=1e-6)
    assert model.training


@pytest.mark.parametrize(("fault", "message"), [(500.0, "look like pixels"), (np.nan, "NaN or infinity")])
def test_pixels_and_gaps_are_refused_before_lifting(prepared, fault, message):
    model = build("mixste", frames=9, dim=8, depth=1, heads=2)
    poses_2d = np.array(prepared.poses_2d("gt"))
    video = prepared.split("test")[0]
    poses_2d[video.start + 3, 4, 1] = fault
    with pytest.raises(InputError, match=message):
        lift_windows(model, PLAIN, poses_2d, windows_of((video,), model), H36M_17.flip)


def test_attention_of_one_clip(prepared):
    model = build("mixste", frames=9, dim=8, depth=2, heads=2)
    video, poses_2d = middle_clip(prepared, "S11", "Sitting", 9, "cpn")
    assert (video.subject, video.action) == ("S9", "Sitting 1")
    assert middle_clip(prepared, "S9", "Dancing", 9, "gt")[0].action == "Walking"
    assert poses_2d.shape == (9, 17, 2)
    maps = attention_maps(model, PLAIN, poses_2d)
    assert maps["spatial"].shape == (2, 9, 2, 17, 17) and maps["temporal"].shape == (2, 17, 2, 9, 9)


def test_an_example_is_the_middle_frame_that_counts(prepared):
    videos = prepared.split("test")
    frames = frames_of(videos)
    run = {"poses_3d": np.repeat(frames[:, None, None], 17, axis=1) * np.ones(3), "frames": frames}
    title, (truth, lifted) = example(prepared, {"a": run}, "S9", "Sitting")
    video = next(video for video in videos if video.action == "Sitting 1")
    assert title == "S9 Sitting 1" and lifted["a"][0, 0] == video.start + 11
    assert_allclose(truth, targets_of(prepared, np.array([video.start + 11]))[0])
    prepared.__dict__["valid"] = np.arange(len(prepared.valid)) >= video.start + 19
    assert example(prepared, {"a": run}, "S9", "Sitting")[1][1]["a"][0, 0] == video.start + 21
