"""The networks of the five papers by name; `build` is the way in."""

from dataclasses import fields
from importlib import import_module

from poselib.errors import InputError
from poselib.layers.lifter import Lifter

# One file each, called like the model; only the one asked for is loaded.
MODELS = ("mixste", "poseformer", "mhformer", "strided_transformer", "uplift_upsample", "ampose", "gla_gcn")
# Those that convolve along the skeleton, and so must know whose joints they get.
WITH_TREE = ("ampose", "gla_gcn")


def build(name: str, **config) -> Lifter:
    """A freshly initialised model, float32, in training mode.

    Args:
        name: one of `MODELS`.
        config: what differs from the paper's main row, for example frames, joints, in_channels, dim, depth, heads.

    Raises:
        InputError: unknown model, or an argument that its configuration does not have.
    """
    if name not in MODELS:
        raise InputError(f"unknown model {name!r}; known: {', '.join(MODELS)}")
    module = import_module(f"poselib.models.{name}")
    model_class = next(c for c in vars(module).values() if isinstance(c, type) and vars(c).get("name") == name)
    known = [field.name for field in fields(model_class.config_class)]
    if unknown := sorted(set(config) - set(known)):
        raise InputError(f"model {name!r} has no setting {unknown[0]!r}; it has: {', '.join(known)}")
    return model_class(model_class.config_class(**config))
