import numpy as np
import pytest
import torch

from poselib.layers.graph import RULES, GraphConvolution, normalised, tree_groups
from poselib.skeleton import H36M_16, H36M_17

OWN, CLOSER, FARTHER = range(3)
GROUPS = tree_groups(H36M_17.parents)


def reads(groups, kind):
    return [np.flatnonzero(row).tolist() for row in groups[kind]]


def test_neighbours_by_group_of_17_joints():
    assert reads(GROUPS, OWN) == [[i] for i in range(17)]
    assert reads(GROUPS, CLOSER) == [
        [],
        [0],
        [1],
        [2],
        [0],
        [4],
        [5],
        [0],
        [7],
        [8],
        [9],
        [8],
        [11],
        [12],
        [8],
        [14],
        [15],
    ]
    farther = [[1, 4, 7], [2], [3], [], [5], [6], [], [8], [9, 11, 14], [10], [], [12], [13], [], [15], [16], []]
    assert reads(GROUPS, FARTHER) == farther


def test_neighbours_by_group_of_16_joints():
    assert H36M_16.parents == (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 8, 10, 11, 8, 13, 14)
    groups = tree_groups(H36M_16.parents)
    assert reads(groups, CLOSER) == [[parent] if parent >= 0 else [] for parent in H36M_16.parents]
    assert reads(groups, FARTHER)[8] == [9, 10, 13]
    assert groups.sum() == 16 + 15 + 15


def test_symmetric_rule_has_the_published_entries():
    weights = normalised(GROUPS, "symmetric")
    hip, thorax, nose, head = 0, 8, 9, 10
    assert weights[OWN].diagonal()[[hip, thorax, 1, 2, 7, 9, 3, 10, 16]] == pytest.approx(
        [0.25, 0.2, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 0.5, 0.5, 0.5]
    )
    pairs = {(hip, 1): 0.288675, (hip, 7): 0.288675, (1, 2): 1 / 3, (2, 3): 0.408248, (7, thorax): 0.258199}
    pairs |= {(thorax, 11): 0.258199, (thorax, nose): 0.258199, (nose, head): 0.408248}
    for (parent, child), value in pairs.items():
        assert weights[CLOSER, child, parent] == pytest.approx(value, abs=1e-6)
    assert np.array_equal(weights[FARTHER], weights[CLOSER].T)
    sums = weights.sum(axis=2)[:, [0, 3, 8]]
    expected = [[0.25, 0.5, 0.2], [0, 0.4082, 0.2582], [0.8660, 0, 0.7746]]
    assert sums == pytest.approx(np.array(expected), abs=5e-5)
    assert [np.count_nonzero(group) for group in weights] == [17, 16, 16]


def test_symmetric_rule_is_that_of_the_undivided_graph():
    whole = GROUPS.sum(axis=0)
    root = np.diag(whole.sum(axis=1) ** -0.5)
    assert normalised(GROUPS, "symmetric").sum(axis=0) == pytest.approx(root @ whole @ root)


def test_literal_rule_loses_the_edges_of_the_hip_and_of_the_leaves():
    weights = normalised(GROUPS, "literal")
    kept = [weights[kind] > 0 for kind in (CLOSER, FARTHER)]
    lost = [sorted(map(tuple, np.argwhere((GROUPS[kind] > 0) & ~keep))) for kind, keep in enumerate(kept, CLOSER)]
    assert [keep.sum() for keep in kept] == [13, 11]
    assert lost[0] == [(1, 0), (4, 0), (7, 0)]
    assert lost[1] == [(2, 3), (5, 6), (9, 10), (12, 13), (15, 16)]
    assert weights[FARTHER, 8, 11] == pytest.approx(3**-0.5) and np.array_equal(weights[OWN], np.eye(17))


def test_row_mean_rule_sums_to_one_or_nothing():
    sums = normalised(GROUPS, "row_mean").sum(axis=2)
    assert np.all(sums[OWN] == 1)
    assert np.flatnonzero(sums[CLOSER] == 0).tolist() == [0] and set(sums[CLOSER]) == {0, 1}
    assert np.flatnonzero(sums[FARTHER] == 0).tolist() == [3, 6, 10, 13, 16]
    assert sums[FARTHER][[0, 8]] == pytest.approx([1, 1])


@pytest.mark.parametrize("rule", RULES)
def test_convolution_is_the_sum_over_groups(rule):
    adjacency = normalised(GROUPS, rule)
    layer = GraphConvolution(adjacency, 5, 7).double()
    tokens, bias = torch.randn(3, 17, 5).double(), torch.randn(7).double()
    layer.theta.bias.data = bias
    thetas = [theta.T for theta in layer.theta.weight.split(5, dim=1)]
    expected = sum(torch.tensor(a) @ tokens @ theta for a, theta in zip(adjacency, thetas, strict=True)) + bias
    assert torch.allclose(layer(tokens), expected, atol=1e-6)


def test_messages_go_to_the_joint_that_reads():
    layer = GraphConvolution(normalised(GROUPS, "row_mean"), 1, 1)
    layer.theta.weight.data = torch.tensor([[1.0, 10.0, 100.0]])
    knee = torch.zeros(1, 17, 1)
    knee[0, 2] = 1
    arrived = layer(knee)[0, :, 0]
    assert {i: arrived[i].item() for i in range(17) if arrived[i]} == {1: 100.0, 2: 1.0, 3: 10.0}


def test_each_theta_starts_as_a_square_matrix_of_its_own():
    layer = GraphConvolution(GROUPS, 64, 64)
    bound = (6 / 128) ** 0.5
    for theta in layer.theta.weight.split(64, dim=1):
        assert 0.98 * bound < theta.abs().max() <= bound
    assert not layer.theta.bias.any()
    assert set(layer.state_dict()) == {"theta.weight", "theta.bias"}
