"""Kernels by forking serve notebooks and leave with their parent; that they write the same is in test_pipeline."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
RUN = """
import os
import sys
from pathlib import Path

import pandas

from poselib import forked_kernel
from poselib.papermill_run import run_notebook

forked_kernel.use_for_the_next_notebook()
run_notebook(Path(sys.argv[1]), Path(sys.argv[2]), {sys.argv[3]: 20})
print(os.getpid())
"""
WAIT = """
import time
from poselib import forked_kernel

forked_kernel.use_for_the_next_notebook()
print(forked_kernel._Forked.process_of_kernel.pid, flush=True)
time.sleep(60)
"""


def python(text, *arguments):
    return [sys.executable, "-c", text, *map(str, arguments)]


def run(text, *arguments):
    return subprocess.run(python(text, *arguments), cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.fixture
def notebook(tmp_path):
    """A notebook that says what is loaded, what its parameter is, and whose child its kernel is."""
    cells = [
        nbformat.v4.new_code_cell("number = 1", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("import sys\n'pandas' in sys.modules, number + 1"),
        nbformat.v4.new_code_cell("import os\nos.getppid()"),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), tmp_path / "in.ipynb")
    return tmp_path


def test_a_notebook_is_served_by_a_child_that_has_the_libraries(notebook):
    done = run(RUN, notebook / "in.ipynb", notebook / "out.ipynb", "number")
    cells = nbformat.read(notebook / "out.ipynb", 4).cells
    shown = [cell.outputs[0]["data"]["text/plain"] for cell in cells[2:]]
    assert shown == ["(True, 21)", done.stdout.split()[-1]]


def test_nbval_has_kernels_that_have_the_libraries(notebook):
    book = nbformat.read(notebook / "in.ipynb", 4)
    book.cells += [nbformat.v4.new_code_cell("assert 'pandas' in sys.modules")]
    nbformat.write(book, notebook / "in.ipynb")
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-p", "no:cacheprovider", "-n", "1", "--nbval-lax"]
    command += ["--nbval-current-env", "in.ipynb"]
    for passed in (3, 4):
        done = subprocess.run(command, cwd=notebook, capture_output=True, text=True, timeout=120)
        assert f"{passed} passed" in done.stdout, done.stdout
        shutil.copy(ROOT / "notebooks/conftest.py", notebook)


def test_a_kernel_that_no_notebook_asked_for_holds_nobody_up(notebook):
    done = run(RUN, notebook / "in.ipynb", notebook / "out.ipynb", "no_parameter")
    assert done.returncode == 1 and "has no parameter 'no_parameter'" in done.stderr


def test_a_waiting_kernel_ends_when_its_parent_is_killed():
    with subprocess.Popen(python(WAIT), cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        kernel = int(parent.stdout.readline())
        os.kill(kernel, 0)
        parent.send_signal(signal.SIGKILL)
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        try:
            os.kill(kernel, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    raise AssertionError(f"process {kernel} is still there")
