"""The numbers of one set of predictions: per video, action and joint, under the field's protocols, in millimetres."""

from collections.abc import Mapping, Sequence

import numpy as np

from poselib.data.prepared import PreparedSet, Video
from poselib.data.windows import Windows, stitch
from poselib.inference import middle_clip, targets_of
from poselib.metrics import MILLIMETRES, align_scale, align_similarity, frame_auc, frame_pck, joint_errors, mpjpe, mpjve
from poselib.motion_quality import acceleration_error, bone_length_spread, left_right_symmetry
from poselib.protocols import PCK_MM, PCK_WITHOUT, action_mean, frame_mean, group_of, per_action

# Alignment takes many times the memory of the poses.
FRAMES_AT_A_TIME = 2**14


def frame_errors(predicted: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
    """Errors of every frame in metres: mpjpe, p_mpjpe and n_mpjpe, each (N,), from poses (N, J, 3)."""
    parts = []
    for start in range(0, len(target), FRAMES_AT_A_TIME):
        some, true = (poses[start : start + FRAMES_AT_A_TIME] for poses in (predicted, target))
        similar, scaled = align_similarity(some.astype(float), true.astype(float)), align_scale(some, true)
        parts.append([joint_errors(poses, true).mean(axis=-1) for poses in (some, similar, scaled)])
    errors = (np.concatenate(values) for values in zip(*parts, strict=True))
    return dict(zip(("mpjpe", "p_mpjpe", "n_mpjpe"), errors, strict=True))


def video_errors(
    predicted: np.ndarray,
    target: np.ndarray,
    lengths: Sequence[int],
    pck_joints: Sequence[int] = (),
    consecutive: bool = True,
) -> dict[str, np.ndarray]:
    """Mean errors of every video, mm (mpjve: mm per frame; pck and auc: percent), each (V,).

    Args:
        predicted, target: (N, J, 3) metres, root-relative, videos behind one another.
        lengths: frames of each video, (V,).
        pck_joints: joints of PCK and AUC.
        consecutive: no frame of a video is left out; without it there is no mpjve, and that of one frame is NaN.
    """
    spans = _spans(lengths)
    starts = [span.start for span in spans]
    errors = {
        name: MILLIMETRES * np.add.reduceat(values, starts) / lengths
        for name, values in frame_errors(predicted, target).items()
    }
    if pck_joints:
        joints = MILLIMETRES * joint_errors(predicted, target)[:, pck_joints]
        for name, values in (("pck", frame_pck(joints, PCK_MM)), ("auc", frame_auc(joints, PCK_MM))):
            errors[name] = np.add.reduceat(values, starts) / lengths
    if consecutive and max(lengths) > 1:
        speeds = [float(mpjve(predicted[s], target[s])) if s.stop - s.start > 1 else np.nan for s in spans]
        errors["mpjve"] = MILLIMETRES * np.array(speeds)
    return errors


def action_means(predicted: np.ndarray, prepared: PreparedSet, videos: Sequence[Video]) -> dict[str, float]:
    """The number that papers print, for each metric, mm; arguments as for `summarise`."""
    return summarise(predicted, prepared, videos)["action_mean"]


def summarise(
    predicted: np.ndarray, prepared: PreparedSet, videos: Sequence[Video], counted: np.ndarray | None = None
) -> dict:
    """Everything the tables read of one prediction of whole videos, each frame counted once.

    Args:
        predicted: (N, J, 3) metres, root-relative, camera frame, the videos' frames behind one another.
        counted: (N,) which of these frames count, all if None; a video without any is left out.

    Returns:
        Action means and frame means of the role's metrics, the same per action, per recording and per joint, in mm;
        PCK and AUC in percent. `action_mean` is what papers print: the mean over actions, over HumanEva's actions by
        subject, or over all frames that count of MPI-INF-3DHP, whose `per_action` is by scene.
    """
    skeleton, of_3dhp = prepared.skeleton, prepared.role == "mpi_inf_3dhp"
    predicted, target, lengths, videos, consecutive = _that_count(predicted, prepared, videos, counted)
    pck_joints = []
    if of_3dhp:
        pck_joints = sorted(set(range(len(skeleton))) - {skeleton.sources(joint)[0] for joint in PCK_WITHOUT})
    actions = np.array([group_of(prepared.role, video.subject, video.action) for video in videos])
    recordings = np.array([f"{video.subject} {video.action}" for video in videos])
    errors = video_errors(predicted, target, lengths, pck_joints, consecutive)
    # A single frame has no velocity.
    kept = {metric: np.flatnonzero(lengths > (metric == "mpjve")) for metric in errors}
    by_action = {m: per_action(actions[rows], lengths[rows], errors[m][rows]) for m, rows in kept.items()}
    frame_means = {m: frame_mean(lengths[rows], errors[m][rows]) for m, rows in kept.items()}
    joints = MILLIMETRES * joint_errors(predicted, target).mean(axis=0)
    return {
        "action_mean": frame_means if of_3dhp else {metric: action_mean(means) for metric, means in by_action.items()},
        "frame_mean": frame_means,
        "per_action": by_action,
        "per_recording": {
            m: {name: frame_mean(lengths[own], errors[m][own]) for name, own in _rows(recordings, rows).items()}
            for m, rows in kept.items()
        },
        "per_joint": dict(zip(skeleton.names, map(float, joints), strict=True)),
    }


def details(predicted: np.ndarray, prepared: PreparedSet, videos: Sequence[Video]) -> dict:
    """How smooth and how constant in size the predicted bodies are, and whose and which joints' errors are large.

    Arguments, and frames that count, as for `summarise`.

    Returns:
        acceleration_error: mm per frame squared, mean per video of three frames or more, then over actions; not where
            frames are left out.
        bone_length_spread, left_right_symmetry: mm, 'predicted' and 'truth', mean over videos weighted by frames.
        per_subject, per_chain_depth: mean MPJPE over frames, mm, by test subject and by bones between root and joint.
    """
    predicted, target, lengths, videos, consecutive = _that_count(predicted, prepared, videos)
    spans, skeleton, found = _spans(lengths), prepared.skeleton, {}
    if consecutive:
        rows = np.flatnonzero(lengths > 2)
        actions = [group_of(prepared.role, videos[row].subject, videos[row].action) for row in rows]
        errors = [float(acceleration_error(predicted[spans[row]], target[spans[row]])) for row in rows]
        found["acceleration_error"] = MILLIMETRES * action_mean(per_action(actions, lengths[rows], errors))
    for measure in (bone_length_spread, left_right_symmetry):
        found[measure.__name__] = {
            label: MILLIMETRES * frame_mean(lengths, [measure(poses[span].astype(float), skeleton) for span in spans])
            for label, poses in (("predicted", predicted), ("truth", target))
        }
    errors, depth = MILLIMETRES * joint_errors(predicted, target), np.array(skeleton.depth)
    by_video = np.array([errors[span].mean(dtype=float) for span in spans])
    by_joint, subjects = errors.mean(axis=0, dtype=float), _rows([video.subject for video in videos])
    return {
        **found,
        "per_subject": {name: frame_mean(lengths[rows], by_video[rows]) for name, rows in subjects.items()},
        "per_chain_depth": {str(bones): float(by_joint[depth == bones].mean()) for bones in np.unique(depth)},
    }


def _that_count(
    predicted: np.ndarray, prepared: PreparedSet, videos: Sequence[Video], counted: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Sequence[Video], bool]:
    """Poses and truth of the frames that count, how many each video has, the videos with any, and if none is left out.

    MPI-INF-3DHP marks frames that do not count, and its predictions are set to zero at the root.
    """
    frames, lengths = frames_of(videos), np.array([video.frames for video in videos])
    target, of_3dhp = targets_of(prepared, frames), prepared.role == "mpi_inf_3dhp"
    consecutive = counted is None and not of_3dhp
    if of_3dhp:
        predicted, valid = np.array(predicted), prepared.valid[frames]
        predicted[:, prepared.skeleton.root] = 0
        counted = valid if counted is None else counted & valid
    if not consecutive:
        lengths = np.array([counted[span].sum() for span in _spans(lengths)])
        videos = [video for video, length in zip(videos, lengths, strict=True) if length]
        predicted, target, lengths = predicted[counted], target[counted], lengths[lengths > 0]
    return predicted, target, lengths, videos, consecutive


def at_input_stride(
    clips: np.ndarray, windows: Windows, prepared: PreparedSet, videos: Sequence[Video], stride: int
) -> dict:
    """What `summarise` gives of all frames, and below it of 'key_frames' alone and of 'bilinear' upsampling.

    Args:
        clips: (n, 1, J, 3) poses of the middle frames of `windows`.
        stride: a video's key-frames, which have a 2D pose, are its multiples. 'bilinear' keeps the poses of these and
            joins them by straight lines (Uplift and Upsample, Table 3).
    """
    joined, keys = stitch(clips, windows), windows.centres() % stride == 0
    key_frames = np.concatenate([np.arange(video.frames) % stride == 0 for video in videos])
    return {
        **summarise(joined, prepared, videos),
        "key_frames": summarise(joined, prepared, videos, key_frames),
        "bilinear": summarise(stitch(clips[keys], windows.select(keys)), prepared, videos),
    }


def _rows(names: Sequence[str], among: Sequence[int] | None = None) -> dict[str, np.ndarray]:
    """Where each name stands, of all rows or of those given."""
    names, among = np.asarray(names), np.arange(len(names)) if among is None else among
    return {str(name): among[names[among] == name] for name in dict.fromkeys(names[among])}


def _spans(lengths: Sequence[int]) -> list[slice]:
    """Where each video lies among frames behind one another."""
    ends = np.cumsum(lengths)
    return [slice(end - length, end) for end, length in zip(ends, lengths, strict=True)]


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
    actions = [group_of(prepared.role, video.subject, video.action) for video in videos]
    counted = [int(own.sum()) for own in rows]
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
        prepared.forget()
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


def example(
    prepared: PreparedSet, predictions: Mapping[str, Mapping[str, np.ndarray]], subject: str, action: str
) -> tuple[str, tuple[np.ndarray, dict[str, np.ndarray]]]:
    """A row of `figures.poses.sheet`: the middle frame that counts of the test video nearest to what is asked.

    Args:
        predictions: label -> what `records.predictions_of` gives of a run on this set; the video as of `middle_clip`.

    Returns:
        Title, and the true pose (J, 3) with label -> predicted pose (J, 3), metres, root-relative, camera frame.
    """
    video, _ = middle_clip(prepared, subject, action, 1, "gt")
    frames = np.arange(video.start, video.start + video.frames)
    frames = frames[prepared.valid[frames]]
    frame = frames[len(frames) // 2]
    lifted = {label: run["poses_3d"][np.searchsorted(run["frames"], frame)] for label, run in predictions.items()}
    return f"{video.subject} {video.action}", (targets_of(prepared, frames[[len(frames) // 2]])[0], lifted)
