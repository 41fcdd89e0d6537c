"""A prepared set: all videos of a benchmark role behind one another in memory-mapped arrays, ready for the network.

set.json         role, source, credits, joint set, fingerprint, and one line per video
poses_3d.f32     (N, J, 3) metres, camera frame; the root holds its true position, the others are relative
poses_2d_*.f32   (N, J, 2) normalised screen coordinates, one file per detector
valid.f32        (N,) 1 where a frame counts in the test, if the data set says so

Motions that no camera filmed have one array instead:

poses_world.f32  (N, J, 3) metres, world frame, z up
"""

import hashlib
import json
import mmap
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path

import numpy as np

from poselib.data.camera_table import camera_pool, intrinsics
from poselib.data.checks import check_screen
from poselib.data.sequences import Motion, Sequence
from poselib.errors import InputError
from poselib.files import whole_folder
from poselib.geometry import centre_on_root, normalise_screen
from poselib.skeleton import SKELETONS, Skeleton, convert

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Video:
    """One video of the set: who, what, which camera, where its frames lie, and what it may be used for."""

    subject: str
    action: str
    camera: str
    split: str
    start: int
    frames: int
    fps: float


@dataclass(frozen=True)
class Derived:
    """An array of this shape that is computed, frame by frame, from memory-mapped ones: only what is asked is read."""

    shape: tuple[int, ...]
    compute: Callable[..., np.ndarray]
    arrays: tuple

    def __getitem__(self, frames: np.ndarray | slice) -> np.ndarray:
        return self.compute(*(array[frames] for array in self.arrays))

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self[:], dtype)


@dataclass(frozen=True)
class PreparedSet:
    """A prepared set on disk. Arrays are opened on demand and never loaded whole.

    `stored` is the joint set of the files where it is not `skeleton`; see `in_joints`.
    """

    folder: Path
    role: str
    source: str
    skeleton: Skeleton
    credits: tuple[str, ...]
    fingerprint: str
    videos: tuple[Video, ...]
    stored: Skeleton | None = None

    def in_joints(self, skeleton: Skeleton) -> "PreparedSet":
        """The same set in another joint set, joint by joint name: for a test on a set that did not train.

        Raises:
            InputError: a joint cannot be made from those of the set.
        """
        if skeleton.names == self.skeleton.names:
            return self
        stored = self.stored or self.skeleton
        convert(np.zeros((len(stored), 2)), stored, skeleton)
        return replace(self, skeleton=skeleton, stored=stored)

    @cached_property
    def valid(self) -> np.ndarray:
        """(N,) which frames count in the test."""
        path = self.folder / "valid.f32"
        frames = sum(video.frames for video in self.videos)
        return np.fromfile(path, np.float32) > 0 if path.is_file() else np.ones(frames, bool)

    @cached_property
    def poses_3d(self) -> np.ndarray:
        """(N, J, 3) root-relative, metres, camera frame; the root has its position."""
        return self._map("poses_3d", 3)

    def poses_2d(self, detector: str) -> np.ndarray:
        """(N, J, 2) normalised screen coordinates of one detector.

        'blend:0.25:cpn' are the detections moved by a quarter of the way to the ground truth (TMT, Eq. 2).

        Raises:
            InputError: the set has no such detections.
        """
        if detector.startswith("blend:"):
            _, share, name = detector.split(":")
            seen, true = self.poses_2d(name), self.poses_2d("gt")
            return Derived(seen.shape, lambda seen, true: seen + np.float32(share) * (true - seen), (seen, true))
        if not (self.folder / f"poses_2d_{detector}.f32").is_file():
            raise InputError(f"{self.folder}: no 2D of detector {detector!r}; prepare the role with it")
        return self._map(f"poses_2d_{detector}", 2)

    def split(self, name: str) -> tuple[Video, ...]:
        """The videos of 'train', 'validation' or 'test'."""
        return tuple(video for video in self.videos if video.split == name)

    def rays(self, frames: np.ndarray) -> dict[str, np.ndarray]:
        """What re-projection of the frames (...,) needs: `root_depth` (...) metres, true; `intrinsics` (..., 9)."""
        known = intrinsics()
        rows = np.array([known[video.camera] for video in self.videos], np.float32)
        number = np.searchsorted([video.start for video in self.videos], frames, side="right") - 1
        return {"root_depth": self.poses_3d[frames][..., self.skeleton.root, 2], "intrinsics": rows[number]}

    def forget(self) -> None:
        """Let go of the pages read so far, which otherwise add up to the whole files in the resident memory."""
        for array in self._maps.values():
            array.base.madvise(mmap.MADV_DONTNEED)

    @cached_property
    def _maps(self) -> dict[str, np.ndarray]:
        return {}

    def _map(self, name: str, channels: int) -> np.ndarray:
        frames = sum(video.frames for video in self.videos)
        stored = self.stored or self.skeleton
        path, shape = self.folder / f"{name}.f32", (frames, len(stored), channels)
        if not path.is_file() or path.stat().st_size != 4 * int(np.prod(shape)):
            raise InputError(f"{path}: size does not fit set.json; prepare the role again")
        array = self._maps.setdefault(name, np.memmap(path, np.float32, "c", shape=shape))
        if self.stored is None:
            return array
        seen = (frames, len(self.skeleton), channels)
        return Derived(seen, lambda poses: convert(poses, stored, self.skeleton), (array,))


@dataclass(frozen=True)
class WorldSet(PreparedSet):
    """A prepared set of motions; 2D and camera-frame 3D are made when asked for.

    Training takes `poses_world` and films every window anew. Outside of it a motion is seen by one camera of the
    training pool, drawn by its name, so that it can be lifted and judged like a video.
    """

    @cached_property
    def poses_world(self) -> np.ndarray:
        """(N, J, 3) metres, world frame, z up."""
        return self._map("poses_world", 3)

    @cached_property
    def poses_3d(self) -> Derived:
        """See `PreparedSet`."""
        return self._filmed(3, lambda screen, poses: _relative(poses, self.skeleton.root))

    def poses_2d(self, detector: str) -> Derived:
        """See `PreparedSet`; exact.

        Raises:
            InputError: another detector than 'gt'.
        """
        if detector != "gt":
            raise InputError(f"{self.folder}: no 2D of detector {detector!r}, motions have exact 2D; use detector gt")
        return self._filmed(2, lambda screen, poses: screen)

    def split(self, name: str) -> tuple[Video, ...]:
        """The motions of 'train', 'validation' or 'test'; AMASS has no test and its validation stands for it."""
        return super().split(name) or (super().split("validation") if name == "test" else ())

    @cached_property
    def _rows(self) -> np.ndarray:
        """(N,) the row of the pool that every frame is seen by."""
        names = camera_pool("training").names
        rows = [names.index(video.camera) for video in self.videos]
        return np.repeat(np.array(rows, np.int8), [video.frames for video in self.videos])

    def _filmed(self, channels: int, choose: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Derived:
        def film(world: np.ndarray, rows: np.ndarray) -> np.ndarray:
            return choose(*camera_pool("training").film(world, rows))

        return Derived((*self.poses_world.shape[:2], channels), film, (self.poses_world, self._rows))


def write_prepared(
    sequences: Iterable[Sequence | Motion],
    folder: Path,
    *,
    role: str,
    source: str,
    split_of: Callable[[str], str] | None = None,
    credits: tuple[str, ...] = (),
) -> PreparedSet:
    """Stream videos, or motions, into a prepared set, one in memory at a time; it appears whole or not at all.

    Args:
        split_of: subject -> split, for sequences that do not say theirs.

    Raises:
        InputError: no sequences, or a screen coordinate out of range.
    """
    digest, videos, start, skeleton = hashlib.sha256(), [], 0, None
    files: dict[str, object] = {}
    with whole_folder(folder) as partial, ExitStack() as stack:
        for sequence in sequences:
            skeleton = sequence.skeleton
            arrays = _arrays(sequence)
            for name, array in arrays.items():
                if name not in files:
                    files[name] = stack.enter_context((partial / f"{name}.f32").open("wb"))
                content = np.ascontiguousarray(array, np.float32).tobytes()
                digest.update(content)
                files[name].write(content)
            frames = len(next(iter(arrays.values())))
            place = (_camera(sequence), sequence.split or split_of(sequence.subject), start, frames, sequence.fps)
            videos.append(Video(sequence.subject, sequence.action, *place))
            start += frames
        if not videos:
            raise InputError(f"source {source!r} of role {role!r} holds no recordings; check its path in params.yaml")
        needed = SPLITS[:2] if "poses_world" in files else SPLITS
        if empty := sorted(set(needed) - {video.split for video in videos}):
            raise InputError(f"source {source!r} of role {role!r} leaves no {empty[0]} video; add recordings of others")
        description = {"role": role, "source": source, "skeleton": skeleton.name, "credits": list(credits)}
        description["videos"] = [asdict(video) for video in videos]
        digest.update(json.dumps(description, sort_keys=True).encode())
        description["fingerprint"] = digest.hexdigest()
        (partial / "set.json").write_text(json.dumps(description, indent=1) + "\n")
    return open_prepared(folder)


def _camera(sequence: Sequence | Motion) -> str:
    if isinstance(sequence, Sequence):
        return sequence.camera.id
    names = camera_pool("training").names
    return names[zlib.crc32(f"{sequence.subject}/{sequence.action}".encode()) % len(names)]


def _relative(poses: np.ndarray, root: int) -> np.ndarray:
    relative = centre_on_root(poses, root)
    relative[..., root, :] = poses[..., root, :]
    return relative


def _arrays(sequence: Sequence | Motion) -> Mapping[str, np.ndarray]:
    if isinstance(sequence, Motion):
        return {"poses_world": sequence.positions}
    arrays = {"poses_3d": _relative(sequence.poses_3d, sequence.skeleton.root)}
    for detector, pixels in sequence.poses_2d.items():
        screen = normalise_screen(pixels, sequence.camera.size)
        check_screen(screen, f"{sequence.subject} {sequence.action}, {detector}")
        arrays[f"poses_2d_{detector}"] = screen
    if sequence.valid is not None:
        arrays["valid"] = sequence.valid
    return arrays


def open_prepared(folder: str | Path) -> PreparedSet:
    """Open a prepared set; nothing but its description is read.

    Raises:
        InputError: no such set, or a damaged description.
    """
    folder = Path(folder)
    path = folder / "set.json"
    if not path.is_file():
        raise InputError(f"{path}: no prepared set here; run 'python -m poselib prepare ROLE' first")
    try:
        content = json.loads(path.read_text())
        videos = tuple(Video(**video) for video in content["videos"])
        ends = list(accumulate(video.frames for video in videos))
        if [video.start for video in videos] != [0, *ends[:-1]] or any(video.frames < 1 for video in videos):
            raise ValueError("videos do not follow one another")
        kind = WorldSet if (folder / "poses_world.f32").is_file() else PreparedSet
        return kind(
            folder,
            content["role"],
            content["source"],
            SKELETONS[content["skeleton"]],
            tuple(content["credits"]),
            content["fingerprint"],
            videos,
        )
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: damaged description ({error}); prepare the role again") from error
