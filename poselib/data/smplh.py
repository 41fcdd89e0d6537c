"""Joints of the SMPL-H body model with soft tissue (DMPL), by linear blend skinning, without forming its vertices.

Vertices are a weighted sum of rigidly moved shape vectors and joints a weighted sum of vertices, so both sums can
change places: each joint of the regressor is given a shape vector of its own per bone. The result is the same.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from poselib.data.npz import read_npz
from poselib.errors import InputError

BONES, BETAS, DMPLS = 52, 16, 8
POSED = 9 * (BONES - 1)
FRAMES_AT_A_TIME = 512


@dataclass(frozen=True)
class BodyModel:
    """One gender's body and a regressor of H joints.

    Last axes are the constant, the shape parameters, the soft tissue parameters and, in `bodies` alone, the pose
    correctives. `centres` (52, 3, 25) are the bones' joints at rest; `bodies` (H, 52, 3, 484) what moves with each
    bone of each regressed joint, `weights` (H, 52) its share; metres.
    """

    parents: tuple[int, ...]
    centres: np.ndarray
    bodies: np.ndarray
    weights: np.ndarray

    def joints(self, betas: np.ndarray, poses: np.ndarray, dmpls: np.ndarray, trans: np.ndarray) -> np.ndarray:
        """Regressed joints (F, H, 3) in metres, world frame.

        Args:
            betas: (16,) shape, the same in all frames.
            poses: (F, 156) axis-angle vectors in radians, the root first.
            dmpls: (F, 8) soft tissue.
            trans: (F, 3) metres.
        """
        parts = range(0, len(poses), FRAMES_AT_A_TIME)
        chunks = [slice(start, start + FRAMES_AT_A_TIME) for start in parts]
        return np.concatenate([self._joints(betas, poses[some], dmpls[some], trans[some]) for some in chunks])

    def _joints(self, betas: np.ndarray, poses: np.ndarray, dmpls: np.ndarray, trans: np.ndarray) -> np.ndarray:
        frames = len(poses)
        local = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix().reshape(frames, BONES, 3, 3)
        shape = np.concatenate((np.ones((frames, 1)), np.tile(betas, (frames, 1)), dmpls), axis=1)
        correctives = (local[:, 1:] - np.eye(3)).reshape(frames, POSED)
        centres = np.tensordot(shape, self.centres, (1, 2))
        bodies = np.tensordot(np.concatenate((shape, correctives), axis=1), self.bodies, (1, 3))
        turned, moved = np.empty_like(local), np.empty_like(centres)
        turned[:, 0], moved[:, 0] = local[:, 0], centres[:, 0] + trans
        for bone, parent in enumerate(self.parents[1:], 1):
            turned[:, bone] = turned[:, parent] @ local[:, bone]
            offset = centres[:, bone] - centres[:, parent]
            moved[:, bone] = moved[:, parent] + np.einsum("fij,fj->fi", turned[:, parent], offset)
        bodies -= self.weights[..., None] * centres[:, None]
        return np.einsum("fkij,fhkj->fhi", turned, bodies) + np.einsum("hk,fki->fhi", self.weights, moved)


def read_body_model(folder: Path, gender: str, regressor: np.ndarray) -> BodyModel:
    """The body of one gender, seen through a joint regressor (H, V).

    Args:
        folder: holds smplh/<gender>/model.npz and dmpls/<gender>/model.npz.

    Raises:
        InputError: a file is missing or damaged, or an array has another shape than SMPL-H with 16 shape parameters, or
            NaN.
    """
    path, soft_path = (folder / kind / gender / "model.npz" for kind in ("smplh", "dmpls"))
    keys = ("v_template", "shapedirs", "posedirs", "weights", "kintree_table", "J_regressor")
    model, soft = read_npz(path, *keys), read_npz(soft_path, "eigvec")
    vertices = regressor.shape[1]
    expected = {
        "v_template": (vertices, 3),
        "shapedirs": (vertices, 3, BETAS),
        "posedirs": (vertices, 3, POSED),
        "weights": (vertices, BONES),
        "kintree_table": (2, BONES),
        "J_regressor": (BONES, vertices),
        "eigvec": (vertices, 3, DMPLS),
    }
    for key, shape in expected.items():
        array, place = (soft[key], soft_path) if key == "eigvec" else (model[key], path)
        # Shape spaces may hold more directions than AMASS uses.
        cut = array[..., : shape[-1]] if isinstance(array, np.ndarray) and array.dtype.kind in "fiu" else None
        if cut is None or cut.shape != shape or not np.isfinite(cut).all():
            found = getattr(array, "shape", type(array).__name__)
            raise InputError(
                f"{place}, {key}: {found}, expected finite numbers {shape}; use the SMPL-H model that AMASS names"
            )
    parents = (-1, *map(int, model["kintree_table"][0, 1:]))
    if any(not 0 <= parent < bone for bone, parent in enumerate(parents[1:], 1)):
        raise InputError(
            f"{path}, kintree_table: a bone comes before its parent; use the SMPL-H model that AMASS names"
        )
    vectors = (model["v_template"][..., None], model["shapedirs"][..., :BETAS], soft["eigvec"][..., :DMPLS])
    shape = np.concatenate(vectors, axis=-1)
    bodies = np.concatenate((shape, model["posedirs"]), axis=-1)
    shares = regressor[:, None] * model["weights"].T.astype(float)
    return BodyModel(
        parents, np.tensordot(model["J_regressor"], shape, 1), np.tensordot(shares, bodies, 1), shares.sum(axis=-1)
    )
