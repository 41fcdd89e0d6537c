import torch

from poselib.layers.mlp import MLP, DropPath


def test_drop_path_drops_whole_elements_and_rescales_the_rest():
    torch.manual_seed(0)
    layer = DropPath(0.25).train()
    output = layer(torch.ones(4000, 3, 2))
    rows = output.reshape(4000, -1)
    assert torch.equal(rows.min(dim=1).values, rows.max(dim=1).values)
    assert set(rows.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert abs((rows[:, 0] == 0).float().mean() - 0.25) < 0.03


def test_drop_path_leaves_the_random_state_alone_in_evaluation():
    state = torch.get_rng_state()
    inputs = torch.ones(3, 2)
    assert DropPath(0.5).eval()(inputs) is inputs
    assert DropPath(0.0).train()(inputs) is inputs
    assert torch.equal(state, torch.get_rng_state())


def test_mlp_is_linear_gelu_linear():
    layer = MLP(3, 5).double()
    inputs = torch.randn(2, 3).double()
    hidden = inputs @ layer.fc1.weight.T + layer.fc1.bias
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / 2**0.5))
    assert torch.allclose(layer(inputs), hidden @ layer.fc2.weight.T + layer.fc2.bias)
