"""The CMU joint sets: shape of the trees, sides, and conversion to Human3.6M by name."""

import numpy as np
import pytest

from poselib.skeleton import H36M_17, convert
from poselib.skeleton_cmu import CMU_ASF, CMU_BVH, CMU_DAZ_BVH

SETS = (CMU_ASF, CMU_BVH, CMU_DAZ_BVH)
by_name = pytest.mark.parametrize("skeleton", SETS, ids=lambda skeleton: skeleton.name)


def test_asf_has_the_31_joints_of_the_database():
    assert len(CMU_ASF) == 31


@by_name
def test_parents_come_before_their_children(skeleton):
    assert all(parent < child for child, parent in enumerate(skeleton.parents))
    assert skeleton.parents.count(-1) == 1


@by_name
def test_every_h36m_joint_can_be_made(skeleton):
    poses = np.random.default_rng(0).normal(size=(4, len(skeleton), 3))
    converted = convert(poses, skeleton, H36M_17)
    assert converted.shape == (4, 17, 3)
    hips = converted[:, [H36M_17.index["left_hip"], H36M_17.index["right_hip"]]]
    np.testing.assert_allclose(converted[:, H36M_17.root], hips.mean(axis=1), atol=1e-12)


@by_name
@pytest.mark.parametrize("joint", [joint for joint in H36M_17.names if joint.startswith("left_")])
def test_a_left_joint_is_made_from_left_joints_and_its_twin_from_their_mirrors(skeleton, joint):
    own = [skeleton.names[i] for i in skeleton.sources(joint)]
    twin = [skeleton.names[i] for i in skeleton.sources(H36M_17.mirror(joint))]
    assert [skeleton.side(name) for name in own] == ["left"]
    assert [skeleton.mirror(name) for name in own] == twin


@by_name
def test_mirroring_then_converting_equals_converting_then_mirroring(skeleton):
    poses = np.random.default_rng(1).normal(size=(2, len(skeleton), 3))
    mirrored = convert(poses[:, list(skeleton.flip)], skeleton, H36M_17)
    np.testing.assert_allclose(mirrored, convert(poses, skeleton, H36M_17)[:, list(H36M_17.flip)], atol=1e-12)


@pytest.mark.parametrize(
    ("skeleton", "joint", "source"),
    [
        (CMU_ASF, "left_wrist", "lwrist"),
        (CMU_BVH, "left_wrist", "LeftFingerBase"),
        (CMU_BVH, "thorax", "Neck"),
        (CMU_BVH, "head", "HeadEnd"),
        (CMU_DAZ_BVH, "right_knee", "rShin"),
        (CMU_DAZ_BVH, "head", "headTop"),
    ],
)
def test_joints_that_are_easily_mistaken(skeleton, joint, source):
    assert [skeleton.names[i] for i in skeleton.sources(joint)] == [source]
