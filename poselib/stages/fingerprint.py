"""Stage code: fingerprints of what trainings and evaluations compute with."""

import json
from pathlib import Path

from poselib.closure import FOLDER, fingerprint, units
from poselib.files import write_whole


def run(root: Path) -> None:
    """Write data/code/<unit>.json, each {file: digest}."""
    for name, files in units(root).items():
        text = json.dumps(fingerprint(root, files), indent=1) + "\n"
        write_whole(root / FOLDER / f"{name}.json", text)
