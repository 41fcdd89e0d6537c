"""Lifting 2D human poses to 3D: the models, strategies, losses and protocols of five papers."""

__version__ = "0.1.0"


def __getattr__(name: str):
    # Loads torch only when it is asked for.
    if name == "lift":
        from importlib import import_module

        return import_module("poselib.lifting").lift
    raise AttributeError(f"module 'poselib' has no attribute {name!r}")
