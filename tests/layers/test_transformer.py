import torch

from poselib.layers.transformer import TransformerBlock


def test_block_is_two_pre_norm_residuals():
    block, tokens = TransformerBlock(8, 2, 16).double(), torch.randn(3, 5, 8).double()
    middle = tokens + block.attention(block.norm1(tokens))
    assert torch.allclose(block(tokens), middle + block.mlp(block.norm2(middle)), atol=1e-12)


def test_a_block_whose_branches_always_drop_is_the_identity():
    block, tokens = TransformerBlock(8, 2, 16, drop_path=1 - 1e-12).train(), torch.randn(3, 5, 8)
    torch.manual_seed(0)
    assert torch.equal(block(tokens), tokens)
