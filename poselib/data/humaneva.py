"""HumanEva-I in the files that VideoPose3D's scripts write: read them, and write them for a stand-in.

data_3d_humaneva15.npz                      positions_3d: 'Train/S1' -> 'Walking 1 chunk0' -> (F, 15, 3) metres, world
data_2d_humaneva15_gt.npz                   positions_2d: the same -> [3 x (F, 15, 2)] pixels; metadata
data_2d_humaneva15_detectron_pt_coco.npz    the same in the 17 joints of COCO, by Mask R-CNN

'Train' is the second part of a video and 'Validate', on which everyone tests, the first; a recording is cut into chunks
where its motion capture failed. The place of each camera is published, its lens is fitted.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from poselib.data.calibration import fit_lens, placed
from poselib.data.checks import check_array, check_metres
from poselib.data.filming import Detector, film
from poselib.data.npz import read_npz, write_objects
from poselib.data.sequences import Motion, Sequence
from poselib.data.videopose3d import PointFile, mapping, metadata_of
from poselib.errors import InputError
from poselib.geometry import Camera, world_to_camera
from poselib.skeleton import COCO_17, H36M_17, HUMANEVA_15, convert

FPS, SIZE = 60.0, (640, 480)
POSITIONS_FILE = "data_3d_humaneva15.npz"
DETECTIONS = {
    "gt": ("data_2d_humaneva15_gt.npz", HUMANEVA_15),
    "mask_rcnn": ("data_2d_humaneva15_detectron_pt_coco.npz", COCO_17),
}
SPLITS = {"Train": "train", "Validate": "test"}
_FACE = {"left_eye": "nose", "right_eye": "nose", "left_ear": "head", "right_ear": "head"}
STANDIN_LENS = {"focal": (480.0, 482.0), "centre": (322.0, 238.0), "radial": (-0.2, 0.12, 0.01)}
STANDIN_LENS["tangential"] = (0.0008, -0.0012)


@cache
def _table() -> Mapping[str, Mapping]:
    return json.loads((Path(__file__).parent / "humaneva.json").read_text())


def frames() -> Mapping[str, Mapping[str, int]]:
    """'Train/S1' -> 'Walking 1' -> frames between its ends; the chunks hold those with motion capture."""
    return _table()["frames"]


def cameras(subject: str) -> list[Camera]:
    """The three cameras of a subject at their places, without their lenses."""
    return [
        placed(camera["id"], SIZE, camera["orientation"], [length / 1000 for length in camera["position_mm"]])
        for camera in _table()["cameras"][subject]
    ]


def read_humaneva(folder: str | Path, detectors: Iterable[str] = ("gt", "mask_rcnn")) -> Iterator[Sequence]:
    """Every video: part by part, subject by subject, camera by camera, chunk by chunk.

    Args:
        folder: holds the files named at the top of this module.
        detectors: which 2D files to read, 'gt' among them; joints of COCO are made into the 15 by their names.

    Raises:
        InputError: a missing or damaged file, an unknown subject or recording, a wrong joint count, unit or camera
            count, unequal lengths, NaN, 3D that does not project onto its 2D.
    """
    folder = Path(folder)
    path = folder / POSITIONS_FILE
    files = {name: PointFile(folder / DETECTIONS[name][0], len(DETECTIONS[name][1]), 3) for name in detectors}
    positions = mapping(read_npz(path, "positions_3d")["positions_3d"], f"{path}, positions_3d")
    for person, recordings in positions.items():
        if person not in frames():
            raise InputError(f"{path}: unknown subject {person!r}; known: {', '.join(frames())}")
        worlds = _worlds(f"{path}, {person}", frames()[person], mapping(recordings, f"{path}, {person}"))
        part, subject = person.split("/")
        for i, camera in enumerate(cameras(subject)):
            poses = [world_to_camera(world, camera) for world in worlds.values()]
            exact = [files["gt"].view(person, action, i, len(world), SIZE) for action, world in worlds.items()]
            camera = fit_lens(camera, np.concatenate(poses), np.concatenate(exact), f"{path}, {person}, {camera.id}")
            for action, poses_3d in zip(worlds, poses, strict=True):
                poses_2d = {
                    name: convert(file.view(person, action, i, len(poses_3d), SIZE), DETECTIONS[name][1], HUMANEVA_15)
                    for name, file in files.items()
                }
                yield Sequence(subject, action, camera, HUMANEVA_15, FPS, poses_3d, poses_2d, SPLITS[part])


def _worlds(label: str, lengths: Mapping[str, int], recordings: Mapping) -> dict[str, np.ndarray]:
    """Chunk -> (F, 15, 3) metres, world, of one part of a subject; never longer than the recordings are."""
    if not recordings:
        raise InputError(f"{label}: no recording; convert the data set again")
    worlds, left = {}, dict(lengths)
    for action in sorted(recordings):
        worlds[action] = check_array(recordings[action], f"{label} {action}", len(HUMANEVA_15), 3)
        check_metres(worlds[action], f"{label} {action}")
        recording = action.rsplit(" ", 1)[0]
        if recording not in left:
            raise InputError(f"{label}: unknown recording {action!r}; name it as a chunk of {', '.join(lengths)}")
        left[recording] -= len(worlds[action])
        if left[recording] < 0:
            raise InputError(f"{label} {recording}: chunks of more than {lengths[recording]} frames; convert it again")
    return worlds


def write_humaneva(motions: Iterable[Motion], folder: Path, detect: Detector) -> None:
    """Write the three files from motions that hold both joint sets, filmed at the cameras' places by a made-up lens.

    Args:
        motions: 17-joint motions of Human3.6M's set, world frame, metres; subject 'Train/S1', action 'Box 1 chunk0'.
        folder: created if absent; each file appears whole or not at all.
        detect: the simulated detector, for joints of COCO in an image 640 pixels wide.
    """
    positions, exact, detected = {}, {}, {}
    for number, motion in enumerate(motions):
        rig = [replace(camera, **STANDIN_LENS) for camera in cameras(motion.subject.split("/")[1])]
        body = replace(motion, skeleton=HUMANEVA_15, positions=convert(motion.positions, H36M_17, HUMANEVA_15))
        coco = replace(motion, skeleton=COCO_17, positions=convert(motion.positions, H36M_17, COCO_17, _FACE))
        views = [film(body, camera).poses_2d["gt"] for camera in rig]
        found = [film(coco, camera, detect, 3 * number + i).poses_2d["cpn"] for i, camera in enumerate(rig)]
        for content, value in ((positions, body.positions), (exact, views), (detected, found)):
            content.setdefault(motion.subject, {})[motion.action] = value
    folder.mkdir(parents=True, exist_ok=True)
    write_objects(folder / POSITIONS_FILE, positions_3d=positions)
    for (file, skeleton), content in zip(DETECTIONS.values(), (exact, detected), strict=True):
        write_objects(folder / file, positions_2d=content, metadata=metadata_of(skeleton))
