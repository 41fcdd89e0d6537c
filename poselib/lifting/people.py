"""`poselib.lift`: 2D keypoints of any detector in, one 3D sequence per person out. No ground truth anywhere."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from poselib.errors import InputError
from poselib.geometry import normalise_screen
from poselib.keypoints import Track, read_keypoints, to_h36m_17
from poselib.keypoints.content import given_size, positive
from poselib.keypoints.gaps import resample
from poselib.keypoints.joint_sets import set_of
from poselib.lifting.detections import one_ear_for_both, track_of, where_seen, without_gaps
from poselib.lifting.passes import ahead_at_the_network, passes
from poselib.lifting.root_path import estimate_root_path
from poselib.lifting.sequences import Lifted, Person
from poselib.lifting.trained import Trained, find
from poselib.skeleton import H36M_17, convert

# Shares of an image's side: shorter focal lengths are given in another unit; joints may lie so far outside, if few do.
SHORTEST_FOCAL, FARTHEST_OUT, MOST_OUTSIDE = 0.1, 0.25, 0.2


def lift(
    keypoints: str | Path | np.ndarray | Sequence,
    joints: str | Sequence[str] | None = None,
    image_size: tuple[int, int] | None = None,
    fps: float | None = None,
    *,
    checkpoint: str | Path | Trained | None = None,
    format: str | None = None,
    focal: float | None = None,
    look_ahead: int | None = None,
    longest_gap: float = 1.0,
    progress: bool = False,
) -> Lifted:
    """The 3D sequences of the people whose 2D keypoints are given.

    Joints that were not seen are filled in from the frames around and marked. A sequence is brought to the network's
    frame rate, lifted window by window as it is and mirrored, and brought back; it may have any length.

    Args:
        keypoints: a file or folder that `read_keypoints` reads, what it gives, or one person's pixels (F, J, 2), or 3
            with confidence; NaN or confidence 0 for a missed joint.
        joints: the joint set, a key of `JOINT_SETS`, short name of `joint_sets.NAMES`, or its joints' names; an array
            needs it, other files are checked against it.
        image_size: (width, height) in pixels, where the file does not say it.
        fps: frames per second, likewise.
        checkpoint: the network, see `trained.find`.
        format: the tool that wrote the file, seen from its content if None.
        focal: focal length in pixels, the principal point in the middle; with it the path of the root is estimated, and
            a network that assumes a focal length takes this one instead.
        look_ahead: None lets all frames of a window tell. A number of input frames makes the lifting causal: nothing
            after them has an influence on a pose, and what is missing is held from before instead of filled in.
        longest_gap: seconds that a person may be away without a break in the sequence.

    Raises:
        InputError: malformed input, unknown size, rate or checkpoint, joints far outside of the image, nobody who can
            be lifted, or a `look_ahead` that the network cannot keep.
    """
    trained = checkpoint if isinstance(checkpoint, Trained) else find(checkpoint)
    people, left_out = [], {}
    tracks = _tracks(keypoints, joints, image_size, fps, format)
    ahead = None if look_ahead is None else ahead_at_the_network(trained, look_ahead, tracks[0].fps)
    if focal is not None and positive(focal, "focal") < SHORTEST_FOCAL * tracks[0].size[0]:
        raise InputError(f"focal {focal:g}: too short for an image {tracks[0].size[0]} wide; give it in pixels")
    for track in tracks:
        own, guessed = one_ear_for_both(where_seen(track))
        own = to_h36m_17(own)
        if never := [joint for joint, seen in zip(H36M_17.names, own.confidence.any(axis=0), strict=True) if not seen]:
            left_out[track.person] = f"its {' and '.join(never)} cannot be made from what was seen"
            continue
        filled, mask = without_gaps(own, guessed, causal=look_ahead is not None)
        spans = _spans(own.frames, filled.frames, longest_gap * own.fps)
        poses = _poses(trained.told(focal, filled.size), filled, spans, ahead, progress)
        kept = np.concatenate([np.arange(*span) for span in spans])
        if look_ahead is not None:
            # Whether somebody who is away comes back is not known yet.
            seen = np.isin(filled.frames[kept], own.frames)
            poses, kept = poses[seen], kept[seen]
        people.append(_person(trained, filled, mask, kept, poses, focal))
    if not people:
        person, why = next(iter(left_out.items()))
        raise InputError(f"person {person}: {why}; take a video that shows whole bodies")
    about = (trained.skeleton, tracks[0].fps, trained.name, trained.about)
    return Lifted(tuple(people), left_out, *about)


def _tracks(
    keypoints: str | Path | np.ndarray | Sequence,
    joints: str | Sequence[str] | None,
    size: tuple[int, int] | None,
    fps: float | None,
    format: str | None,
) -> list[Track]:
    """The people, with image size and frame rate."""
    label = keypoints if isinstance(keypoints, (str, Path)) else "keypoints"
    if isinstance(keypoints, (str, Path)):
        tracks = read_keypoints(keypoints, format, image_size=size, joints=joints)
    else:
        several = isinstance(keypoints, Sequence) and all(isinstance(one, Track) for one in keypoints)
        tracks = list(keypoints) if several else [track_of(keypoints, joints)]
        size = None if size is None else given_size(size, label)
    fps = None if fps is None else positive(fps, f"{label}, fps")
    if not tracks:
        raise InputError(f"{label}: nobody is in it; give at least one person")
    first = tracks[0]
    if joints is not None and first.joints != set_of(joints, f"{label}, joints"):
        raise InputError(f"{label}: its joints are {first.joints}, not {joints}; leave the joints out or name these")
    pairs = {"image_size": (first.size, size), "fps": (first.fps, fps)}
    if unknown := [what for what, pair in pairs.items() if pair == (None, None)]:
        options = ", ".join(f"{what} (--{what.replace('_', '-')})" for what in unknown)
        raise InputError(f"{label}: does not say its {' and '.join(unknown)}; give {options}")
    for what, (own, given) in pairs.items():
        if None not in (own, given) and own != given:
            raise InputError(f"{label}: its {what} is {own}, not {given}; give the right one or none")
    tracks = [replace(track, fps=first.fps or fps, size=first.size or size) for track in tracks]
    _check_inside(tracks, label)
    return tracks


def _check_inside(tracks: list[Track], label: str | Path) -> None:
    """Another image's size places and scales people wrongly, and nothing else would tell."""
    width, height = tracks[0].size
    seen = np.concatenate([track.keypoints[track.confidence > 0] for track in tracks])
    if (np.abs(seen / (width, height) - 0.5) > 0.5 + FARTHEST_OUT).any(axis=-1).mean() > MOST_OUTSIDE:
        x, y = np.abs(seen).max(axis=0)
        raise InputError(
            f"{label}: joints reach to x {x:.0f}, y {y:.0f}, outside of {width}x{height}; correct image_size"
        )


def _spans(seen: np.ndarray, frames: np.ndarray, longest: float) -> list[tuple[int, int]]:
    """Rows of `frames` between absences of more than so many frames: (first, behind the last) each."""
    seen = seen[seen >= frames[0]] - frames[0]
    away = np.flatnonzero(np.diff(seen) - 1 > longest)
    starts, ends = [seen[0], *seen[away + 1]], [*seen[away], seen[-1]]
    return [(int(start), int(end) + 1) for start, end in zip(starts, ends, strict=True)]


def _poses(
    trained: Trained, track: Track, spans: list[tuple[int, int]], ahead: int | None, progress: bool
) -> np.ndarray:
    """Poses of all frames within the spans, each lifted by itself, (F, J, 3)."""
    about, parts = trained.about, []
    for start, end in spans:
        screen = normalise_screen(convert(track.keypoints[start:end], H36M_17, trained.skeleton), track.size)
        screen = resample(screen, track.fps, about.fps)
        blocks, total = [], -(-len(screen) // about.frame_stride)
        with tqdm(total=total, desc=f"person {track.person}", unit="pose", disable=not progress) as bar:
            for block in passes(trained, screen, ahead):
                blocks.append(block)
                bar.update(len(block))
        parts.append(resample(np.concatenate(blocks), about.fps / about.frame_stride, track.fps, count=end - start))
    return np.concatenate(parts)


def _person(
    trained: Trained, track: Track, mask: np.ndarray, kept: np.ndarray, poses: np.ndarray, focal: float | None
) -> Person:
    picks = [H36M_17.index[joint] for joint in trained.skeleton.names]
    confidence, path = track.confidence[kept][:, picks], None
    if focal is not None:
        pixels = track.keypoints[kept][:, picks] - np.array(track.size) / 2
        path = estimate_root_path(poses, pixels, confidence, focal)
    return Person(track.person, track.frames[kept], poses, mask[kept][:, picks], confidence, path)
