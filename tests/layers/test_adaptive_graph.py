import torch

from poselib.layers.adaptive_graph import AdaptiveGraphConvolution, tree_edges
from poselib.skeleton import H36M_17, HUMANEVA_15, MPI_INF_3DHP_17


def test_edges_of_a_small_tree():
    #     0
    #    / \
    #   1   2
    #   |
    #   3
    same, inward, outward = tree_edges((-1, 0, 0, 1))
    assert torch.equal(same, torch.eye(4))
    assert inward.nonzero().tolist() == [[0, 1], [0, 2], [1, 3]]  # source, target
    assert inward.max() == 1
    assert {tuple(place): outward[tuple(place)].item() for place in outward.nonzero().tolist()} == {
        (1, 0): 0.5,
        (2, 0): 0.5,
        (3, 1): 1,
    }


def test_edges_of_human36m_as_the_released_graph():
    parents = (-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15)
    assert H36M_17.parents == parents
    _, inward, outward = tree_edges(parents)
    assert inward.sum(0).tolist() == [0] + [1] * 16
    leaves = {3, 6, 10, 13, 16}
    assert torch.allclose(outward.sum(0), torch.tensor([float(joint not in leaves) for joint in range(17)]))
    assert outward[[1, 4, 7], 0].tolist() == outward[[9, 11, 14], 8].tolist()


def test_edges_of_other_skeletons_join_every_joint_once():
    for skeleton in (HUMANEVA_15, MPI_INF_3DHP_17):
        _, inward, _ = tree_edges(skeleton.parents)
        assert inward.sum() == len(skeleton) - 1
        assert inward[:, skeleton.root].sum() == 0


def unit(**config):
    torch.manual_seed(0)
    settings = {"dropout": 0.0, "adaptive": True, **config}
    layer = AdaptiveGraphConvolution(tree_edges((-1, 0, 0, 1)), 6, 8, **settings).double().eval()
    for parameter in layer.parameters():
        torch.nn.init.normal_(parameter)
    return layer


def test_equals_the_formula_written_out():
    layer, features = unit(), torch.randn(2, 6, 5, 4).double()
    theta, phi = layer.embedding.weight[:, :, 0, 0].reshape(2, 3, 2, 6)
    theta_bias, phi_bias = layer.embedding.bias.reshape(2, 3, 2)
    summed = 0
    for k in range(3):
        sources = torch.einsum("ec,bctv->betv", theta[k], features) + theta_bias[k][:, None, None]
        targets = torch.einsum("ec,bctv->betv", phi[k], features) + phi_bias[k][:, None, None]
        similarity = torch.einsum("betv,betw->bvw", sources, targets) / (2 * 5)
        graph = similarity.softmax(dim=1) + layer.edges[k] + layer.learned[k]
        mixed = torch.einsum("bctv,bvw->bctw", features, graph)
        weight = layer.convolution.weight[:, 6 * k : 6 * k + 6, 0, 0]
        summed = summed + torch.einsum("oc,bctw->botw", weight, mixed)
        summed = summed + layer.biases[8 * k : 8 * k + 8][:, None, None]
    expected = torch.relu(layer.norm(summed) + layer.shortcut(features))
    assert torch.allclose(layer(features), expected, atol=1e-12)


def test_without_adaptation_edges_are_weighted_and_none_is_added():
    layer, features = unit(adaptive=False), torch.randn(1, 6, 5, 4).double()
    torch.nn.init.zeros_(layer.learned[0])
    changed = features.clone()
    changed[..., 3] += 1
    layer.shortcut = torch.nn.Sequential(layer.shortcut, torch.nn.Threshold(torch.inf, 0))
    moved = (layer(features) - layer(changed)).abs().amax(dim=(0, 1, 2))
    assert (moved > 0).tolist() == [False, True, False, False]  # its parent only


def test_dropout_leaves_its_input_alone():
    layer, features = unit(dropout=0.5).train(), torch.randn(2, 6, 5, 4).double()
    kept = features.clone()
    layer(features).sum().backward()
    assert torch.equal(features, kept)
    assert all(parameter.grad is not None for parameter in layer.parameters())
