"""Lifting 2D human poses to 3D: the models, strategies, losses and protocols of five papers."""

__version__ = "0.1.0"
