import torch

from poselib.layers.attention import CrossAttention, SelfAttention


def test_fused_and_explicit_attention_agree():
    layer, tokens = SelfAttention(12, 3).double(), torch.randn(5, 7, 12).double()
    output, weights = layer.with_map(tokens)
    assert torch.allclose(layer(tokens), output, atol=1e-12)
    assert weights.shape == (5, 3, 7, 7)


def test_attention_does_not_know_the_order_of_tokens():
    layer, tokens = SelfAttention(8, 2).double(), torch.randn(2, 5, 8).double()
    order = torch.tensor([3, 0, 4, 1, 2])
    assert torch.allclose(layer(tokens)[:, order], layer(tokens[:, order]), atol=1e-12)


def test_heads_are_split_after_query_key_value():
    layer = SelfAttention(4, 2).double()
    tokens = torch.randn(1, 3, 4).double()
    query, key, value = (tokens @ layer.qkv.weight.T + layer.qkv.bias).split(4, dim=-1)
    parts = []
    for head in (slice(0, 2), slice(2, 4)):
        weights = torch.softmax(query[..., head] @ key[..., head].mT / 2**0.5, dim=-1)
        parts.append(weights @ value[..., head])
    expected = torch.cat(parts, dim=-1) @ layer.proj.weight.T + layer.proj.bias
    assert torch.allclose(layer(tokens), expected, atol=1e-12)


def test_cross_attention_mixes_values_as_queries_meet_keys():
    layer = CrossAttention(4, 2).double()
    query, key, value = torch.randn(1, 3, 4).double(), torch.randn(1, 5, 4).double(), torch.randn(1, 5, 4).double()
    parts = []
    for head in (slice(0, 2), slice(2, 4)):
        asked, met, mixed = layer.query(query)[..., head], layer.key(key)[..., head], layer.value(value)[..., head]
        parts.append(torch.softmax(asked @ met.mT / 2**0.5, dim=-1) @ mixed)
    expected = layer.proj(torch.cat(parts, dim=-1))
    output, weights = layer.with_map(query, key, value)
    assert torch.allclose(layer(query, key, value), expected, atol=1e-12)
    assert torch.allclose(output, expected, atol=1e-12)
    assert weights.shape == (1, 2, 3, 5)
    assert torch.allclose(weights.sum(-1), torch.ones(()).double())
    assert layer.own_macs(query, key, value) == 2 * 3 * 5 * 4
