"""HumanEva-I's three files as VideoPose3D's scripts write them."""

import numpy as np

from poselib.data.humaneva import DETECTIONS, POSITIONS_FILE, cameras
from poselib.geometry import project, world_to_camera
from poselib.skeleton import COCO_17, HUMANEVA_15

GT, COCO = (file for file, _ in DETECTIONS.values())
LENS = np.array([480.0, 482.0, 322.0, 238.0, -0.2, 0.12, 0.01, 0.0008, -0.0012])
RECORDINGS = {"Validate/S1": ("Walking 1 chunk0", "Jog 1 chunk2"), "Train/S2": ("Walking 1 chunk0", "Box 1 chunk0")}


def as_object(value):
    return np.array(value, dtype=object)


def world_of(number, joints=15):
    random = np.random.default_rng(number)
    shape = random.uniform((-0.3, -0.3, 0.1), (0.3, 0.3, 1.7), (1, joints, 3))
    return (shape + 0.02 * random.normal(size=(7, joints, 3)).cumsum(axis=0)).astype(np.float32)


def coco_of(number):
    """17 joints that fit the 15: hips around the pelvis, shoulders around the thorax, ears around the head."""
    world, index = world_of(number), HUMANEVA_15.index
    poses = np.stack([world[:, index.get(joint, index["head"])] for joint in COCO_17.names], axis=1)
    for side, sign in (("left", 1), ("right", -1)):
        for joint, middle in (("hip", "pelvis"), ("shoulder", "thorax"), ("ear", "head")):
            poses[:, COCO_17.index[f"{side}_{joint}"]] = world[:, index[middle]] + sign * np.float32([0.1, 0.05, 0.02])
    return poses


def views(world, subject, surplus=0):
    shots = [project(world_to_camera(world, camera).astype(float), LENS) for camera in cameras(subject)]
    return [np.concatenate([shot, shot[:surplus]]).astype(np.float32) for shot in shots]


def write(folder, recordings=RECORDINGS):
    """The three files as VideoPose3D's scripts write them; detections last longer and know more subjects."""
    numbered = [(person, action) for person, actions in recordings.items() for action in actions]
    positions, exact, detected = {}, {}, {"Unlabeled/S4": {"Walking 1 chunk0": views(coco_of(0), "S1")}}
    for number, (person, action) in enumerate(numbered):
        subject = person.split("/")[1]
        positions.setdefault(person, {})[action] = world_of(number)
        exact.setdefault(person, {})[action] = views(world_of(number), subject)
        detected.setdefault(person, {})[action] = views(coco_of(number), subject, surplus=2)
    left, right = [2, 3, 4, 8, 9, 10], [5, 6, 7, 11, 12, 13]
    np.savez_compressed(folder / POSITIONS_FILE, positions_3d=as_object(positions))
    metadata = {"layout_name": "humaneva15", "num_joints": 15, "keypoints_symmetry": [left, right]}
    np.savez_compressed(folder / GT, positions_2d=as_object(exact), metadata=as_object(metadata))
    metadata = {"layout_name": "coco", "num_joints": 17, "keypoints_symmetry": [[1, 3], [2, 4]]}
    np.savez_compressed(folder / COCO, positions_2d=as_object(detected), metadata=as_object(metadata))
