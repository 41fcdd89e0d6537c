"""Run a notebook with parameters, so that the executed copy has the same bytes whenever its inputs have."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import nbformat
import papermill

from poselib.errors import InputError
from poselib.files import held, room_for

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{8,}|/\S*ipykernel_\d+/\d+\.py")


def parameters_of(source: Path) -> list[str]:
    """Names that a notebook's tagged cell defines.

    Raises:
        InputError: no such notebook.
    """
    if not source.is_file():
        raise InputError(f"{source}: no such notebook; choose one of notebooks/")
    return list(papermill.inspect_notebook(source))


def run_notebook(source: Path, target: Path, parameters: Mapping[str, object]) -> None:
    """Execute `source` with `parameters` into `target`, which appears only if every cell ran.

    Raises:
        InputError: a missing notebook, a parameter that its tagged cell does not define, or bad input met in a cell.
        papermill.PapermillExecutionError: a cell failed; the partial copy is kept as <target>.running.ipynb.
    """
    known = parameters_of(source)
    if unknown := sorted(set(parameters) - set(known)):
        raise InputError(f"{source}: has no parameter {unknown[0]!r}; it has: {', '.join(known) or 'none'}")
    os.environ["PYTHONHASHSEED"] = "0"
    partial = target.with_suffix(".running.ipynb")
    # How many pieces a text arrives in differs from run to run; a busy machine may take minutes to start a kernel.
    options = {"coalesce_streams": True, "start_timeout": 300}
    options |= {"log_output": True, "progress_bar": False, "kernel_name": "python3"}
    with room_for(target), held(target):
        try:
            papermill.execute_notebook(source, partial, dict(parameters), **options)
            notebook = nbformat.read(partial, as_version=4)
            _strip(notebook)
            nbformat.write(notebook, partial)
        except papermill.PapermillExecutionError as error:
            if error.ename != "InputError":
                raise
            partial.unlink()
            raise InputError(f"{source.name}: {error.evalue}") from error
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        partial.replace(target)


def _strip(notebook: nbformat.NotebookNode) -> None:
    """Remove what differs from run to run: times, addresses, generated ids."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"run-{number:02d}"
        for key in ("papermill", "execution", "ExecuteTime"):
            cell.metadata.pop(key, None)
        for output in cell.get("outputs", ()):
            if "text" in output:
                output.text = _ADDRESS.sub("0x", output.text)
            # Widgets live only beside a kernel; the figure that stands with them stays.
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
            for kind, content in output.get("data", {}).items():
                if kind.startswith("text/") and isinstance(content, str):
                    output.data[kind] = _ADDRESS.sub("0x", content)
