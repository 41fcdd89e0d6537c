"""The stated rule by which a profile shrinks an experiment."""

import math

from poselib.experiments import Experiment, Profile, Setting


def scaled(experiment: Experiment, profile: Profile) -> Experiment:
    """The experiment as a profile runs it; the rule is the profile's fields and nothing else."""
    small = {
        "frames": _frames(experiment, profile),
        "depth": experiment.depth and max(1, experiment.depth // profile.depth_divisor),
        "dim": _width(experiment.dim, profile),
        "heads": experiment.heads and (profile.heads or experiment.heads),
        "options": {name: _option(name, value, profile) for name, value in experiment.options.items()},
        "epochs": profile.epochs or experiment.epochs,
        "batches": profile.batches or experiment.batches,
        "schedule": profile.schedule or experiment.schedule,
        "lr": profile.lr or experiment.lr,
    }
    if experiment.interval is not None:
        small["interval"] = max(1, round(experiment.interval * small["frames"] / experiment.frames))
    if profile.drop_path is not None and experiment.drop_path is not None:
        small["drop_path"] = profile.drop_path
    if profile.batch_clips is not None:
        small |= {"batch_clips": profile.batch_clips, "batch_frames": None}
    if "strides" in experiment.options and profile.frames_divisor > 1:
        small["options"]["strides"] = [3] * round(math.log(small["frames"], 3))
        if "paddings" in experiment.options:
            small["options"]["paddings"] = [[0, 0] for _ in small["options"]["strides"]]
    return experiment.model_copy(update=small)


def _frames(experiment: Experiment, profile: Profile) -> int:
    if profile.frames_divisor == 1 or experiment.frames == 1:
        return experiment.frames
    frames = max(profile.frames_least, experiment.frames * experiment.frame_stride // profile.frames_divisor)
    if experiment.model == "mixste":
        return frames if frames % 2 else frames + 1
    return 3 ** math.ceil(math.log(frames, 3) - 1e-9)


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
