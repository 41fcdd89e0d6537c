"""From 2D to 3D over whole videos: windows, flip averaging, stitching; and what attends to what."""

import numpy as np
import torch
from torch import Tensor

from poselib.data.checks import check_screen
from poselib.data.key_frames import key_frame_mask
from poselib.data.prepared import PreparedSet, Video
from poselib.data.windows import Windows, centred, cut, evaluation_starts
from poselib.errors import InputError
from poselib.geometry import mirror
from poselib.layers.lifter import Lifter
from poselib.models.refinement import Refined
from poselib.protocols import base_action
from poselib.strategies import Strategy

# Per forward pass: few enough to stay in a CPU's cache, many enough to fill a GPU.
TOKENS_PER_PASS = {"cpu": 16384, "cuda": 2**20}
POSES_PER_PASS = 4096
# Of a set whose 3D is computed when asked for, which takes several times its memory.
FRAMES_AT_A_TIME = 2**14


def lift_clips(
    model: Lifter, strategy: Strategy, poses_2d: Tensor, flip: tuple[int, ...], **sparse: Tensor
) -> tuple[Tensor, Tensor]:
    """Lift clips without any ground truth.

    Args:
        poses_2d: (B, T, J, 2) normalised screen coordinates.
        flip: `Skeleton.flip`; the mirrored input is lifted too.
        sparse: `key_frames` (B, T) for a model that takes it.

    Returns:
        The mean of the plain and the un-mirrored prediction, and the plain prediction; each (B, T', J, 3) metres,
        root-relative, camera frame.
    """
    places = torch.arange(poses_2d.shape[:2].numel()).view(poses_2d.shape[:2])
    return _lift_frames(model, strategy, poses_2d.flatten(0, 1), places, flip, **sparse)


def _lift_frames(
    model: Lifter, strategy: Strategy, poses_2d: Tensor, places: Tensor, flip: tuple[int, ...], **sparse: Tensor
) -> tuple[Tensor, Tensor]:
    """`lift_clips` of clips that share frames: `places` (B, T) numbers theirs among poses_2d (N, J, 2)."""
    inputs = (strategy.inference_input(poses) for poses in (poses_2d, mirror(poses_2d, flip)))
    plain, mirrored = (model.of_clips(model.of_frames(poses)[places], **sparse) for poses in inputs)
    return (plain + mirror(mirrored, flip)) / 2, plain


@torch.inference_mode()
def lift_windows(
    model: Lifter,
    strategy: Strategy,
    poses_2d: np.ndarray,
    windows: Windows,
    flip: tuple[int, ...],
    input_stride: int | None = None,
    label: str = "input poses",
) -> tuple[np.ndarray, np.ndarray]:
    """Flip-averaged and plain predictions of all windows, each (n, T', J, 3) metres, root-relative, camera frame.

    Args:
        poses_2d: (N, J, 2), the whole set, normalised screen coordinates.
        flip: see `lift_clips`.
        input_stride: for a model that upsamples: only every so many frames of a video have a 2D pose.
        label: names the input in errors.

    Raises:
        InputError: the input holds pixels, NaN or infinity.
    """
    device = next(model.parameters()).device
    training = model.training
    model.eval()
    step = max(1, TOKENS_PER_PASS[device.type] // (windows.length * poses_2d.shape[1]))
    parts = []
    for begin in range(0, len(windows), step):
        some = slice(begin, begin + step)
        # Windows of neighbouring frames overlap; what is made of a frame by itself is made once.
        frames, places = np.unique(windows.frame_numbers(some), return_inverse=True)
        poses = poses_2d[frames]
        check_screen(poses, label)
        sparse = {}
        if input_stride is not None:
            mask = key_frame_mask(windows.length, windows.step, input_stride, windows.centres(some))
            sparse["key_frames"] = torch.from_numpy(mask)
        given = torch.from_numpy(poses).to(device), torch.from_numpy(places)
        lifted = _lift_frames(model, strategy, *given, flip, **sparse)
        parts.append([part.cpu().numpy() for part in lifted])
    model.train(training)
    averaged, plain = (np.concatenate(views) for views in zip(*parts, strict=True))
    return averaged, plain


def lift_set(
    model: Lifter,
    strategy: Strategy,
    prepared: PreparedSet,
    detector: str,
    windows: Windows,
    input_stride: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """`lift_windows` over a prepared set; a `Refined` model also refines, which needs the true depth of the root."""
    poses_2d = prepared.poses_2d(detector)
    label = f"{prepared.folder}, 2D of {detector!r}"
    lifted = lift_windows(model, strategy, poses_2d, windows, prepared.skeleton.flip, input_stride, label)
    if not isinstance(model, Refined):
        return lifted
    frames = lifted_frames(model, windows)
    given = (poses_2d[frames], *prepared.rays(frames).values())
    return tuple(_refined(model, poses, *given) for poses in lifted)


@torch.inference_mode()
def _refined(model: Refined, *arrays: np.ndarray) -> np.ndarray:
    device, training = next(model.parameters()).device, model.training
    model.eval()
    parts = zip(*(torch.from_numpy(np.asarray(array)).split(POSES_PER_PASS) for array in arrays), strict=True)
    refined = [model.refine(*(part.to(device) for part in some)).cpu().numpy() for some in parts]
    model.train(training)
    return np.concatenate(refined)


def windows_of(videos: tuple[Video, ...], model: Lifter, frame_stride: int = 1) -> Windows:
    """What the model must lift so that every frame of these videos gets its pose.

    Chunks for a sequence-to-sequence model; for a many-to-one model windows of every `frame_stride`-th frame, around
    each of these.
    """
    spans = [(video.start, video.frames) for video in videos]
    if model.many_to_one:
        return centred(spans, model.config.frames, frame_stride, frame_stride)
    return cut(spans, model.config.frames, evaluation_starts)


def lifted_frames(model: Lifter, windows: Windows) -> np.ndarray:
    """Numbers of the frames that the model gives poses of, (n, T')."""
    frames = windows.frame_numbers()
    middle = windows.length // 2
    return frames[:, middle : middle + 1] if model.many_to_one else frames


def targets_of(prepared: PreparedSet, frames: np.ndarray) -> np.ndarray:
    """Ground truth of the frames (...,), (..., J, 3) metres, with the root at the origin.

    Raises:
        InputError: NaN or infinity.
    """
    cuts = range(FRAMES_AT_A_TIME, len(frames), FRAMES_AT_A_TIME)
    parts = [np.array(prepared.poses_3d[some]) for some in np.split(frames, cuts)]
    target = np.concatenate(parts) if len(parts) > 1 else parts[0]
    if not np.isfinite(target).all():
        raise InputError(f"{prepared.folder}, 3D: NaN or infinity; prepare the role again")
    target[..., prepared.skeleton.root, :] = 0
    return target


@torch.inference_mode()
def attention_maps(model: Lifter, strategy: Strategy, poses_2d: np.ndarray) -> dict[str, np.ndarray]:
    """Attention of one clip (T, J, 2), as the model's `forward` names and shapes it, without the axis of clips.

    For MixSTE {"spatial": (L, T, H, J, J), "temporal": (L, J, H, T, T)}; rows are queries.
    """
    inputs = strategy.inference_input(torch.from_numpy(np.array(poses_2d))[None])
    _, maps = model.eval()(inputs, return_attention=True)
    return {kind: values[0].numpy() for kind, values in maps.items()}


def middle_clip(
    prepared: PreparedSet, subject: str, action: str, length: int, detector: str
) -> tuple[Video, np.ndarray]:
    """The middle clip (T, J, 2) of the test video nearest to what is asked: subject and action, else action, else any.

    A source without Human3.6M's subjects or actions gives another video; the returned one says which.
    """
    wanted = [(video.subject == subject, base_action(video.action) == action) for video in prepared.split("test")]
    best = max(range(len(wanted)), key=lambda i: (wanted[i][1], wanted[i][0], -i))
    video = prepared.split("test")[best]
    start = video.start + max(0, (video.frames - length) // 2)
    frames = np.minimum(np.arange(start, start + length), video.start + video.frames - 1)
    return video, np.array(prepared.poses_2d(detector)[frames])
