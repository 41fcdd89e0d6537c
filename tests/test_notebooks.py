"""The shape that every notebook has."""

import ast
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(p for p in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
HEADINGS = ["## Claim", "## Load", "## Table", "## Figure", "## Reading", "## Differences from the paper"]


def cells(path, kind="code"):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


@pytest.fixture(params=NOTEBOOKS, ids=lambda p: p.relative_to(ROOT / "notebooks").as_posix())
def path(request):
    return request.param


def test_sources_are_stripped_and_ids_ordinal(path):
    content = json.loads(path.read_text())
    assert content["metadata"]["kernelspec"]["name"] == "python3"
    assert set(content["metadata"]) == {"kernelspec", "language_info"}
    assert [cell["id"] for cell in content["cells"]] == [str(i) for i in range(len(content["cells"]))]
    for cell in cells(path):
        assert cell["outputs"] == [] and cell["execution_count"] is None


def test_one_parameters_cell_of_plain_literals(path):
    tagged = [cell for cell in cells(path) if "parameters" in cell["metadata"].get("tags", ())]
    assert len(tagged) == 1
    for node in ast.parse(source(tagged[0])).body:
        assert isinstance(node, ast.Assign)
        ast.literal_eval(node.value)


def test_cells_are_few_and_short_and_define_nothing(path):
    assert len(cells(path)) <= 12
    for cell in cells(path):
        text = source(cell)
        assert len(text.splitlines()) <= 15, text
        assert not any(word in text for word in ("sys.path", "/home", "http://", "https://"))
        kinds = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
        assert not [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if p.parent.name != "notebooks"], ids=lambda p: p.stem)
def test_table_notebooks_have_the_headings_in_order(path):
    text = "\n".join(source(cell) for cell in cells(path, "markdown"))
    assert text.startswith("# ")
    places = [text.find(heading) for heading in HEADINGS]
    assert -1 not in places and places == sorted(places)


def test_no_training_in_a_notebook(path):
    assert not any("poselib.training" in source(cell) for cell in cells(path))
