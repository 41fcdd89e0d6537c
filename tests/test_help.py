"""What is asked often loads little: help, and the import of what notebooks share."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CALL = """
import runpy, sys
sys.argv = ["poselib", *{arguments!r}]
try:
    runpy.run_module("poselib", run_name="__main__")
except SystemExit as end:
    assert not end.code, end.code
print(*sys.modules)
"""


def loaded(code):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "arguments", [["--help"], ["table", "--help"], ["doctor", "--help"], ["lift", "--help"]], ids=" ".join
)
def test_help_loads_no_library(arguments):
    *told, modules = loaded(CALL.format(arguments=arguments)).splitlines()
    assert "Usage" in "".join(told)
    assert "poselib.errors" in modules.split()
    assert not {"torch", "pandas", "scipy", "numpy"} & set(modules.split())


def test_claims_load_scipy_stats_when_they_need_it():
    judge = "claims.pearson({name: float(name) for name in '123'}, dict(zip('123', (1.0, 3.0, 2.0))))"
    before, after = loaded(
        f"import sys\nfrom poselib import claims\nprint(*sys.modules)\n{judge}\nprint(*sys.modules)"
    ).splitlines()
    assert "scipy.special" in before.split() and "scipy.stats" not in before.split()
    assert "scipy.stats" in after.split()


@pytest.mark.skipif(not Path("/sys/kernel/mm/transparent_hugepage").is_dir(), reason="no huge pages on this system")
def test_a_command_has_torch_ask_for_huge_pages_unless_told_otherwise():
    # torch advises the system to back an allocation of megabytes by huge pages; smaps has the flag "hg" where it did.
    code = CALL.format(arguments=["doctor", "--help"]) + (
        "import torch; kept = torch.ones(2**25)\n"
        "print('advised', any(' hg' in line for line in open('/proc/self/smaps')))"
    )
    assert "advised True" in loaded(code)
    assert "advised False" in loaded("import os; os.environ['THP_MEM_ALLOC_ENABLE'] = '0'" + code)
