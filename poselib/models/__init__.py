"""The networks of the five papers by name; `build` is the way in."""

from dataclasses import fields

from torch import nn

from poselib.errors import InputError
from poselib.models.mixste import MixSTE

MODELS: dict[str, type[nn.Module]] = {"mixste": MixSTE}


def build(name: str, **config) -> nn.Module:
    """A freshly initialised model, float32, in training mode.

    Args:
        name: one of `MODELS`.
        config: what differs from the paper's main row, for example frames, joints, in_channels, dim, depth, heads.

    Raises:
        InputError: unknown model, or an argument that its configuration does not have.
    """
    if name not in MODELS:
        raise InputError(f"unknown model {name!r}; known: {', '.join(MODELS)}")
    model_class = MODELS[name]
    known = [field.name for field in fields(model_class.config_class)]
    if unknown := sorted(set(config) - set(known)):
        raise InputError(f"model {name!r} has no setting {unknown[0]!r}; it has: {', '.join(known)}")
    return model_class(model_class.config_class(**config))
