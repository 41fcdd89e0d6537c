"""Where the project is and which notebooks it has, so that notebooks and stages need no paths of their own."""

import json
from pathlib import Path

from poselib.errors import InputError

# Shows timings, which differ from run to run: it is for JupyterLab, and no stage keeps a copy.
IN_PLACE = {"explore_speed"}


def root() -> Path:
    """The folder that holds `dvc.yaml`, found by walking up from the working directory.

    Raises:
        InputError: no folder above the working directory holds the file.
    """
    start = Path.cwd()
    for folder in (start, *start.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    raise InputError(f"no dvc.yaml in {start} or above it; change to the project's folder and run the command again")


def notebooks(root: Path) -> list[str]:
    """The notebooks that stages run, as 'paper/tableNN'; explorations stand at the top and come last."""
    found = [path.relative_to(root / "notebooks") for path in (root / "notebooks").rglob("*.ipynb")]
    kept = {path.with_suffix("").as_posix() for path in found if ".ipynb_checkpoints" not in path.parts}
    return sorted(kept - IN_PLACE, key=lambda name: ("/" not in name, name))


def stage_of(notebook: str) -> str:
    """Name of the stage that runs a notebook, 'table-paper-tableNN'."""
    return f"table-{notebook.replace('/', '-')}"


def title(root: Path, notebook: str) -> str:
    """The heading a notebook begins with."""
    cells = json.loads((root / "notebooks" / f"{notebook}.ipynb").read_text())["cells"]
    return "".join(cells[0]["source"]).splitlines()[0].removeprefix("# ")
