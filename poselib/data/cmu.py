"""The `cmu` source: real motion capture in ASF/AMC or BVH, as Human3.6M poses, filmed by virtual cameras.

Kept from the recording: body size, heading and height above the floor. Changed: y-up file axes to the z-up world,
the rate (50 Hz as Human3.6M), the clip's place in the room, and the converters' faults (`mocap_clean`).
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from poselib.data.amc import CMU_FPS, read_amc
from poselib.data.asf import read_asf
from poselib.data.bvh import read_bvh
from poselib.data.camera_table import TEST_RIGS, TRAIN_RIGS
from poselib.data.checks import check_metres
from poselib.data.cmu_files import ClipFile, find_clips
from poselib.data.filming import Detector, film
from poselib.data.mocap_clean import daz_head_top, longest_clean_run, resample, restore_lost_bones, without_t_pose
from poselib.data.mocap_clip import MocapClip
from poselib.data.sequences import Motion, Sequence
from poselib.errors import InputError
from poselib.geometry import Camera
from poselib.skeleton import H36M_17, convert
from poselib.skeleton_cmu import CMU_ASF, CMU_BVH, CMU_DAZ_BVH

SCHEMES = (CMU_ASF, CMU_BVH, CMU_DAZ_BVH)
INCH = 0.0254
CMU_LENGTH_SCALE = 0.45
CENTIMETRE = 0.01


def cmu_motions(folder: Path | str, *, fps: float = 50.0) -> Iterator[Motion]:
    """Every clip of a folder as a Human3.6M motion, one at a time, sorted by path.

    Args:
        folder: searched at any depth for .bvh and .amc files, .gz allowed (see `cmu_files.find_clips`).
        fps: frames per second of the result.

    Returns:
        Iterator of motions: positions (F, 17, 3) float32 in metres, z up, the middle of the root's horizontal bounding
        box at the origin, heights as recorded. Action is '<action> <file stem>', unique per subject. A clip with solver
        spikes is cut to its longest clean run.

    Raises:
        InputError: at once for a bad folder, manifest or rate; on reaching it for a malformed clip.
    """
    if not fps > 0:
        raise InputError(f"fps is {fps}; give a rate above zero")
    return (_motion(clip, fps) for clip in find_clips(folder))


def subject_split(subjects: Iterable[str]) -> dict[str, str]:
    """Subject -> 'train', 'validation' or 'test', by the order of the sorted names alone.

    Every third subject from the second on is test; of the others every sixth from the third on is validation. The
    same person may have several CMU subject numbers, so different subjects need not be different people.

    Raises:
        InputError: fewer than 3 subjects.
    """
    names = sorted(set(subjects))
    if len(names) < 3:
        raise InputError(
            f"a split needs 3 subjects and there are {len(names)}: {', '.join(names)}; add clips of others"
        )
    others = [name for i, name in enumerate(names) if i % 3 != 1]
    roles = {name: "validation" if i % 6 == 2 else "train" for i, name in enumerate(others)}
    return {name: roles.get(name, "test") for name in names}


def cmu_sequences(
    folder: Path | str,
    *,
    cameras: Mapping[str, tuple[Camera, ...]],
    fps: float = 50.0,
    detector: Detector | None = None,
) -> Iterator[Sequence]:
    """Every clip of a folder filmed by each camera of its subject's rig, one sequence at a time.

    Args:
        folder: as for `cmu_motions`.
        cameras: rig name -> its cameras. Train and validation subjects, sorted, take turns on the rigs S1, S5, S6, S7,
            S8; test subjects on S9 and S11.
        fps: frames per second of the result.
        detector: makes 2D detections (F, 17, 2) from true pixels (F, 17, 2) and a seed that depends on subject,
            action and camera alone; stored under 'cpn'.

    Returns:
        Iterator of sequences: `poses_3d` (F, 17, 3) float32 in metres, camera frame; `poses_2d['gt']` (F, 17, 2) the
        projection with lens distortion, pixels.

    Raises:
        InputError: a bad folder, fewer than 3 subjects, a rig missing from `cameras`, or a clip whose person comes too
            near to a camera or behind it.
    """
    clips = find_clips(folder)
    rigs = _rigs({clip.subject for clip in clips}, cameras)
    return (
        film(motion, camera, detector, zlib.crc32(f"{motion.subject}/{motion.action}/{camera.id}".encode()))
        for motion in (_motion(clip, fps) for clip in clips)
        for camera in rigs[motion.subject]
    )


def to_h36m(clip: MocapClip, path: Path, *, length_scale: float = CMU_LENGTH_SCALE) -> np.ndarray:
    """Positions (F, 17, 3) of the Human3.6M joints in metres, z up, at the clip's own rate and place.

    The naming scheme, and with it the unit, is told by the joint names.

    Args:
        clip: as read, y up, file units.
        path: named in errors.
        length_scale: of ASF and MotionBuilder files; a unit is 1/length_scale inches.

    Raises:
        InputError: the joints are of none of the three known schemes.
    """
    index = {joint: i for i, joint in enumerate(clip.joints)}
    positions = clip.positions
    if {"head", "leftEye", "rightEye"} <= index.keys():
        metres = positions * CENTIMETRE
        top = daz_head_top(*(metres[:, index[joint]] for joint in ("head", "leftEye", "rightEye"))) / CENTIMETRE
        index["headTop"] = positions.shape[1]
        positions = np.concatenate((positions, top[:, None]), axis=1)
    missing = [(scheme, [joint for joint in scheme.names if joint not in index]) for scheme in SCHEMES]
    scheme, lacking = min(missing, key=lambda pair: len(pair[1]))
    if lacking:
        raise InputError(
            f"{path}: the joint names are of no known scheme; nearest is {scheme.name}, of which it misses "
            f"{', '.join(lacking)}; choose an original CMU or cgspeed MotionBuilder- or Daz-friendly file"
        )
    unit = CENTIMETRE if scheme is CMU_DAZ_BVH else INCH / length_scale
    poses = convert(positions[:, [index[joint] for joint in scheme.names]], scheme, H36M_17) * unit
    return np.stack((poses[..., 0], -poses[..., 2], poses[..., 1]), axis=-1)


def _motion(clip: ClipFile, fps: float) -> Motion:
    poses, rate = _clean_poses(clip)
    if len(poses) < 2:
        raise InputError(f"{clip.path} has {len(poses)} usable frame(s) and 2 are needed; leave the clip out")
    check_metres(poses, str(clip.path))
    poses = resample(poses, rate, fps)
    root = poses[:, H36M_17.root, :2]
    poses[..., :2] -= (root.min(axis=0) + root.max(axis=0)) / 2
    return Motion(clip.subject, f"{clip.action} {clip.stem}", H36M_17, fps, poses.astype(np.float32))


def _clean_poses(clip: ClipFile) -> tuple[np.ndarray, float]:
    """Poses (F, 17, 3) in metres, z up, without artefacts, and their rate: the manifest's before the file's."""
    if clip.skeleton_path is not None:
        skeleton = read_asf(clip.skeleton_path)
        recorded = read_amc(clip.path, skeleton, fps=clip.fps or CMU_FPS)
        poses = to_h36m(recorded, clip.path, length_scale=skeleton.length_scale)
    else:
        recorded = read_bvh(clip.path, mend=restore_lost_bones)
        poses = to_h36m(recorded, clip.path)
    if clip.frames not in (None, len(poses)):
        raise InputError(
            f"{clip.path} holds {len(poses)} frames and its manifest says {clip.frames}; fetch the file again or "
            "correct the manifest"
        )
    rate = clip.fps or recorded.fps
    if clip.skeleton_path is None:
        poses = without_t_pose(poses, rate)
    return poses[longest_clean_run(poses, rate)], rate


def _rigs(subjects: set[str], cameras: Mapping[str, tuple[Camera, ...]]) -> dict[str, tuple[Camera, ...]]:
    if missing := [rig for rig in (*TRAIN_RIGS, *TEST_RIGS) if not cameras.get(rig)]:
        raise InputError(f"the camera table lacks rig {missing[0]!r}; it needs {', '.join((*TRAIN_RIGS, *TEST_RIGS))}")
    roles = subject_split(subjects)
    rigs = {}
    for names, is_test in ((TRAIN_RIGS, False), (TEST_RIGS, True)):
        own = sorted(subject for subject, role in roles.items() if (role == "test") == is_test)
        rigs |= {subject: cameras[names[i % len(names)]] for i, subject in enumerate(own)}
    return rigs
