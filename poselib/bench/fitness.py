"""What this machine's processors and disk are good for, measured in seconds, as findings of the doctor."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.utils.benchmark import Timer

from poselib.experiments import Parameters, load_experiment, load_experiments, load_parameters
from poselib.inference import lift_clips
from poselib.scaling import scaled
from poselib.skeleton import H36M_17, SKELETONS
from poselib.stages.doctor import NOTE, OK, PROBLEM, Finding
from poselib.stages.train import build_model
from poselib.strategies import STRATEGIES

GIB = 2**30
SIDE = 512
"""Rows and columns of the matrices multiplied."""
MEASURED_S = 0.1
LIFTED = "mixste_t243_cpn"
BYTES_PER_SECOND = 650e6
"""Raw and prepared sets, predictions and results, per second of a synthetic take at 50 frames kept per second.

Measured: a demo run of 186 experiments, takes of 1.2 s of which every second frame is kept, left 390 MB of these.
"""


def findings(root: Path) -> Iterator[Finding]:
    """Threads, number format, GPU, disk, and a clip lifted.

    Raises:
        InputError: params.yaml or experiments/ are at fault.
    """
    parameters = load_parameters(root)
    yield threads(torch.get_num_threads(), _cpus())
    yield half_precision(_multiplication(torch.float32), _multiplication(torch.bfloat16))
    yield gpu(parameters.profile)
    yield disk(parameters.profile, needed_bytes(root, parameters), shutil.disk_usage(root).free)
    yield lift(root)


def _cpus() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(taken: int, cpus: int) -> Finding:
    """Whether torch's threads fit the CPUs; by default it takes one per core, of which each may be two CPUs."""
    sentence = f"torch takes {taken} thread(s) on {cpus} CPU(s)"
    if taken > cpus:
        return Finding(NOTE, f"{sentence}, which get in each other's way; set OMP_NUM_THREADS={cpus}")
    if taken < cpus // 2:
        return Finding(NOTE, f"{sentence}, the others idle unless JOBS fills them; unset OMP_NUM_THREADS")
    return Finding(OK, sentence)


def _multiplication(kind: torch.dtype) -> float:
    a, b = torch.rand(2, SIDE, SIDE, generator=torch.Generator().manual_seed(0)).to(kind)
    return _median_s("a @ b", a=a, b=b)


def _median_s(statement: str, **names: object) -> float:
    timer = Timer(statement, globals=names, num_threads=torch.get_num_threads())
    return timer.blocked_autorange(min_run_time=MEASURED_S).median


def half_precision(float32_s: float, bfloat16_s: float) -> Finding:
    """Whether the CPU is faster in bf16, from the medians of a matrix product in each."""
    ratio = float32_s / bfloat16_s
    sentence = f"bf16 is {ratio:.2g} times as fast as float32 on this CPU ({SIDE} x {SIDE} matrices, median)"
    if ratio > 1:
        return Finding(OK, sentence)
    return Finding(NOTE, f"{sentence}; leave the precision of the profile at float32")


def gpu(profile: str) -> Finding:
    """The GPU that trainings take, if any."""
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / GIB
        bf16 = "with" if torch.cuda.is_bf16_supported(including_emulation=False) else "without"
        return Finding(OK, f"trainings take the GPU {torch.cuda.get_device_name(0)}, {memory:.0f} GiB, {bf16} bf16")
    if shutil.which("nvidia-smi"):
        return Finding(NOTE, f"torch {torch.__version__} does not see the GPU here; install its CUDA build or a driver")
    if profile.startswith(("paper", "gpu")):
        return Finding(NOTE, f"there is no GPU, and profile {profile} is for GPUs; choose another or take a GPU")
    return Finding(OK, f"there is no GPU, and profile {profile} needs none")


def needed_bytes(root: Path, parameters: Parameters) -> float:
    """What a run from nothing leaves on disk, about: weights counted, the rest scaled from a demo run, all of it twice.

    Twice, because DVC keeps a copy where the file system cannot share one. Real takes have about 50 s.
    """
    profile, weights, counted = parameters.chosen, 0, {}
    for name, experiment in load_experiments(root).items():
        setting = scaled(experiment, profile, name)
        sizes = ("model", "frames", "depth", "dim", "heads", "joints", "strategy", "options")
        key = str([getattr(setting, size) for size in sizes])
        if key not in counted:
            with torch.device("meta"):
                model = build_model(setting, SKELETONS[setting.joints or H36M_17.name])
            counted[key] = sum(parameter.nbytes for parameter in model.parameters())
        # Those chosen on the validation videos, and those chosen on the test videos.
        weights += 2 * counted[key] * len(parameters.seeds)
    return 2 * (weights + BYTES_PER_SECOND * profile.synthetic_seconds / profile.every)


def disk(profile: str, needed: float, free: float) -> Finding:
    """Whether a run of the chosen profile fits."""
    sentence = f"{free / GIB:.1f} GiB of disk are free, a run of profile {profile} on synthetic motion leaves about "
    sentence += f"{needed / GIB:.1f} (estimate: weights counted, the rest scaled from a measured demo run)"
    return Finding(OK, sentence) if free > needed else Finding(PROBLEM, f"{sentence}; make room or take a smaller one")


def lift(root: Path) -> Finding:
    """Lift one random clip with MixSTE as small as in profile smoke."""
    setting = scaled(load_experiment(root, LIFTED), load_parameters(root, "smoke").chosen, LIFTED)
    model, random = build_model(setting, H36M_17).eval(), torch.Generator().manual_seed(0)
    clip = torch.rand(1, setting.frames, len(H36M_17), 2, generator=random) - 0.5
    given = {"model": model, "strategy": STRATEGIES[setting.strategy], "clip": clip, "flip": H36M_17.flip}
    with torch.inference_mode():
        poses, _ = lift_clips(*given.values())
        median = _median_s("lift_clips(model, strategy, clip, flip)", lift_clips=lift_clips, **given)
    if not poses.isfinite().all():
        return Finding(PROBLEM, f"MixSTE lifted a clip to poses not finite; reinstall torch {torch.__version__}")
    return Finding(OK, f"MixSTE of profile smoke lifts a clip of {setting.frames} frames in {1000 * median:.1f} ms")
