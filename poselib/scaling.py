"""The stated rule by which a profile shrinks an experiment."""

import math
from collections.abc import Mapping

from poselib.experiments import Experiment, Profile, Setting

# Frames that a short clip of a model on every so many frames spans, at least.
SPAN = 27


def scaled(experiment: Experiment, profile: Profile, name: str = "") -> Experiment:
    """The experiment of this name as a profile runs it; the rule is the profile's fields and nothing else."""
    options = {name: _option(name, value, profile) for name, value in experiment.options.items()}
    options |= profile.options.get(experiment.model, {})
    stride = max(1, experiment.frame_stride // profile.every)
    small = {
        "frames": _frames(experiment, stride) if profile.short_clips else experiment.frames,
        "depth": experiment.depth and max(1, experiment.depth // profile.depth_divisor),
        "dim": _width(experiment.dim, profile),
        "heads": experiment.heads and (profile.heads or experiment.heads),
        "options": options,
        "epochs": profile.epochs or experiment.epochs,
        "batches": _of(profile.batches, name, experiment.model, other=experiment.batches),
        "schedule": profile.schedule or experiment.schedule,
        "lr": experiment.lr * _of(profile.lr_factor, name, experiment.model, experiment.optimiser),
        "betas": profile.betas.get(experiment.optimiser, experiment.betas),
        "frame_stride": stride,
        # A key-frame is one of the frames that the model sees.
        "input_strides": [stride * (every // experiment.frame_stride) for every in experiment.input_strides],
    }
    if experiment.interval is not None:
        small["interval"] = max(1, round(experiment.interval * small["frames"] / experiment.frames))
    if profile.drop_path is not None and experiment.drop_path is not None:
        small["drop_path"] = profile.drop_path
    for kind in ("batch_clips", "batch_frames"):
        if batch := getattr(experiment, kind):
            small[kind] = max(1, round(batch / _of(profile.batch_divisor, experiment.model)))
    if "strides" in options and profile.short_clips:
        options["strides"] = [3] * round(math.log(small["frames"], 3))
        if "paddings" in options:
            options["paddings"] = [[0, 0] for _ in options["strides"]]
    return experiment.model_copy(update=small)


def _of(values: Mapping[str, float], *names: str, other: float | None = 1.0) -> float | None:
    return next((values[name] for name in names if name in values), other)


def _frames(experiment: Experiment, stride: int) -> int:
    """T' = log3(T) - 1, in the form that the model takes; single frames stay."""
    if experiment.frames == 1:
        return 1
    short = max(1, round(math.log(experiment.frames * experiment.frame_stride, 3)) - 1)
    if experiment.model == "uplift_upsample":
        return 3 ** round(math.log(SPAN, 3))
    if experiment.model == "mixste":
        return max(2, short)
    if stride > 1:
        short = max(1, round(math.log(SPAN / stride, 3)))
        return 3**short if "strides" in experiment.options else 2 * (SPAN // stride // 2) + 1
    if experiment.model == "mhformer":
        return 3 * (2 * short - 1)
    return 2 * short + 1 if experiment.model == "poseformer" else 3 ** min(2, max(1, short - 1))


def _width(width: int, profile: Profile) -> int:
    if profile.dim_cube_root is None:
        return width
    return max(4, 4 * round(profile.dim_cube_root * math.cbrt(width) / 4))


def _option(name: str, value: Setting, profile: Profile) -> Setting:
    """Further settings follow the rule of what they are: a width, a depth, a number of heads, a rate."""
    if name in ("hidden", "spatial_dim"):
        return _width(value, profile)
    if name == "generation_heads" and profile.heads:
        return 3
    if name.endswith("depth"):
        return max(1, value // profile.depth_divisor)
    if name.endswith(("dropout", "drop_path")) and profile.drop_path is not None:
        return profile.drop_path
    return value
