"""Stage settings: what params.yaml and experiments/ come to for each experiment and each table.

Trainings and tables depend on their own small file of these: changing one experiment leaves the others alone, and DVC
reads no YAML to see it, which for hundreds of stages takes most of a minute.
"""

import json
from pathlib import Path

from poselib.experiments import SETTINGS, Parameters, load_experiments, load_parameters, load_tables
from poselib.files import whole_folder
from poselib.scaling import scaled

# What a training or an evaluation takes from the profile itself.
FROM_PROFILE = ("selection_clips", "distinct_start", "threads")


def run(root: Path) -> None:
    """Write data/settings/runs/<experiment>.json and data/settings/tables/<notebook>.json.

    Raises:
        InputError: params.yaml or a file of experiments/ is not as it should be.
    """
    parameters, experiments = load_parameters(root), load_experiments(root)
    found = {
        f"runs/{name}": {
            **_shared(parameters),
            "experiment": scaled(experiment, parameters.chosen, name).model_dump(mode="json"),
        }
        for name, experiment in experiments.items()
    }
    for table, rows in load_tables(root).items():
        found[f"tables/{table}"] = {"rows": [row.model_dump(mode="json") for row in rows]}
    with whole_folder(root / SETTINGS) as partial:
        for name, content in found.items():
            path = partial / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content, indent=1) + "\n")


def _shared(parameters: Parameters) -> dict:
    profile = {key: getattr(parameters.chosen, key) for key in FROM_PROFILE}
    if parameters.chosen.precision != "float32":
        profile["precision"] = parameters.chosen.precision
    return {"profile": parameters.profile, "seeds": parameters.seeds, **profile}
