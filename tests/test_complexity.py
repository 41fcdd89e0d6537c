import pytest
import torch

from poselib.complexity import count, traced_macs
from poselib.models import build

CASES = [  # frames, channels, MACs per clip, FLOPs in G as TMT prints them
    (9, 2, 5_166_807_552, 10.30),
    (9, 5, 5_167_042_560, 10.30),
    (27, 2, 15_568_104_960, 30.89),
    (27, 5, 15_568_809_984, 30.90),
    (81, 2, 47_313_455_616, 92.69),
    (81, 5, 47_315_570_688, 92.70),
    (243, 2, 147_422_633_472, 278.08),
    (243, 5, 147_428_978_688, 278.10),
]


@pytest.mark.parametrize(("frames", "channels", "macs", "printed"), CASES)
def test_counted_equals_traced_equals_published(frames, channels, macs, printed):
    with torch.device("meta"):
        model = build("mixste", frames=frames, in_channels=channels)
    inputs = torch.empty(1, frames, 17, channels)
    cost = count(model, inputs)
    assert cost.macs == traced_macs(model, inputs) == macs
    assert cost.flops_as_tmt / 1e9 == pytest.approx(printed, abs=0.02)
    assert cost.macs_per_frame == macs / frames


def test_cost_grows_with_the_batch_and_leaves_the_model_alone():
    model = build("mixste", frames=3, dim=8, depth=1, heads=2)
    one, two = (count(model, torch.empty(batch, 3, 17, 2)) for batch in (1, 2))
    assert two.macs == 2 * one.macs and two.parameters == one.parameters
    assert model.training and next(model.parameters()).device.type == "cpu"
