"""Stage table: one notebook, run by papermill; the executed copy and what it writes are results."""

import json
from pathlib import Path

from poselib.errors import InputError
from poselib.experiments import load_parameters
from poselib.papermill_run import parameters_of, run_notebook


def run(root: Path, name: str, settings: list[str]) -> None:
    """Execute notebooks/<name>.ipynb into <results>/<name>.ipynb.

    Args:
        settings: further parameters as 'key=value', the value in JSON or plain text.

    Raises:
        InputError: no such notebook, or a parameter it does not have.
    """
    parameters = load_parameters(root)
    source, target = root / "notebooks" / f"{name}.ipynb", root / parameters.results / f"{name}.ipynb"
    given = dict(_setting(text) for text in settings)
    # Explorations do not read results; only what times models needs the profile.
    known = parameters_of(source)
    chosen = {key: getattr(parameters, key) for key in ("results", "profile") if key in known}
    run_notebook(source, target, {**chosen, **given})


def _setting(text: str) -> tuple[str, object]:
    key, separator, value = text.partition("=")
    if not separator:
        raise InputError(f"parameter {text!r} is not of the form key=value; correct it")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value
