"""What a stage's results depend on: the package files it needs, and a fingerprint of what they do.

A training depends on one fingerprint instead of on forty files: dvc.lock stays small, and a comment or a docstring
retrains nothing.
"""

import ast
import hashlib
import json
import re
from pathlib import Path

from poselib.project import notebooks

FOLDER = "data/code"
DATA = (".json", ".html", ".css")


def units(root: Path) -> dict[str, list[str]]:
    """What is fingerprinted by name, and the package files of each.

    Names are 'train', 'evaluate', 'models/<name>' and 'notebooks/<name>'; 'scratch' has no files: what a training
    depends on that starts from no other's weights.
    """
    models = [path for path in sorted((root / "poselib/models").glob("*.py")) if path.stem != "__init__"]
    starts = {name: [root / f"poselib/stages/{name}.py"] for name in ("train", "evaluate")}
    starts |= {f"models/{path.stem}": [path] for path in models}
    starts |= {f"notebooks/{name}": _of_notebook(root, name) for name in notebooks(root)}
    return {"scratch": [], **{name: sorted(closure(root, *paths)) for name, paths in starts.items()}}


def _of_notebook(root: Path, name: str) -> list[Path]:
    path = root / "notebooks" / f"{name}.ipynb"
    built = re.findall(r'build\(\s*"(\w+)"', code_of(path))
    return [path, root / "poselib/stages/table.py", *(root / f"poselib/models/{model}.py" for model in built)]


def fingerprint(root: Path, files: list[str]) -> dict[str, str]:
    """A digest of each file that docstrings, comments and layout do not change."""
    return {name: hashlib.sha256(_meaning(root / name)).hexdigest()[:16] for name in files}


def _meaning(path: Path) -> bytes:
    if path.suffix != ".py":
        return path.read_bytes()
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if (
            isinstance(body, list)
            and body
            and isinstance(body[0], ast.Expr)
            and isinstance(body[0].value, ast.Constant)
        ):
            body[0].value.value = None
    return ast.dump(tree).encode()


def closure(root: Path, *starts: Path) -> set[str]:
    """Package files that the starting files need: imported, directly or through others, or named beside a module.

    Args:
        starts: modules or notebooks; modules among them belong to the result.

    Returns:
        Paths relative to the project.
    """
    seen, waiting = set(), list(starts)
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += _imported(root, path)
    data = {
        beside
        for path in seen
        for beside in path.parent.iterdir()
        if beside.suffix in DATA and beside.name in path.read_text()
    }
    return {path.relative_to(root).as_posix() for path in seen | data if path.suffix in (".py", *DATA)}


def _imported(root: Path, path: Path) -> set[Path]:
    """Files imported by name; a package's __init__ counts where a name comes from it."""
    found = set()
    for node in ast.walk(ast.parse(code_of(path))):
        if isinstance(node, ast.Import):
            found |= {_file(root, alias.name) for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {_file(root, f"{node.module}.{alias.name}") or _file(root, node.module) for alias in node.names}
    return found - {None}


def code_of(path: Path) -> str:
    """The Python text of a module, or of a notebook's code cells."""
    if path.suffix == ".py":
        return path.read_text()
    cells = json.loads(path.read_text())["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def _file(root: Path, module: str) -> Path | None:
    if module.split(".")[0] != "poselib":
        return None
    base = root / Path(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)
