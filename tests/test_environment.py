"""One set of pins for pip and conda, and nothing of any particular machine."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

TEXT = (".py", ".md", ".yaml", ".yml", ".toml", ".lock", ".in", ".ipynb", ".csv", "")
ROOT = Path(__file__).resolve().parent.parent


def pins():
    lines = [
        line for line in (ROOT / "requirements.lock").read_text().splitlines() if line and not line.startswith("#")
    ]
    found = {}
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.!]+)", line)
        assert match, f"not an exact pin: {line}"
        found[match[1].lower().replace("_", "-").replace(".", "-")] = match[2]
    return found


def test_the_lock_pins_everything_exactly_once():
    assert pins()["torch"] == "2.13.0"
    assert len(pins()) > 150


@pytest.mark.parametrize("extra", [None, "workbook", "tests", "export", "video"])
def test_what_pyproject_asks_for_is_locked_in_range(extra):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    for text in wanted:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins()[requirement.name.lower().replace(".", "-")]), text


def test_top_level_requirements_are_locked_as_asked():
    for line in (ROOT / "requirements.in").read_text().split():
        requirement = Requirement(line)
        assert requirement.specifier.contains(pins()[requirement.name.lower().replace("_", "-")]), line


def test_conda_installs_the_same_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert "python=3.11" in python and "pip" in python
    assert pip == ["-r requirements.lock", "-e ."]


def test_no_machine_and_no_registry_is_named():
    names = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(names, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    pattern = re.compile(r"/(?:work|root|opt|home)/[a-z.]|--index-url|find-links|files\.pythonhosted", re.IGNORECASE)
    for name in listed:
        path = ROOT / name
        if path.suffix in TEXT and path.is_file():
            text = path.read_text(errors="ignore")
            if path != Path(__file__).resolve():
                assert not pattern.search(text), f"{name}: {pattern.search(text)}"
