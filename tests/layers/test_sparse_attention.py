import pytest
import torch

from poselib.complexity import count, traced_macs
from poselib.layers.attention import SelfAttention
from poselib.layers.sparse_attention import SPARSE, Linformer, LocalAttention, RectifiedAttention, RoutingAttention

KINDS = sorted(SPARSE)


def layer_of(kind, tokens=9):
    torch.manual_seed(0)
    return SPARSE[kind](12, 3, tokens=tokens).double().eval()


def full_with_weights_of(layer):
    full = SelfAttention(12, 3).double()
    full.load_state_dict({name: value for name, value in layer.state_dict().items() if name in full.state_dict()})
    return full


@pytest.mark.parametrize("kind", KINDS)
def test_fast_and_explicit_attention_agree(kind):
    layer, tokens = layer_of(kind), torch.randn(4, 9, 12).double()
    output, weights = layer.with_map(tokens)
    assert torch.allclose(layer(tokens), output, atol=1e-12)
    assert weights.shape == (4, 3, 9, 3 if kind == "linformer" else 9)
    if kind != "rectified":
        assert torch.allclose(weights.sum(-1), torch.ones(()).double())


@pytest.mark.parametrize("kind", KINDS)
def test_counted_equals_traced(kind):
    layer, tokens = layer_of(kind), torch.empty(4, 9, 12)
    assert count(layer, tokens).macs == traced_macs(layer, tokens) > 0


def test_windows_of_nine_tokens_reach_one_token_to_each_side():
    layer, tokens = LocalAttention(12, 3, tokens=9).double(), torch.randn(4, 9, 12).double()
    place = torch.arange(9)
    near = (place[:, None] - place).abs() <= 1
    _, weights = layer.with_map(tokens)
    _, full = full_with_weights_of(layer).with_map(tokens)
    kept = full * near
    assert torch.allclose(weights, kept / kept.sum(-1, keepdim=True), atol=1e-12)
    assert LocalAttention(8, 2, tokens=243).near.sum(-1).max() == 17


@pytest.mark.parametrize("kind", ["local", "routing"])
def test_masked_tokens_are_not_attended_to(kind):
    layer, tokens = layer_of(kind), torch.randn(1, 9, 12).double()
    keys = torch.ones(1, 9, dtype=torch.bool)
    keys[0, 4] = False
    keep = [0, 1, 2, 3, 5, 6, 7, 8]  # a masked token still sees itself
    changed = tokens.clone()
    changed[0, 4] += 1
    assert torch.allclose(layer(tokens, keys)[:, keep], layer(changed, keys)[:, keep], atol=1e-12)
    lonely = layer(tokens, torch.zeros(1, 9, dtype=torch.bool))
    assert torch.allclose(lonely, layer.proj(layer.qkv(tokens)[..., 24:]), atol=1e-12)
    assert not torch.allclose(layer(tokens)[:, keep], layer(changed)[:, keep], atol=1e-12)


def test_routing_within_one_cluster_is_full_attention():
    layer, tokens = layer_of("routing"), torch.randn(4, 9, 12).double()
    layer.centroids = layer.centroids[:, :1]
    assert torch.allclose(layer(tokens), full_with_weights_of(layer)(tokens), atol=1e-12)


def test_routing_attends_within_clusters_and_to_itself():
    layer, tokens = layer_of("routing"), torch.randn(4, 9, 12).double()
    query, key, _ = (part.reshape(4, 9, 3, 4).transpose(1, 2) for part in layer.qkv(tokens).split(12, dim=-1))
    nearest = [torch.einsum("nhtd,hcd->nhtc", part, layer.centroids).argmax(-1) for part in (query, key)]
    expected = (nearest[0][..., :, None] == nearest[1][..., None, :]) | torch.eye(9, dtype=torch.bool)
    _, weights = layer.with_map(tokens)
    assert torch.equal(weights > 0, expected) and not expected.all()


def test_centroids_follow_the_tokens_in_training_only():
    layer, tokens = layer_of("routing"), torch.randn(4, 9, 12).double()
    before = layer.centroids.clone()
    layer(tokens)
    assert torch.equal(before, layer.centroids)

    def closeness():
        query, key, _ = (part.reshape(4, 9, 3, 4).transpose(1, 2) for part in layer.qkv(tokens).split(12, dim=-1))
        points = torch.nn.functional.normalize(torch.cat((query, key), dim=-2), dim=-1)
        return torch.einsum("nhtd,hcd->nhtc", points, layer.centroids).max(-1).values.mean()

    apart, layer.decay = closeness(), 0.5
    for _ in range(20):
        layer.train()(tokens)
    assert closeness() > apart + 0.1
    assert torch.allclose(layer.centroids.norm(dim=-1), torch.ones(()).double())


def test_linformer_with_summaries_that_are_the_tokens_is_full_attention():
    layer, tokens = layer_of("linformer", tokens=2), torch.randn(4, 2, 12).double()
    for summary in (layer.key_summary, layer.value_summary):
        summary.weight.data = torch.eye(2).double()
    assert torch.allclose(layer(tokens), full_with_weights_of(layer)(tokens), atol=1e-12)
    assert Linformer(8, 2, tokens=243).key_summary.out_features == 16


def test_rectified_weights_are_the_positive_logits():
    layer, tokens = layer_of("rectified"), torch.randn(4, 9, 12).double()
    query, key, value = (part.reshape(4, 9, 3, 4).transpose(1, 2) for part in layer.qkv(tokens).split(12, dim=-1))
    weights = (query @ key.mT / 2).clamp(min=0)
    mixed = (weights @ value).transpose(1, 2).reshape(4, 9, 12)
    mixed = mixed / (mixed.square().mean(-1, keepdim=True) + 1e-6).sqrt()
    assert torch.allclose(layer.with_map(tokens)[1], weights, atol=1e-12)
    assert torch.allclose(layer(tokens), mixed @ layer.proj[1].weight.T + layer.proj[1].bias, atol=1e-9)
    dropping = RectifiedAttention(12, 3, 1.0, tokens=9).double()
    assert torch.allclose(dropping(tokens), dropping.proj[1].bias.expand(4, 9, 12), atol=1e-12)


def test_routing_keeps_about_the_square_root_of_the_tokens():
    assert RoutingAttention(8, 2, tokens=243).centroids.shape == (2, 16, 4)
