"""The fast path: the same accuracy on the same weights, the same gradients, less kept for the backward pass."""

import copy
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from test_every_model import PLAIN, SMALL, recipe
from torch.autograd.graph import saved_tensors_hooks

from poselib import half_precision, training
from poselib.averaging import averaged
from poselib.errors import InputError
from poselib.experiments import load_parameters
from poselib.half_precision import in_bfloat16
from poselib.inference import lift_set, windows_of
from poselib.layers.attention import mixed
from poselib.metrics import MILLIMETRES, mpjpe
from poselib.models import MODELS, build
from poselib.project import root

TOLERANCE_MM = 0.1


@pytest.fixture(autouse=True)
def _any_number(monkeypatch):
    monkeypatch.setattr(half_precision, "LEAST_NUMBERS", 0)


def wide(**settings):
    torch.manual_seed(0)
    return build("mixste", **{"frames": 9, "dim": 128, "depth": 2, "heads": 4, "drop_path": 0.0, **settings})


def test_accuracy_is_that_of_float32_on_the_same_weights(prepared, tmp_path):
    chosen = recipe("mixste", lr=1e-3, epochs=1, batches=30)
    fast, reference = in_bfloat16(wide(depth=1)), wide(depth=1)
    training.train(fast, PLAIN, chosen, prepared, seed=0, snapshot=tmp_path / "snapshot", name="half")
    reference.load_state_dict(fast.state_dict())
    windows = windows_of(prepared.videos, fast)
    found, expected = (lift_set(model, PLAIN, prepared, "gt", windows)[0] for model in (fast, reference))
    # Roundings move a joint by a thousandth of its distance from the root, in no direction that errors prefer.
    assert 0 < MILLIMETRES * mpjpe(found, expected) < 2
    errors = np.random.default_rng(0).normal(size=(20, *expected.shape)) * 0.025
    error_mm, reference_mm = (MILLIMETRES * mpjpe(poses, expected + errors) for poses in (found, expected))
    assert 35 < reference_mm < 45 and error_mm == pytest.approx(reference_mm, abs=TOLERANCE_MM)


@pytest.mark.parametrize("has", [True, False])
def test_a_cpu_without_bf16_trains_in_float32_alone(monkeypatch, has):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": has, "amx_bf16": False})
    half_precision.check_device("cuda")
    with nullcontext() if has else pytest.raises(InputError, match="params.yaml, precision: this CPU has no instr"):
        half_precision.check_device("cpu")


def test_weights_stay_float32_and_gradients_agree():
    fast, reference = in_bfloat16(wide()), wide()
    inputs, kept = torch.rand(2, 9, 17, 2) - 0.5, []
    for model in (fast, reference):
        model.train().zero_grad()
        kept.append(0)

        def keep(tensor):
            kept[-1] += tensor.nbytes
            return tensor

        with saved_tensors_hooks(keep, lambda tensor: tensor):
            output = model(inputs)
        assert output.dtype == torch.float32
        output.square().mean().backward()
    for (name, one), other in zip(fast.named_parameters(), reference.parameters(), strict=True):
        assert one.dtype == torch.float32, name
        assert torch.nn.functional.cosine_similarity(one.grad.flatten(), other.grad.flatten(), dim=0) > 0.99, name
    assert kept[0] < 0.5 * kept[1]


@pytest.mark.parametrize("name", MODELS)
def test_every_model_runs_with_every_block_in_bf16(name, monkeypatch):
    monkeypatch.setattr(half_precision, "LEAST_WIDTH", 0)
    torch.manual_seed(0)
    reference = build(name, **SMALL[name])
    fast, inputs = in_bfloat16(copy.deepcopy(reference)), torch.rand(4, reference.config.frames, 17, 2) - 0.5
    with torch.inference_mode():
        expected, found = reference.eval()(inputs), fast.eval()(inputs)
        _, maps = fast(inputs, return_attention=True)
    assert torch.allclose(found, expected, atol=0.05 * expected.abs().max())
    assert torch.equal(found, expected) == (name in {"gla_gcn", "strided_transformer"})
    assert all(values.dtype == torch.float32 for values in maps.values())
    sum(output.square().mean() for output in fast.train().supervised(inputs).values()).backward()
    assert all(weight.grad.isfinite().all() for weight in fast.parameters() if weight.grad is not None)


def test_short_inputs_stay_float32(monkeypatch):
    reference, inputs = wide().eval(), torch.rand(1, 9, 17, 2)
    fast = in_bfloat16(copy.deepcopy(reference))
    with torch.inference_mode():
        assert not torch.equal(fast(inputs), reference(inputs))
        monkeypatch.setattr(half_precision, "LEAST_NUMBERS", inputs[..., 0].numel() * 128 + 1)
        assert torch.equal(fast(inputs), reference(inputs))


def test_narrow_blocks_stay_and_an_average_has_its_own_weights():
    narrow = in_bfloat16(wide(dim=64))
    assert not [block for block in narrow.modules() if "forward" in vars(block)]
    model, inputs = in_bfloat16(wide()).eval(), torch.rand(1, 9, 17, 2)
    average = averaged(model).module.eval()
    with torch.no_grad():
        before = average(inputs)
        for weight in model.parameters():
            weight.add_(1)
        assert torch.equal(average(inputs), before)


def test_products_in_bf16_are_those_of_the_fused_kernel_masked_or_not():
    query, key, value = torch.randn(3, 2, 4, 9, 16, generator=torch.Generator().manual_seed(0))
    seen = (torch.arange(9) < 6).expand(2, 1, 1, 9)
    for mask in (None, seen):
        exact = mixed(query, key, value, mask)
        rounded = mixed(query.bfloat16(), key.bfloat16(), value.bfloat16(), mask)
        assert rounded.dtype == torch.bfloat16 and torch.allclose(rounded.float(), exact, atol=0.03)


def test_only_the_profile_that_says_so_trains_in_bf16():
    profiles = load_parameters(root()).profiles
    assert {name for name, profile in profiles.items() if profile.precision == "bfloat16"} == {"gpu", "paper_bf16"}
