"""The numbers of one set of predictions: per video, action and joint, under the field's protocols, in millimetres."""

from collections.abc import Sequence

import numpy as np

from poselib.data.prepared import PreparedSet, Video
from poselib.data.windows import Windows
from poselib.inference import targets_of
from poselib.metrics import MILLIMETRES, align_scale, align_similarity, joint_errors, mpjpe, mpjve
from poselib.protocols import action_mean, frame_mean, per_action


def frame_errors(predicted: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
    """Errors of every frame in metres: mpjpe, p_mpjpe and n_mpjpe, each (N,), from poses (N, J, 3)."""
    aligned = {
        "mpjpe": predicted,
        "p_mpjpe": align_similarity(predicted.astype(float), target.astype(float)),
        "n_mpjpe": align_scale(predicted, target),
    }
    return {name: joint_errors(poses, target).mean(axis=-1) for name, poses in aligned.items()}


def video_errors(predicted: np.ndarray, target: np.ndarray, lengths: Sequence[int]) -> dict[str, np.ndarray]:
    """Mean errors of every video, mm (mpjve: mm per frame), each (V,).

    Args:
        predicted, target: (N, J, 3) metres, root-relative, videos behind one another.
        lengths: frames of each video, (V,).
    """
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    errors = {
        name: MILLIMETRES * np.add.reduceat(values, starts) / lengths
        for name, values in frame_errors(predicted, target).items()
    }
    spans = [slice(start, start + length) for start, length in zip(starts, lengths, strict=True)]
    errors["mpjve"] = MILLIMETRES * np.array([float(mpjve(predicted[span], target[span])) for span in spans])
    return errors


def action_means(predicted: np.ndarray, prepared: PreparedSet, videos: Sequence[Video]) -> dict[str, float]:
    """The number that papers print, for each of the four metrics, mm; arguments as for `summarise`."""
    lengths = np.array([video.frames for video in videos])
    errors = video_errors(predicted, targets_of(prepared, frames_of(videos)), lengths)
    actions = [video.action for video in videos]
    return {metric: action_mean(per_action(actions, lengths, values)) for metric, values in errors.items()}


def summarise(predicted: np.ndarray, prepared: PreparedSet, videos: Sequence[Video]) -> dict:
    """Everything the tables read of one prediction of whole videos, each frame counted once.

    Args:
        predicted: (N, J, 3) metres, root-relative, camera frame, the videos' frames behind one another.

    Returns:
        Action means and frame means of the four metrics, the same per action, per recording and per joint, in mm.
    """
    target = targets_of(prepared, frames_of(videos))
    lengths = np.array([video.frames for video in videos])
    actions = [video.action for video in videos]
    errors = video_errors(predicted, target, lengths)
    by_action = {metric: per_action(actions, lengths, values) for metric, values in errors.items()}
    recordings = [f"{video.subject} {video.action}" for video in videos]
    joints = MILLIMETRES * joint_errors(predicted, target).mean(axis=0)
    return {
        "action_mean": {metric: action_mean(values) for metric, values in by_action.items()},
        "frame_mean": {metric: frame_mean(lengths, values) for metric, values in errors.items()},
        "per_action": by_action,
        "per_recording": {
            metric: {name: frame_mean(lengths[rows], errors[metric][rows]) for name, rows in _rows(recordings).items()}
            for metric in ("mpjpe", "mpjve")
        },
        "per_joint": dict(zip(prepared.skeleton.names, map(float, joints), strict=True)),
    }


def _rows(names: Sequence[str]) -> dict[str, np.ndarray]:
    names = np.asarray(names)
    return {str(name): np.flatnonzero(names == name) for name in dict.fromkeys(names)}


def frames_of(videos: Sequence[Video]) -> np.ndarray:
    """Frame numbers of the videos within the set, behind one another, (N,)."""
    return np.concatenate([np.arange(video.start, video.start + video.frames) for video in videos])


def mixste_policy(
    clips: np.ndarray, windows: Windows, prepared: PreparedSet, videos: Sequence[Video]
) -> dict[str, float]:
    """Action means as MixSTE's code counts them: overlapped frames twice, velocity across chunk borders (D-07).

    Args:
        clips: (n, T, J, 3) predictions of the evaluation windows of `videos`.

    Returns:
        mpjpe in mm and mpjve in mm per frame.
    """
    target = targets_of(prepared, windows.frame_numbers())
    rows = [windows.video == number for number in range(len(videos))]
    joined = [(clips[own].reshape(-1, *clips.shape[2:]), target[own].reshape(-1, *clips.shape[2:])) for own in rows]
    actions, counted = [video.action for video in videos], [int(own.sum()) for own in rows]
    return {
        metric.__name__: MILLIMETRES
        * action_mean(per_action(actions, counted, [float(metric(predicted, truth)) for predicted, truth in joined]))
        for metric in (mpjpe, mpjve)
    }


def mean_pose(prepared: PreparedSet) -> np.ndarray:
    """Mean root-relative pose of the training videos, (J, 3) metres, camera frame: the predictor that sees nothing."""
    total, frames = np.zeros((len(prepared.skeleton), 3)), 0
    for video in prepared.split("train"):
        span = slice(video.start, video.start + video.frames)
        total += prepared.poses_3d[span].sum(axis=0, dtype=float)
        frames += video.frames
    total[prepared.skeleton.root] = 0
    return (total / frames).astype(np.float32)


def joint_speeds(prepared: PreparedSet, videos: Sequence[Video]) -> dict[str, float]:
    """Mean root-relative speed of every joint in the ground truth, mm per frame (TMT, Fig. 2)."""
    distances = []
    for video in videos:
        target = targets_of(prepared, np.arange(video.start, video.start + video.frames))
        distances.append(joint_errors(target[1:], target[:-1]))
    speeds = MILLIMETRES * np.concatenate(distances).mean(axis=0)
    return dict(zip(prepared.skeleton.names, map(float, speeds), strict=True))
