"""The stated rule by which a profile shrinks an experiment."""

import math

from poselib.experiments import Experiment, Profile, Setting

# A clip of a model that strides is a power of 3; longer ones would be most of a small profile's work.
LONGEST_STRIDED = 27


def scaled(experiment: Experiment, profile: Profile) -> Experiment:
    """The experiment as a profile runs it; the rule is the profile's fields and nothing else."""
    options = {name: _option(name, value, profile) for name, value in experiment.options.items()}
    small = {
        "frames": _frames(experiment, profile),
        "depth": experiment.depth and max(1, experiment.depth // profile.depth_divisor),
        "dim": _width(experiment.dim, profile),
        "heads": experiment.heads and (profile.heads or experiment.heads),
        "options": options,
        "epochs": profile.epochs or experiment.epochs,
        "batches": profile.batches or experiment.batches,
        "schedule": profile.schedule or experiment.schedule,
        "lr": experiment.lr * profile.lr_factor.get(experiment.optimiser, 1.0),
        "frame_stride": max(1, experiment.frame_stride // profile.every),
        "input_strides": [max(1, stride // profile.every) for stride in experiment.input_strides],
    }
    if experiment.interval is not None:
        small["interval"] = max(1, round(experiment.interval * small["frames"] / experiment.frames))
    if profile.drop_path is not None and experiment.drop_path is not None:
        small["drop_path"] = profile.drop_path
    for kind in ("batch_clips", "batch_frames"):
        if batch := getattr(experiment, kind):
            small[kind] = max(1, round(batch / profile.batch_divisor.get(experiment.model, 1.0)))
    if "strides" in options and profile.frames_power is not None:
        options["strides"] = [3] * round(math.log(small["frames"], 3))
        if "paddings" in options:
            options["paddings"] = [[0, 0] for _ in options["strides"]]
    return experiment.model_copy(update=small)


def _frames(experiment: Experiment, profile: Profile) -> int:
    if profile.frames_power is None or experiment.frames == 1:
        return experiment.frames
    frames = max(2, round((experiment.frames * experiment.frame_stride) ** profile.frames_power))
    if experiment.model == "mixste":
        return frames
    if experiment.model in ("poseformer", "mhformer"):
        return 2 * frames - 1
    return min(LONGEST_STRIDED, 3 ** (frames - 1))


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
