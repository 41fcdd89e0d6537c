"""Import directions, file sizes, and silence on import."""

import ast
import io
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

from poselib import PUBLIC

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "poselib"
FILES = sorted(PACKAGE.rglob("*.py"))

# A file imports from its own group and from those above it.
GROUPS = [
    {"errors", "project", "files", "commit", "yaml_file"},
    {"skeleton", "skeleton_cmu", "geometry"},
    {"procrustes", "metrics", "motion_quality", "protocols", "losses", "augmentation", "optimisers"},
    {"layers"},
    {"models", "strategies"},
    {"data"},
    {"keypoints"},
    {
        *("recipe", "distinct_start", "training", "averaging", "inference", "evaluation", "checkpoints", "interop"),
        *("complexity", "float_operations", "distributed", "progress", "half_precision"),
    },
    {
        *(
            "experiments",
            "scaling",
            "closure",
            "pipeline",
            "record_file",
            "records",
            "gaps",
            "tables",
            "switches",
            "figures",
            "claims",
        ),
        *("ledger", "scoreboard", "papermill_run", "forked_kernel", "gpu_hours"),
    },
    {"site", "lifting"},
    {"stages", "bench"},
    {"__main__"},
]


def group_of(module):
    return next(i for i, group in enumerate(GROUPS) if module in group)


def top(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("poselib"):
            parts = node.module.split(".")[1:]
            yield from ([parts] if parts else [[alias.name] for alias in node.names])


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    if path == PACKAGE / "__init__.py":
        return
    for parts in imports_of(path):
        assert group_of(parts[0]) <= group_of(top(path)), f"{path.name} imports poselib.{'.'.join(parts)}"


def test_models_never_import_models_and_data_only_skeleton_and_geometry():
    for path in (PACKAGE / "models").glob("*.py"):
        if path.name != "__init__.py":
            assert not [p for p in imports_of(path) if p[0] == "models"], path.name
    for path in (PACKAGE / "data").glob("*.py"):
        assert {p[0] for p in imports_of(path)} <= {
            "data",
            "skeleton",
            "skeleton_cmu",
            "geometry",
            "errors",
            "files",
        }, path.name


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_are_small_and_have_a_first_line(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 300
    assert ast.get_docstring(ast.parse(text)) or not text.strip()


def lines_of_code(path):
    """Lines that hold a token: neither blank, nor comment, nor docstring, which the house wants long."""
    text, lines = path.read_text(), set()
    empty = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in empty:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


def test_the_package_alone_gives_its_public_names():
    asked = "import poselib; print(*(getattr(poselib, name).__name__ for name in (*poselib.PUBLIC, 'lift')))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == [*(f"poselib.{name}" for name in PUBLIC), "lift"], done.stderr


def test_the_package_is_thin():
    lines = sum(map(lines_of_code, FILES))
    assert lines <= 12700, f"{lines} lines of code; a change that crosses 12700 removes something"


QUIET = """
import sys, importlib, torch
before = torch.get_rng_state()
for name in {modules!r}:
    importlib.import_module(name)
assert torch.equal(before, torch.get_rng_state())
assert not torch.cuda.is_initialized()
"""


def test_nothing_happens_on_import(tmp_path):
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in FILES]
    code = QUIET.format(modules=[m for m in modules if not m.endswith("__main__")])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "module",
    [
        *("tables", "figures.velocity", "figures.attention", "claims", "scoreboard", "site.build", "metrics"),
        *("figures.explore_attention", "figures.explore_data", "figures.explore_predictions"),
    ],
)
def test_tables_figures_and_claims_never_load_torch(module):
    code = f"import sys, poselib.{module}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_no_module_is_called_after_nothing():
    assert not [p for p in FILES if p.stem in ("utils", "helpers", "common", "misc")]
