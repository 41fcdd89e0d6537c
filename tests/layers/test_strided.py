import pytest
import torch

from poselib.layers.strided import StridedBlock, StridedEncoder, strided_lengths


@pytest.mark.parametrize(
    ("frames", "strides", "paddings", "lengths"),
    [
        (41, (4, 4, 3), ((1, 1), (0, 0), (0, 0)), [41, 11, 3, 1]),
        (71, (3, 10, 3), ((0, 0),) * 3, [71, 23, 3, 1]),
        (351, (3, 9, 13), ((1, 1),) * 3, [351, 117, 13, 1]),
    ],
)
def test_published_lengths(frames, strides, paddings, lengths):
    assert strided_lengths(frames, strides, paddings) == lengths


@pytest.mark.parametrize(
    ("padding", "kept"),
    [((1, 1), [0, 3, 6, 9]), ((0, 1), [1, 4, 7]), ((1, 0), [0, 3, 6]), ((0, 0), [1, 4, 7])],
)
@torch.inference_mode()
def test_the_skip_path_goes_through_the_middle_of_the_convolution_windows(padding, kept):
    block = StridedBlock(8, 2, 16, 3, padding).double()
    tokens = torch.randn(2, 10, 8).double()
    attended = block.attend(tokens)
    hidden = torch.relu(block.norm2(attended) @ block.mlp.fc1.weight[..., 0].T + block.mlp.fc1.bias)
    padded = torch.cat([hidden.new_zeros(2, 1, 16), hidden, hidden.new_zeros(2, 1, 16)], dim=1)
    branch = [
        sum(padded[:, middle + k] @ block.mlp.fc2.weight[..., k].T for k in range(3)) + block.mlp.fc2.bias
        for middle in kept
    ]
    assert torch.allclose(block(tokens), attended[:, kept] + torch.stack(branch, dim=1), atol=1e-12)


@torch.inference_mode()
def test_only_the_first_blocks_have_a_position():
    encoder = StridedEncoder(8, 2, 16, (3, 2), ((1, 1), (1, 1)), [torch.zeros(9, 8)]).double()
    tokens = torch.randn(2, 6, 8).double()
    encoder.positions[0].normal_()
    shifted = tokens + encoder.positions[0][:6]
    assert torch.equal(encoder(tokens), encoder.blocks[1](encoder.blocks[0](shifted)))
