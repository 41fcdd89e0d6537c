"""Where the project is, so that notebooks and stages need no paths of their own."""

from pathlib import Path

from poselib.errors import InputError


def root() -> Path:
    """The folder that holds `dvc.yaml`, found by walking up from the working directory.

    Raises:
        InputError: no folder above the working directory holds the file.
    """
    start = Path.cwd()
    for folder in (start, *start.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    raise InputError(f"no dvc.yaml in {start} or above it; run the command in the project's folder")
