"""Stages of lifter/dvc.yaml: the checkpoint that ships with the package, and how far to trust it."""
