"""The wheel alone: complete, and its core lifts where nothing of the workbook is installed."""

import shutil
import subprocess
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
WORKBOOK = ("pandas", "matplotlib", "dvc", "papermill", "jupyterlab", "nbformat", "ruamel.yaml", "seaborn", "plotly")
LIFT = """
import importlib, importlib.util, sys
from pathlib import Path
sys.path += {places!r}
assert not [name for name in {workbook!r} if importlib.util.find_spec(name.partition(".")[0])]
import torch
from poselib import checkpoints, geometry, losses, metrics, skeleton, strategies
from poselib.inference import lift_clips
from poselib.models import MODELS, build
assert checkpoints.__file__.startswith({places!r}[0])
for name in MODELS:
    importlib.import_module(f"poselib.models.{{name}}")
torch.manual_seed(0)
model = build("mixste", frames=9, depth=1, dim=16, heads=2).eval()
clip = torch.rand(2, 9, 17, 2) - 0.5
with torch.inference_mode():
    poses, plain = lift_clips(model, strategies.STRATEGIES["plain"], clip, skeleton.H36M_17.flip)
    assert poses.shape == (2, 9, 17, 3) and poses.isfinite().all() and not torch.equal(poses, plain)
    checkpoints.save(Path("small.safetensors"), model, {{}})
    torch.testing.assert_close(checkpoints.load(Path("small.safetensors"))[0].eval()(clip), plain)
import numpy as np, poselib
from poselib.errors import InputError
from poselib.lifting import Description, Trained
from poselib.lifting.saving import save
about = Description(joints=skeleton.H36M_17.names, fps=50.0, trained_on="nothing", limits="untrained")
Trained("small", model, about).save(Path("own.safetensors"))
points = np.random.default_rng(0).uniform(100, 900, (20, 17, 2))
found = poselib.lift(points, "coco", (1000, 1000), 30, checkpoint="own.safetensors")
assert found.poses_3d.shape == (20, 17, 3) and len(save(found, ".", ["npz", "csv", "json"])) == 3
for kind in ("html", "gif", "mp4"):
    try:
        save(found, ".", [kind])
    except InputError as error:
        assert "pip install '.[workbook]'" in str(error)
print("lifted", metrics.mpjpe(poses.numpy(), plain.numpy()).mean() > 0)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, since building leaves its traces in the sources."""
    place = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "poselib", place / "source/poselib", ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, place / "source")
    build = [*PIP, "wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "-w", place, place / "source"]
    subprocess.run(build, check=True, capture_output=True, text=True)
    (built,) = place.glob("poselib-*.whl")
    return built


def test_the_wheel_has_every_file_of_the_package(wheel):
    files = {path for path in (ROOT / "poselib").rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    expected = {path.relative_to(ROOT).as_posix() for path in files}
    assert {Path(name).suffix for name in expected} - {".safetensors", ".md"} == {".py", ".json", ".html", ".css"}
    assert {name for name in ZipFile(wheel).namelist() if name.startswith("poselib/")} == expected


def needed(requirements, found):
    """Distributions by name that these requirements, and theirs, come to without extras, where they are installed."""
    for requirement in map(Requirement, requirements or ()):
        if requirement.name not in found and (not requirement.marker or requirement.marker.evaluate({"extra": ""})):
            try:
                found[requirement.name] = distribution(requirement.name)
            except PackageNotFoundError:
                continue
            needed(found[requirement.name].requires, found)
    return found


def test_the_core_lifts_without_the_workbook(wheel, tmp_path):
    bare, core = tmp_path / "bare", tmp_path / "core"
    install = [*PIP, "install", "--quiet", "--no-index", "--no-deps", "--target", bare, wheel]
    subprocess.run(install, check=True, capture_output=True, text=True)
    (metadata,) = bare.glob("poselib-*.dist-info")
    core.mkdir()
    for installed in needed(Distribution.at(metadata).requires, {}).values():
        for top in {file.parts[0] for file in installed.files} - {"..", "__pycache__"}:
            if not (core / top).is_symlink():
                (core / top).symlink_to(installed.locate_file(top))
    code = LIFT.format(places=[str(bare), str(core)], workbook=WORKBOOK)
    # Isolated and without site-packages: what is not in the two folders is not installed.
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "lifted True\n"), done.stderr
