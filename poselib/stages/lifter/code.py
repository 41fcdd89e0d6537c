"""Stage code: fingerprints of what the other stages of the lifter compute with."""

import json
from pathlib import Path

from poselib.closure import FOLDER, closure, fingerprint
from poselib.files import write_whole
from poselib.stages.lifter.settings import Settings

STAGES = ("prepare", "train", "measure", "card")


def run(root: Path, settings: Settings) -> None:
    """Write data/code/lifter/<stage>.json, each {file: digest}."""
    folder = root / FOLDER / "lifter"
    folder.mkdir(parents=True, exist_ok=True)
    for name in STAGES:
        # Models are imported by name, where an import does not show.
        files = closure(root, root / f"poselib/stages/lifter/{name}.py", root / "poselib/models/mixste.py")
        write_whole(folder / f"{name}.json", json.dumps(fingerprint(root, sorted(files)), indent=1) + "\n")
