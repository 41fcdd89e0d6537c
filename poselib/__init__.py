"""Lifting 2D human poses to 3D: the models, strategies, losses and protocols of five papers."""

__version__ = "0.1.0"


# What `import poselib` alone gives, beside `lift`.
PUBLIC = (
    "models",
    "strategies",
    "losses",
    "metrics",
    "protocols",
    "geometry",
    "skeleton",
    "data",
    "interop",
    "complexity",
)


def __getattr__(name: str):
    # Loads torch only when it is asked for.
    from importlib import import_module

    if name == "lift":
        return import_module("poselib.lifting").lift
    if name in PUBLIC:
        return import_module(f"poselib.{name}")
    raise AttributeError(f"module 'poselib' has no attribute {name!r}")
