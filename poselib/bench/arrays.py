"""What is not a network: the metric of protocol 2, batches of clips, and what this machine could do at best."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from poselib import training
from poselib.bench.clock import Comparison, compared, in_turns
from poselib.bench.plain import plain_batch, plain_p_mpjpe
from poselib.data.prepared import PreparedSet, Video
from poselib.half_precision import cpu_has_bfloat16
from poselib.metrics import p_mpjpe
from poselib.models import build
from poselib.recipe import Recipe
from poselib.skeleton import H36M_17

FRAMES = 500_000
BATCH = 1024
VIDEO = 2000
LOADED_LENGTHS = (81, 243)
SIDE = 2048
COPIED_MIB = 256


def protocol_2(quick: bool, repeats: int) -> Comparison:
    """Frames per second of P-MPJPE of noisy bodies; float64."""
    frames, random = 5000 if quick else FRAMES, np.random.default_rng(0)
    target = random.normal(size=(frames, 17, 3)) * [0.1, 0.5, 0.1]
    predicted = target + 0.04 * random.normal(size=target.shape)
    calls = (lambda: plain_p_mpjpe(predicted, target)), (lambda: p_mpjpe(predicted, target))
    return compared("metrics", f"P-MPJPE, {frames} frames", "frames", frames, *calls, repeats)


def stand_in(folder: Path, frames: int) -> PreparedSet:
    """A prepared set of random numbers, memory-mapped like any other, in videos of one length."""
    random = np.random.default_rng(0)
    for name, channels in (("poses_3d", 3), ("poses_2d_gt", 2)):
        with (folder / f"{name}.f32").open("wb") as file:
            for _ in range(frames // VIDEO):
                random.standard_normal((VIDEO, 17, channels), np.float32).tofile(file)
    videos = tuple(Video("S1", "Walking", "", "train", row * VIDEO, VIDEO, 50.0) for row in range(frames // VIDEO))
    return PreparedSet(folder, "h36m", "random numbers", H36M_17, (), "", videos)


def batches_of(prepared: PreparedSet, length: int):
    """The loader of a training on clips around every frame of the set."""
    recipe = Recipe("gt", {"position": 1.0}, (1.0,) * 17, 1, BATCH, 1e-3, "exponential", 1.0, 0.0)
    return training.begin(build("poseformer", frames=length, dim=8, depth=1), recipe, prepared, seed=0)[1]


def plain_way(prepared: PreparedSet, batches, numbers: np.ndarray) -> Callable[[], list[Tensor]]:
    """What gathers the 2D and the target of these clips by `plain_batch`."""
    given, windows = (prepared.poses_2d("gt"), prepared.poses_3d), (batches.seen.windows, batches.target.windows)
    shapes = [(len(numbers), own.length, *poses.shape[1:]) for poses, own in zip(given, windows, strict=True)]
    batch = tuple(np.empty(shape) for shape in shapes)
    return lambda: plain_batch(given, windows, numbers, H36M_17.flip, H36M_17.root, batch)


def loading(length: int, quick: bool, repeats: int) -> Comparison:
    """Batches per second: clips of 2D and the target of their middle frame, as PoseFormer needs, half of them mirrored.

    Against a generator of single clips, which writes to the same batch again and again as the loader does.
    """
    with tempfile.TemporaryDirectory() as name:
        prepared = stand_in(Path(name), 10_000 if quick else 200_000)
        batches = batches_of(prepared, length)
        numbers = batches.clips_of(0)[: 64 if quick else BATCH]
        calls = plain_way(prepared, batches, numbers), (lambda: batches.gather(numbers))
        return compared("loader", f"T = {length}, batch {len(numbers)}", "batches", 1, *calls, repeats)


def growth(quick: bool, repeats: int) -> tuple[tuple[int, ...], list[float]]:
    """Seconds of gathering a batch at T = 27 against the frames of the set."""
    sizes, seconds = (10_000, 30_000, 100_000) if quick else (30_000, 100_000, 300_000, 1_000_000), []
    for frames in sizes:
        with tempfile.TemporaryDirectory() as name:
            batches = batches_of(stand_in(Path(name), frames), 27)
            numbers = batches.clips_of(0)[: 64 if quick else BATCH]
            call = {"": lambda batches=batches, numbers=numbers: batches.gather(numbers)}
            seconds.append(float(np.median(in_turns(call, repeats)[""])))
    return sizes, seconds


def fastest_kind() -> torch.dtype:
    """What this CPU multiplies fastest: bf16 where it has instructions for that, else float32."""
    return torch.bfloat16 if cpu_has_bfloat16() else torch.float32


def product_rate(kind: torch.dtype, quick: bool, repeats: int) -> float:
    """10^12 operations per second of a large matrix product, at best."""
    side = 256 if quick else SIDE
    a, b = torch.rand(2, side, side).to(kind)
    return 2e-12 * side**3 / _least(lambda: a @ b, repeats)


def copy_rate(quick: bool, repeats: int) -> float:
    """10^9 bytes per second that a copy reads and writes, at best."""
    source = torch.rand((16 if quick else COPIED_MIB) * 2**18)
    target = torch.empty_like(source)
    return 2e-9 * source.nbytes / _least(lambda: target.copy_(source), repeats)


def _least(call: Callable[[], object], repeats: int) -> float:
    return float(in_turns({"": call}, repeats)[""].min())
