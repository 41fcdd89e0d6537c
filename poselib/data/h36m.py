"""Human3.6M in the files that VideoPose3D's scripts write: read them, and write them for a stand-in.

data_3d_h36m.npz                    positions_3d: subject -> recording -> (F, 32, 3) metres, world
data_2d_h36m_gt.npz                 positions_2d: subject -> recording -> [4 x (F, 17, 2)] pixels; metadata
data_2d_h36m_cpn_ft_h36m_dbb.npz    the same for the fine-tuned CPN's detections
data_2d_h36m_hrnet.npz              the same for an HRNet, if there is such a file; nobody released one
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from poselib.data.camera_table import cameras
from poselib.data.checks import check_array, check_metres
from poselib.data.filming import Detector, film
from poselib.data.npz import read_npz, write_objects
from poselib.data.sequences import Motion, Sequence
from poselib.data.videopose3d import PointFile, mapping, metadata_of
from poselib.errors import InputError
from poselib.geometry import world_to_camera
from poselib.skeleton import H36M_17, H36M_32, convert

FPS = 50.0
POSITIONS_FILE = "data_3d_h36m.npz"
DETECTION_FILES = {
    "gt": "data_2d_h36m_gt.npz",
    "cpn": "data_2d_h36m_cpn_ft_h36m_dbb.npz",
    "hrnet": "data_2d_h36m_hrnet.npz",
}

# Joints of the 32 that no 17-joint protocol uses stand where these do; a stand-in has nothing better to say.
_FILLED_FROM = {
    "foot": "ankle",
    "toes": "ankle",
    "collar": "thorax",
    "palm": "wrist",
    "thumb": "wrist",
    "hand": "wrist",
    "fingers": "wrist",
}


def write_h36m(motions: Iterable[Motion], folder: Path, detect: Detector) -> None:
    """Write the three files of the data set from motions of its subjects, filmed by its cameras.

    Args:
        motions: 17-joint motions, world frame, metres; subjects must be the data set's.
        folder: created if absent; each file appears whole or not at all.
        detect: the simulated detector, see `filming.film`.
    """
    positions, exact, detected = {}, {}, {}
    for number, motion in enumerate(motions):
        views = [film(motion, camera, detect, 4 * number + i) for i, camera in enumerate(cameras()[motion.subject])]
        positions.setdefault(motion.subject, {})[motion.action] = _to_32(motion.positions)
        exact.setdefault(motion.subject, {})[motion.action] = [view.poses_2d["gt"] for view in views]
        detected.setdefault(motion.subject, {})[motion.action] = [view.poses_2d["cpn"] for view in views]
    metadata = metadata_of(H36M_17)
    folder.mkdir(parents=True, exist_ok=True)
    write_objects(folder / POSITIONS_FILE, positions_3d=positions)
    write_objects(folder / DETECTION_FILES["gt"], positions_2d=exact, metadata=metadata)
    write_objects(folder / DETECTION_FILES["cpn"], positions_2d=detected, metadata={**metadata, "layout_name": "h36m"})


def _to_32(positions: np.ndarray) -> np.ndarray:
    def source(joint: str) -> int:
        if joint in H36M_17.index:
            return H36M_17.index[joint]
        if joint == "lower_spine":
            return H36M_17.index["pelvis"]
        side, part = joint.split("_")
        kept = _FILLED_FROM[part]
        return H36M_17.index[kept if kept == "thorax" else f"{side}_{kept}"]

    return positions[:, [source(joint) for joint in H36M_32.names]]


def read_h36m(folder: str | Path, detectors: Iterable[str] | None = None) -> Iterator[Sequence]:
    """Every video of the data set: subject by subject, recording by recording, camera by camera.

    Args:
        folder: holds the files named at the top of this module.
        detectors: which 2D files to read; 'gt', 'cpn' and, where its file is, 'hrnet' if None.

    Raises:
        InputError: a missing or damaged file, a wrong joint count, unit or camera count, unequal lengths, NaN.
    """
    folder = Path(folder)
    if detectors is None:
        detectors = ("gt", "cpn", *(["hrnet"] if (folder / DETECTION_FILES["hrnet"]).is_file() else []))
    path = folder / POSITIONS_FILE
    positions = mapping(read_npz(path, "positions_3d")["positions_3d"], f"{path}, positions_3d")
    points = {name: PointFile(folder / DETECTION_FILES[name], len(H36M_17), 4) for name in detectors}
    for subject, recordings in positions.items():
        if subject not in cameras():
            raise InputError(f"{path}: no camera is known for subject {subject!r}; known: {', '.join(cameras())}")
        for action in sorted(mapping(recordings, f"{path}, {subject}")):
            label = f"{path}, {subject} {action}"
            world = check_array(recordings[action], label, len(H36M_32), 3)
            check_metres(world, label)
            world = convert(world, H36M_32, H36M_17)
            for i, camera in enumerate(cameras()[subject]):
                poses_2d = {
                    name: file.view(subject, action, i, len(world), camera.size) for name, file in points.items()
                }
                poses_3d = world_to_camera(world, camera)
                yield Sequence(subject, action, camera, H36M_17, FPS, poses_3d, poses_2d)
