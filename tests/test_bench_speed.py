"""What the bench compares does the same thing, and its table is whole; never how fast anything is."""

import sys

import numpy as np
import pandas as pd
import pytest
import torch
from test_every_model import SMALL

from poselib import __main__ as command_line
from poselib.bench import arrays, networks
from poselib.bench.clock import Comparison, slope
from poselib.bench.plain import plain_model, plain_p_mpjpe
from poselib.bench.speed import measure
from poselib.errors import InputError
from poselib.metrics import p_mpjpe
from poselib.models import MODELS, build


@pytest.mark.parametrize("name", MODELS)
def test_plain_networks_give_the_same_poses(name):
    torch.manual_seed(0)
    model = build(name, **SMALL[name]).eval()
    plain, clips = plain_model(model), torch.rand(2, model.config.frames, 17, 2) - 0.5
    with torch.inference_mode():
        assert torch.allclose(plain(clips), model(clips), atol=1e-5)
    kinds = {type(layer).__name__ for layer in plain.modules()}
    assert not kinds & {"SelfAttention"} and ("PlainAttention" in kinds) == (name != "gla_gcn")


def test_plain_alignment_gives_the_same_number():
    random = np.random.default_rng(0)
    predicted, target = random.normal(size=(2, 50, 17, 3))
    for given in (predicted, target * [-1, 1, 1]):
        assert plain_p_mpjpe(given, target) == pytest.approx(p_mpjpe(given, target), rel=1e-12)


def test_plain_clips_are_the_loaders_to_the_bit(tmp_path):
    prepared = arrays.stand_in(tmp_path, 4000)
    batches = arrays.batches_of(prepared, 81)
    # The first and the last clips of both videos stick out; the second half are mirror images.
    numbers = np.array([0, 39, 1999, 2000, 3999, 1000])
    numbers = np.concatenate([numbers, numbers + len(batches.windows)])
    expected, found = arrays.plain_way(prepared, batches, numbers)(), batches.gather(numbers)
    assert torch.equal(expected[0], found.poses_2d) and torch.equal(expected[1], found.truth_3d)
    assert found.poses_2d.shape == (12, 81, 17, 2) and found.truth_3d.shape == (12, 1, 17, 3)
    assert found.truth_2d is found.poses_2d and not torch.equal(found.poses_2d[0], found.poses_2d[6])


@pytest.mark.parametrize("has", [True, False])
def test_a_cpu_without_bf16_is_timed_in_float32(monkeypatch, has):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": has, "amx_bf16": False})
    model, clips = build("mixste", frames=27, dim=256, depth=1).eval(), torch.rand(2, 27, 17, 2) - 0.5
    with torch.inference_mode():
        expected = model(clips)
        assert torch.equal(networks.fast_path(model, False)(clips), expected) != has
        assert not torch.equal(networks.fast_path(model, True)(clips), expected)
    assert arrays.fastest_kind() == (torch.bfloat16 if has else torch.float32)


def test_the_table_is_whole():
    found = measure(["train", "inference", "profiles", "accuracy", "metrics", "loader"], True, 1, ["mixste", "gla_gcn"])
    sections = {"train": 2, "inference": 2, "profiles": 8, "accuracy": 2, "metrics": 1, "loader": 2}
    assert found.groupby("section").size().to_dict() == sections
    assert np.isfinite(found[["plain", "fast"]]).all(axis=None) and (found["plain"] > 0).all()
    assert "mixste, train, demo" in set(found["what"])
    timed = found[found["section"] != "accuracy"]
    assert (timed["quartile_1"] <= timed["ratio"]).all() and (timed["ratio"] <= timed["quartile_3"]).all()
    apart = found[found["section"] == "accuracy"].set_index("what")
    assert apart.loc["gla_gcn", "fast"] == 0 and 0 < apart.loc["mixste", "fast"] < 0.02 * apart.loc["mixste", "plain"]


def test_growth_is_measured_and_slopes_are_exponents():
    found = networks.growth(True, 1)
    assert set(found) == {"T", "batch"} and all(np.isfinite(slope(*points)) for points in found.values())
    assert slope((1, 10, 100), (3, 300, 30_000)) == pytest.approx(2)


def test_a_row_holds_rates_and_the_median_of_ratios():
    seconds = np.array([2.0, 4.0, 6.0]), np.array([1.0, 1.0, 2.0])
    row = Comparison("train", "mixste", "frames", 8, *seconds).row()
    assert (row["plain"], row["fast"], row["ratio"], row["unit"]) == (2, 8, 3, "frames/s")
    assert row["quartile_1"] == 2.5 and row["quartile_3"] == 3.5


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by Linux's /proc")
def test_memory_is_that_of_a_process_of_its_own():
    # Weights, gradients and two moments of 128-wide MixSTE of one pair of blocks take less than 10 MiB.
    assert 1 < networks.peak_mib("mixste", True, fast=False) < 500


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured by Linux's /proc")
def test_memory_of_an_update_grows_with_the_clip():
    lengths, (short, long) = networks.memory_growth((9, 243))
    assert lengths == (9, 243) and 0 < 2 * short < long


def test_the_command_prints_and_writes(tmp_path, monkeypatch, capsys):
    path = tmp_path / "bench/speed.csv"
    monkeypatch.setattr(sys, "argv", ["poselib", "bench", "speed", "--quick", "--only", "ceiling", "--out", str(path)])
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert not ended.value.code and "matrix product" in capsys.readouterr().out
    table = pd.read_csv(path)
    assert table["what"].tolist() == ["matrix product", "copy"] and (table["fast"] > 0).all()
    with pytest.raises(InputError, match="nothing called 'speed' is measured; choose from: ceiling"):
        measure(["speed"])
