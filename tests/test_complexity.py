import pytest
import torch
from torch import nn

from poselib.complexity import count, machine, measure, traced_macs, training_bytes
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


def test_full_cost_per_frame():
    with torch.device("meta"):
        cost = count(build("mixste"), torch.empty(1, 243, 17, 2))
    assert cost.flops_per_frame / 1e6 == pytest.approx(1213.4, abs=0.1)


# MixSTE, supplement, Table 8, in M. 965 is also the row's FPS, and the linear layers of two lengths cost the same per
# frame, so T = 81 cannot cost more than T = 243; the count there is 605.
@pytest.mark.parametrize(("frames", "own", "as_poseformer"), [(243, 645, 641), (81, 605, 600)])
def test_mixste_conventions_for_mixste(frames, own, as_poseformer):
    with torch.device("meta"):
        model = build("mixste", frames=frames)
    costs = [count(model, torch.empty(batch, frames, 17, 2)) for batch in (1, 3)]
    for cost in costs:
        assert cost.flops_per_frame_as_mixste / 1e6 == pytest.approx(own, abs=0.5)
        assert cost.flops_per_frame_as_mixste_for_poseformer / 1e6 == pytest.approx(as_poseformer, abs=0.5)


def test_mixste_conventions_for_poseformer():
    with torch.device("meta"):
        model = build("poseformer", frames=81)
    for batch in (1, 2):
        cost = count(model, torch.empty(batch, 81, 17, 2))
        assert cost.macs == batch * 846_893_760 and cost.output_frames == batch
        assert cost.flops_per_frame_as_mixste_for_poseformer / 1e6 == pytest.approx(1593, abs=0.5)
        assert cost.flops_per_frame_as_mixste / 1e6 == pytest.approx(1605, abs=0.5)


def test_training_memory_is_four_times_the_weights_and_what_backward_keeps():
    model = nn.Sequential(nn.Linear(2, 8), nn.GELU(), nn.Linear(8, 3))
    kept = 5 * 17 * (2 + 8 + 8)  # numbers that enter each layer
    assert training_bytes(model, torch.empty(1, 5, 17, 2)) == 4 * (4 * 51 + kept)


def test_training_memory_grows_with_the_clip_and_with_attention_maps():
    model, longer = (build("mixste", frames=frames, dim=8, depth=2, heads=2) for frames in (9, 81))
    assert training_bytes(longer, torch.empty(1, 81, 17, 2)) > 9 * training_bytes(model, torch.empty(1, 9, 17, 2))
    weights = 16 * sum(parameter.numel() for parameter in model.parameters())
    one, two = (training_bytes(model, torch.empty(batch, 9, 17, 2)) - weights for batch in (1, 2))
    assert one < two <= 2 * one


def test_machine_is_named_by_kind_and_threads():
    assert torch.cuda.is_available() or "CPU, " in machine() and f"{torch.get_num_threads()} thread" in machine()


def test_measuring_hands_on_what_else_a_model_takes():
    config = {"frames": 9, "dim": 16, "spatial_dim": 8, "heads": 2, "strides": (3, 3), "paddings": ((1, 1), (0, 0))}
    model = build("uplift_upsample", **config)
    given = []
    model.register_forward_pre_hook(lambda _, arguments, more: given.append(more), with_kwargs=True)
    measure(model, torch.randn(1, 9, 17, 2), repeats=1, key_frames=torch.arange(9)[None] < 3)
    assert len(given) == 2 and all(more["key_frames"].sum() == 3 for more in given)


@pytest.mark.parametrize("training", [False, True])
def test_measuring_runs_a_copy(training):
    model = build("mixste", frames=3, dim=8, depth=1, heads=2)
    before = [parameter.clone() for parameter in model.parameters()]
    run = measure(model, torch.randn(2, 3, 17, 2), training=training, repeats=2)
    assert run.seconds > 0 and run.peak_bytes is None
    assert all(torch.equal(*pair) for pair in zip(before, model.parameters(), strict=True))
    assert model.training and all(parameter.grad is None for parameter in model.parameters())
