"""YAML files from people: read without making anything but plain values, and checked against a model."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from poselib.errors import InputError

# The same safe reader in C where PyYAML was built with it: ten times as fast.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Checked = TypeVar("Checked", bound=BaseModel)


def read_yaml(path: Path) -> dict:
    """A YAML file as a dictionary.

    Raises:
        InputError: missing, not YAML, or not a dictionary.
    """
    try:
        content = yaml.load(path.read_text(), Loader)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; run from a complete checkout") from error
    except (yaml.YAMLError, OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid YAML ({' '.join(str(error).split())}); correct it") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected keys and values; correct it")
    return content


def checked(model: type[Checked], content: object, label: str) -> Checked:
    """The content as an instance of the model; `label` names file and key.

    Raises:
        InputError: unknown key or wrong type.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        known = ", ".join(model.model_fields)
        remedy = f"known keys: {known}" if first["type"] == "extra_forbidden" else "correct it"
        raise InputError(f"{label}: {key}: {first['msg']}; {remedy}") from error
