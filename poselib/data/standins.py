"""Stand-ins of MPI-INF-3DHP and HumanEva-I: procedural motion of other people, in the form of the data sets."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from poselib.data.calibration import placed
from poselib.data.filming import film
from poselib.data.humaneva import FPS
from poselib.data.mpi_inf_3dhp import CAMERAS, recordings
from poselib.data.sequences import Motion, Sequence
from poselib.data.synthetic import synthetic_take
from poselib.data.synthetic_actions import PROGRAMMES
from poselib.geometry import Camera
from poselib.skeleton import H36M_17, MPI_INF_3DHP_17, convert

# Nobody of these plays in the stand-in of Human3.6M.
PEOPLE = {"S": 20, "TS": 30, "HumanEva": 40}
HUMANEVA_PROGRAMMES = {"Walking 1": "Walking", "Jog 1": "WalkTogether", "Box 1": "Greeting"}
LONGEST_HALF = 5.0
"""Seconds; no part of a recording of HumanEva-I is shorter."""
_HEAD = {"neck": "thorax", "head_top": "head", "head": "nose"}


def mpi_inf_3dhp_sequences(*, seconds: float, seed: int) -> Iterator[Sequence]:
    """22 recordings of this length as their reader gives them: 16 by the eight training cameras, six of the test.

    Every fourth frame of the test is invalid.
    """
    for number, (name, about) in enumerate(recordings().items()):
        subject, _, take = name.partition(" ")
        person, action = PEOPLE[subject[:-1]] + int(subject[-1]), list(PROGRAMMES)[number % len(PROGRAMMES)]
        time, test = np.arange(round(seconds * about["fps"])) / about["fps"], about["split"] == "test"
        poses = convert(synthetic_take(person, action, 0, time, seed), H36M_17, MPI_INF_3DHP_17, _HEAD)
        motion = Motion(subject, take, MPI_INF_3DHP_17, float(about["fps"]), poses)
        for i, camera in enumerate(CAMERAS[:1] if test else CAMERAS):
            view = film(motion, _facing(camera, tuple(about["size"]), 2 * np.pi * i / len(CAMERAS)))
            yield replace(view, split=about["split"], valid=(np.arange(len(poses)) % 4 != 3) | (not test))


def _facing(id: str, size: tuple[int, int], angle: float) -> Camera:
    """A camera without distortion at chest height, 4.5 m from the middle of the room, which it faces."""
    towards = -np.array([np.cos(angle), np.sin(angle), 0])
    axes = np.stack([np.cross(towards, (0, 0, 1)), (0, 0, -1), towards], axis=-1)
    orientation = Rotation.from_matrix(axes).as_quat(scalar_first=True)
    camera = placed(id, size, orientation.tolist(), [*(-4.5 * towards[:2]).tolist(), 1.2])
    return replace(camera, focal=(0.8 * size[0], 0.8 * size[0]), centre=(size[0] / 2, size[1] / 2))


def humaneva_motions(*, seconds: float, seed: int) -> Iterator[Motion]:
    """Walking, Jog and Box of three people: the first half for the test, of the second two chunks."""
    half = round(FPS * min(seconds, LONGEST_HALF))
    spans = {"Validate/S": (slice(half),), "Train/S": (slice(half, half * 3 // 2), slice(half * 3 // 2 + 2, None))}
    for subject in (1, 2, 3):
        for recording, programme in HUMANEVA_PROGRAMMES.items():
            time = np.arange(2 * half) / FPS
            poses = synthetic_take(PEOPLE["HumanEva"] + subject, programme, 0, time, seed)
            for part, chunks in spans.items():
                for i, span in enumerate(chunks):
                    yield Motion(f"{part}{subject}", f"{recording} chunk{2 * i}", H36M_17, FPS, poses[span])
