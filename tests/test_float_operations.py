import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from poselib.complexity import count
from poselib.errors import InputError
from poselib.float_operations import float_operations
from poselib.models import MODELS, build

SHORT = {"frames": 41, "strides": (4, 4, 3), "paddings": ((1, 1), (0, 0), (0, 0))}
# Key-frames, what TensorFlow 2.4.3's profiler printed for the same network in Keras layers, and the published number.
PUBLISHED = [(SHORT, 9, 542_559_372, 542.56), ({}, 18, 966_187_536, 966.19)]


def uplift_upsample(size):
    with torch.device("meta"):
        return build("uplift_upsample", sequence_head=False, **size)


@pytest.mark.parametrize(("size", "keys", "profiled", "printed"), PUBLISHED)
def test_uplift_and_upsample_as_published_and_as_tensorflow_itself_counts(size, keys, profiled, printed):
    model = uplift_upsample(size)
    frames = model.config.frames
    counted = float_operations(model, torch.empty(1, frames, 17, 2), key_frames=torch.arange(frames)[None] < keys)
    assert counted == profiled
    assert counted / 1e6 == pytest.approx(printed, abs=5e-3)


# As released, where every frame goes through the spatial part: 600.4 and 1061.9 M, the product with the mask included.
@pytest.mark.parametrize(("size", "released"), [(SHORT, 600_359_998), ({}, 1_061_919_928)])
def test_lifting_all_frames_costs_what_the_released_graph_does(size, released):
    frames = uplift_upsample(size).config.frames
    inputs, all_frames = torch.empty(1, frames, 17, 2), torch.ones(1, frames, dtype=torch.bool)
    assert float_operations(uplift_upsample(size), inputs, key_frames=all_frames) == released - inputs.numel()


class Call(nn.Module):
    """One function as a network."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, inputs):
        return self.function(inputs)


MASK = torch.ones(10, dtype=torch.bool, device="meta")

# What TensorFlow 2.4.3's profiler says of a graph with nothing else; (1, 10, 7) goes in.
ALONE = [
    (nn.Linear(7, 3), 420 + 30),
    (nn.Linear(7, 3, bias=False), 420),
    (nn.LayerNorm(7), 580),
    (nn.Softmax(-1), 350),
    (nn.GELU(), 210),
    (nn.GELU("tanh"), 350),
    (nn.ReLU(), 0),
    (nn.BatchNorm1d(10), 70 + 5 * 10),
    (nn.Sequential(nn.Unflatten(2, (7, 1)), nn.BatchNorm2d(10)), 0),
    (nn.Conv1d(10, 4, 3), 2 * 4 * 5 * 30 + 20),
    (Call(lambda x: x + x), 0),
    (Call(lambda x: x - 2), 70),
    (Call(lambda x: x * x / 2), 140),
    (Call(lambda x: x.mean(-1)), 70),
    (Call(lambda x: x.sum(-1)), 60),
    (Call(lambda x: torch.std_mean(x, -1)[1]), 280),
    (Call(lambda x: x[:, ::3]), 28),
    (Call(lambda x: x[:, 1:-1]), 0),
    (Call(lambda x: scaled_dot_product_attention(x, x, x)), 2 * 1400 + 6 * 100),
    (Call(lambda x: scaled_dot_product_attention(x, x, x, MASK)), 2 * 1400 + 6 * 100 + 2 * 10),
]


@pytest.mark.parametrize(("layer", "profiled"), ALONE)
def test_an_operation_alone(layer, profiled):
    assert float_operations(layer, torch.empty(1, 10, 7)) == profiled


def test_an_operation_of_unknown_cost_is_named():
    with pytest.raises(InputError, match=r"no cost is known of aten\.erf\.default"):
        float_operations(Call(torch.erf), torch.empty(1, 10, 7))


@pytest.mark.parametrize("name", MODELS)
def test_every_model_can_be_counted(name):
    with torch.device("meta"):
        model = build(name)
    inputs = torch.empty(1, model.config.frames, 17, 2)
    assert 1 < float_operations(model, inputs) / (2 * count(model, inputs).macs) < 1.02
