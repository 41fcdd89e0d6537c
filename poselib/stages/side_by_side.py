"""Train and evaluate what is stale, several experiments at a time; DVC itself runs one stage after the other.

The stages' own commands run as they stand in dvc.yaml, and `dvc commit` records what they made; a plain `dvc repro`
afterwards finds nothing of it left to do.
"""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from poselib.errors import InputError


def run(root: Path, jobs: int) -> None:
    """Bring data, trainings and evaluations up to date.

    Raises:
        InputError: an experiment failed; what the others made is recorded.
    """
    _dvc(root, "repro", "-q", "prepare")
    stale = json.loads(_dvc(root, "status", "--json", capture=True) or "{}")
    trained, evaluated = ([n.split("@")[1] for n in stale if n.startswith(kind)] for kind in ("train@", "evaluate@"))

    def bring(name: str) -> list[str]:
        done = []
        for stage in ("train", "evaluate") if name in trained else ("evaluate",):
            if subprocess.run([sys.executable, "-m", "poselib", stage, name], cwd=root).returncode:
                return done
            done.append(f"{stage}@{name}")
        return done

    names = list(dict.fromkeys([*trained, *evaluated]))
    with ThreadPoolExecutor(jobs) as pool:
        finished = list(pool.map(bring, names))
    made = [stage for stages in finished for stage in stages]
    if made:
        _dvc(root, "commit", "-q", "-f", *made)
    if failed := [name for name, stages in zip(names, finished, strict=True) if f"evaluate@{name}" not in stages]:
        raise InputError(f"experiment {failed[0]!r} failed, see above; correct it and give the command again")


def _dvc(root: Path, *arguments: str, capture: bool = False) -> str:
    done = subprocess.run(["dvc", *arguments], cwd=root, capture_output=capture, text=True)
    if done.returncode:
        raise InputError(f"dvc {' '.join(arguments[:2])} failed, see above; correct it and give the command again")
    return done.stdout or ""
