"""The body model against linear blend skinning written out vertex by vertex, on a small body drawn at random."""

import numpy as np
from numpy.testing import assert_allclose
from samples.amass import parts, write_body
from scipy.spatial.transform import Rotation

from poselib.data.smplh import BONES, FRAMES_AT_A_TIME, read_body_model


def skinned(model, soft, betas, pose, dmpl, trans):
    """Vertices (V, 3) of one frame: shape, pose correctives, then the blend of rigid motions of the bones."""
    rest = model["v_template"] + model["shapedirs"][..., :16] @ betas + soft["eigvec"][..., :8] @ dmpl
    centres = model["J_regressor"] @ rest
    turns = Rotation.from_rotvec(pose.reshape(BONES, 3)).as_matrix()
    shaped = rest + model["posedirs"] @ (turns[1:] - np.eye(3)).ravel()
    world = []
    for bone, turn in enumerate(turns):
        local = np.eye(4)
        parent = int(model["kintree_table"][0, bone]) if bone else None
        local[:3, :3], local[:3, 3] = turn, centres[bone] - (centres[parent] if bone else 0)
        world.append(world[parent] @ local if bone else local)
    vertices = np.zeros_like(rest)
    for bone, motion in enumerate(world):
        moved = (shaped - centres[bone]) @ motion[:3, :3].T + motion[:3, 3]
        vertices += model["weights"][:, bone, None] * moved
    return vertices + trans


def test_joints_are_the_regressor_times_the_skinned_vertices(tmp_path):
    model, soft, regressor = parts()
    write_body(tmp_path, model, soft)
    body = read_body_model(tmp_path, "female", regressor)
    random, frames = np.random.default_rng(1), 3
    sizes = {"poses": 156, "dmpls": 8, "trans": 3}
    moving, betas = {key: random.normal(size=(frames, width)) for key, width in sizes.items()}, random.normal(size=16)
    found = body.joints(betas, **moving)
    for frame in range(frames):
        vertices = skinned(model, soft, betas, *(moving[key][frame] for key in ("poses", "dmpls", "trans")))
        assert_allclose(found[frame], regressor @ vertices, atol=1e-12)


def test_long_sequences_are_worked_through_in_parts(tmp_path):
    model, soft, regressor = parts()
    write_body(tmp_path, model, soft)
    body = read_body_model(tmp_path, "female", regressor)
    poses = np.random.default_rng(2).normal(size=(FRAMES_AT_A_TIME + 5, 156))
    rest = np.zeros((len(poses), 8)), np.zeros((len(poses), 3))
    whole = body.joints(np.zeros(16), poses, *rest)
    tail = body.joints(np.zeros(16), poses[-5:], *(part[-5:] for part in rest))
    assert whole.shape == (FRAMES_AT_A_TIME + 5, 17, 3)
    assert_allclose(whole[-5:], tail, atol=1e-12)
