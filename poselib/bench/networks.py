"""Networks of published size, the fast path against the plain one: training steps, inference, memory, growth with T."""

import copy
import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor, nn

from poselib.bench.arrays import fastest_kind
from poselib.bench.clock import Comparison, compared, in_turns
from poselib.bench.memory import kibibytes
from poselib.bench.plain import plain_model
from poselib.complexity import count
from poselib.experiments import load_experiments, load_parameters
from poselib.half_precision import in_bfloat16
from poselib.metrics import MILLIMETRES
from poselib.models import build
from poselib.project import root
from poselib.scaling import scaled
from poselib.skeleton import H36M_17
from poselib.stages.train import build_model
from poselib.strategies import STRATEGIES

# Clips of the published length per step: few, as a CPU has the time and the memory for, yet as large as bf16 asks.
CLIPS = MappingProxyType(
    {
        "mixste": 1,
        "poseformer": 8,
        "mhformer": 2,
        "strided_transformer": 4,
        "uplift_upsample": 16,
        "ampose": 64,
        "gla_gcn": 4,
    }
)
# What `--quick` shrinks them to; blocks of width 128 are still in bf16.
QUICK = MappingProxyType(
    {
        "mixste": {"frames": 9, "dim": 128, "depth": 1},
        "poseformer": {"frames": 9, "depth": 1},
        "mhformer": {"frames": 9, "dim": 128, "depth": 1, "generation_depth": 1},
        "strided_transformer": {"frames": 9, "strides": (3, 3), "dim": 128, "depth": 1},
        "uplift_upsample": {"frames": 9, "strides": (3, 3), "paddings": ((1, 1), (0, 0)), "dim": 128, "depth": 1},
        "ampose": {"dim": 128, "depth": 1},
        "gla_gcn": {"frames": 9, "dim": 32},
    }
)
LENGTHS = (9, 27, 81, 243, 351)
BATCHES = (1, 2, 4, 8)
GROWN = MappingProxyType({"dim": 128, "depth": 2})


def alone(call: Callable, *arguments):
    """What the call returns in a process of its own, where no other network has left its memory in pieces."""
    threads = torch.get_num_threads()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), torch.set_num_threads, (threads,)) as process:
        return process.submit(call, *arguments).result()


def fast_path(model: nn.Module, quick: bool) -> nn.Module:
    """The model in bf16; as it is where a real size would take this CPU hundreds of times longer in bf16."""
    return in_bfloat16(model) if quick or fastest_kind() == torch.bfloat16 else model


def pair(name: str, quick: bool, profile: str | None = None) -> tuple[nn.Module, nn.Module, Tensor]:
    """A network plain and fast, of the same random weights, and clips for it (B, T, J, C).

    With a profile, both are as its first experiment of that network has them.
    """
    torch.manual_seed(0)
    if profile is None:
        model, clips = build(name, **(QUICK[name] if quick else {})), 2 if quick else CLIPS[name]
    else:
        experiments = load_experiments(root()).values()
        first = next(one for one in experiments if one.model == name and STRATEGIES[one.strategy].in_channels == 2)
        setting = scaled(first, load_parameters(root()).profiles[profile])
        model = build_model(setting, H36M_17)
        clips = setting.batch_clips or max(1, setting.batch_frames // setting.frames)
    inputs = torch.rand(clips, model.config.frames, model.config.joints, 2) - 0.5
    return plain_model(model), fast_path(copy.deepcopy(model), quick), inputs


def step(model: nn.Module, optimiser: torch.optim.Optimizer, clips: Tensor) -> None:
    """One update of everything that the model is supervised by."""
    optimiser.zero_grad()
    sum(output.square().mean() for output in model.supervised(clips).values()).backward()
    optimiser.step()


def _step_of(model: nn.Module, clips: Tensor, fused: bool):
    optimiser = torch.optim.AdamW(model.train().parameters(), lr=1e-5, fused=fused)
    return lambda: step(model, optimiser, clips)


def _lift_of(model: nn.Module, clips: Tensor):
    model = model.eval()
    return torch.inference_mode()(lambda: model(clips))


def training(name: str, quick: bool, repeats: int, profile: str | None = None) -> Comparison:
    """Frames of input per second of an update; the fast path has the fused optimiser."""
    plain, fast, clips = pair(name, quick, profile)
    calls = _step_of(plain, clips, False), _step_of(fast, clips, True)
    return compared("train", name, "frames", clips.shape[0] * clips.shape[1], *calls, repeats)


def inference(name: str, quick: bool, repeats: int, profile: str | None = None) -> Comparison:
    """Frames of input per second of a forward pass."""
    plain, fast, clips = pair(name, quick, profile)
    calls = _lift_of(plain, clips), _lift_of(fast, clips)
    return compared("inference", name, "frames", clips.shape[0] * clips.shape[1], *calls, repeats)


@torch.inference_mode()
def apart_mm(name: str, quick: bool) -> tuple[float, float]:
    """Mean distance of the poses of both paths, and the mean length of these, mm; weights are random."""
    plain, fast, clips = pair(name, quick)
    expected, found = plain.eval()(clips), fast.eval()(clips)
    return tuple(MILLIMETRES * float(poses.norm(dim=-1).mean()) for poses in (found - expected, expected))


def tera_operations(name: str, quick: bool) -> float:
    """10^12 operations of a forward pass over the clips, two per multiply-accumulate."""
    _, fast, clips = pair(name, quick)
    return 2 * count(fast, clips).macs / 1e12


def peak_mib(name: str, quick: bool, fast: bool, **sizes: int) -> float | None:
    """Memory that two updates take, above that of a process that has loaded torch; None without Linux's /proc.

    Args:
        sizes: of the network, if neither the published nor the quick ones.
    """
    return alone(_peak_mib, name, quick, fast, sizes)


def _peak_mib(name: str, quick: bool, fast: bool, sizes: Mapping[str, int]) -> float | None:
    torch.rand(64, 64, requires_grad=True).matmul(torch.rand(64, 64)).sum().backward()
    if (base := kibibytes("self").get("VmHWM")) is None:
        return None
    torch.manual_seed(0)
    model = build(name, **(sizes or (QUICK[name] if quick else {})))
    clips = torch.rand(2 if quick else CLIPS[name], model.config.frames, model.config.joints, 2) - 0.5
    update = _step_of(fast_path(model, quick) if fast else plain_model(model), clips, fast)
    del model
    update()
    update()
    return (kibibytes("self")["VmHWM"] - base) / 1024


def growth(quick: bool, repeats: int) -> dict[str, tuple[tuple[int, ...], list[float]]]:
    """Seconds of an update of MixSTE, fast path, against T at one clip and against the batch at T = 81."""
    lengths, batches = (LENGTHS[:3], BATCHES[:3]) if quick else (LENGTHS, BATCHES)
    sizes = GROWN | ({"depth": 1} if quick else {})

    def call(frames: int, clips: int):
        model = fast_path(build("mixste", frames=frames, **sizes), quick)
        return _step_of(model, torch.rand(clips, frames, 17, 2) - 0.5, True)

    found = {}
    for name, points, ways in (
        ("T", lengths, {frames: call(frames, 1) for frames in lengths}),
        ("batch", batches, {clips: call(lengths[-1 if quick else 2], clips) for clips in batches}),
    ):
        seconds = in_turns(ways, repeats)
        found[name] = points, [float(np.median(seconds[point])) for point in points]
    return found


def memory_growth(lengths: tuple[int, ...] = LENGTHS) -> tuple[tuple[int, ...], list[float | None]]:
    """MiB that two updates of the same MixSTE take against T, at one clip; None without Linux's /proc."""
    return lengths, [peak_mib("mixste", False, True, frames=frames, **GROWN) for frames in lengths]
