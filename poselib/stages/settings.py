"""Stage settings: what params.yaml and experiments/ come to for each experiment and each table.

Trainings and tables depend on their own small file of these: changing one experiment leaves the others alone, and DVC
reads no YAML to see it, which for hundreds of stages takes most of a minute.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from poselib.errors import InputError
from poselib.experiments import (
    SETTINGS,
    Experiment,
    ModelName,
    OptimiserName,
    Parameters,
    load_experiments,
    load_parameters,
    load_tables,
)
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
    for key in ("batches", "lr_factor"):
        known = {*experiments, *get_args(ModelName), *get_args(OptimiserName)}
        if unknown := sorted(getattr(parameters.chosen, key).keys() - known):
            place = f"params.yaml, profiles.{parameters.profile}.{key}"
            raise InputError(f"{place}: no experiment, model or optimiser {unknown[0]!r}; correct the name")
    found = {
        f"runs/{name}": {"seeds": parameters.seeds, **of_training(parameters, experiment, name)}
        for name, experiment in experiments.items()
    }
    for table, rows in load_tables(root).items():
        found[f"tables/{table}"] = {"rows": [row.model_dump(mode="json") for row in rows]}
    with whole_folder(root / SETTINGS) as partial:
        for name, content in found.items():
            path = partial / f"{name}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content, indent=1) + "\n")


def of_training(parameters: Parameters, experiment: Experiment, name: str) -> dict:
    """What a seed of the experiment of this name is trained with, besides data and code; values of JSON."""
    profile = {key: getattr(parameters.chosen, key) for key in FROM_PROFILE}
    if parameters.chosen.precision != "float32":
        profile["precision"] = parameters.chosen.precision
    setting = scaled(experiment, parameters.chosen, name).model_dump(mode="json")
    return {"profile": parameters.profile, **profile, **setting}


def check_trained(path: Path, about: Mapping, data: str, setting: dict) -> None:
    """See that a checkpoint is of the data and of the settings that hold now.

    Args:
        about: the checkpoint's metadata, "data" and "setting" among it.
        data: fingerprint of the prepared set it should be trained on.
        setting: as `of_training` gives it now.

    Raises:
        InputError: it was trained otherwise.
    """
    if about["data"] != data:
        raise InputError(f"{path}: trained on other data than is prepared now; train it again")
    then = about["setting"] if isinstance(about["setting"], dict) else {}
    if changed := sorted(key for key in then.keys() | setting.keys() if then.get(key) != setting.get(key)):
        raise InputError(f"{path}: trained with another {', '.join(changed)} than is set now; train it again")
