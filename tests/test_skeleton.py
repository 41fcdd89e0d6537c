import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poselib.errors import InputError
from poselib.skeleton import H36M_16, H36M_17, H36M_32, HUMANEVA_15, MPI_INF_3DHP_17, SKELETONS, convert
from poselib.skeleton_cmu import CMU_ASF, CMU_BVH, CMU_DAZ_BVH

ALL = (*SKELETONS.values(), CMU_ASF, CMU_BVH, CMU_DAZ_BVH)


def sides(skeleton, side):
    return [i for i, joint in enumerate(skeleton.names) if skeleton.side(joint) == side]


def test_published_orders_parents_and_symmetry_lists():
    assert H36M_17.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
    assert sides(H36M_17, "left") == [4, 5, 6, 11, 12, 13]
    assert sides(H36M_17, "right") == [1, 2, 3, 14, 15, 16]
    assert HUMANEVA_15.parents == (-1, 0, 1, 2, 3, 1, 5, 6, 0, 8, 9, 0, 11, 12, 1)
    assert sides(HUMANEVA_15, "left") == [2, 3, 4, 8, 9, 10]
    assert sides(HUMANEVA_15, "right") == [5, 6, 7, 11, 12, 13]
    assert MPI_INF_3DHP_17.parents == (16, 15, 1, 2, 3, 1, 5, 6, 14, 8, 9, 14, 11, 12, -1, 14, 1)
    assert sides(MPI_INF_3DHP_17, "left") == [5, 6, 7, 11, 12, 13]
    assert MPI_INF_3DHP_17.root == 14


def test_32_joints_reduce_to_the_published_17():
    assert H36M_32.parents == (
        *(-1, 0, 1, 2, 3, 4, 0, 6, 7, 8, 9, 0, 11, 12, 13, 14, 12, 16, 17, 18, 19, 20, 19, 22),
        *(12, 24, 25, 26, 27, 28, 27, 30),
    )
    kept = [H36M_32.index[joint] for joint in H36M_17.names]
    assert kept == [0, 1, 2, 3, 6, 7, 8, 12, 13, 14, 15, 17, 18, 19, 25, 26, 27]
    assert sides(H36M_32, "left") == [*range(6, 11), *range(16, 24)]
    poses = np.arange(2 * 32 * 3, dtype=float).reshape(2, 32, 3)
    assert np.array_equal(convert(poses, H36M_32, H36M_17), poses[:, kept])


def test_16_joints_are_the_17_without_the_nose():
    assert [joint for joint in H36M_17.names if joint not in H36M_16.index] == ["nose"]
    assert H36M_16.names[H36M_16.parents[H36M_16.index["head"]]] == "thorax"


@pytest.mark.parametrize("skeleton", ALL, ids=lambda s: s.name)
def test_flip_is_its_own_inverse_and_keeps_the_tree(skeleton):
    flip = skeleton.flip
    assert [flip[flip[i]] for i in range(len(skeleton))] == list(range(len(skeleton)))
    assert len(sides(skeleton, "left")) == len(sides(skeleton, "right")) > 0
    for child, parent in skeleton.bones:
        assert skeleton.parents[flip[child]] == flip[parent], skeleton.names[child]


@pytest.mark.parametrize("source", ALL, ids=lambda s: s.name)
def test_conversion_goes_by_name_and_never_swaps_sides(source):
    target = source if source in (HUMANEVA_15, H36M_16) else H36M_17
    x = np.array([{"left": 1.0, "right": -1.0, "centre": 0.0}[source.side(joint)] for joint in source.names])
    converted = convert(x[None, :, None], source, target)[0, :, 0]
    for joint, value in zip(target.names, converted, strict=True):
        assert value == {"left": 1.0, "right": -1.0, "centre": 0.0}[target.side(joint)], joint


@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=51, max_size=51))
def test_conversion_to_itself_changes_nothing(values):
    poses = np.array(values).reshape(1, 17, 3)
    assert np.array_equal(convert(poses, H36M_17, H36M_17), poses)


def test_wrong_joint_count_and_missing_joints_are_named():
    with pytest.raises(InputError, match="has 17 joints, the poses have 16"):
        convert(np.zeros((1, 16, 3)), H36M_17, H36M_16)
    with pytest.raises(InputError, match="'spine'"):
        convert(np.zeros((1, 15, 3)), HUMANEVA_15, H36M_17)


def test_depth_counts_bones_to_the_root():
    depth = dict(zip(H36M_17.names, H36M_17.depth, strict=True))
    assert (depth["pelvis"], depth["right_ankle"], depth["left_wrist"], depth["head"]) == (0, 3, 5, 4)


@pytest.mark.parametrize("skeleton", ALL, ids=lambda skeleton: skeleton.name)
def test_every_joint_hangs_on_the_root(skeleton):
    reached = {skeleton.root}
    for _ in range(len(skeleton)):
        reached |= {child for child, parent in skeleton.bones if parent in reached}
    lost = [name for joint, name in enumerate(skeleton.names) if joint not in reached]
    assert not lost, f"no way from the root to {lost}"
