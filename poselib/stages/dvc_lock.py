"""What dvc.lock says is done, asked and written for many stages at a time.

The commands `dvc status` and `dvc commit` read dvc.yaml and dvc.lock anew for every stage that they are given, and the
second writes the lock anew, which for some hundred stages takes minutes; DVC's Python interface does it once.
"""

from collections.abc import Collection
from contextlib import chdir
from pathlib import Path

from dvc.exceptions import DvcException
from dvc.repo import Repo

from poselib.errors import InputError


def stale(root: Path, kinds: Collection[str]) -> list[str]:
    """Names of stages, of these names or groups, whose dependencies, outputs or command are not those recorded.

    Raises:
        InputError: dvc.yaml or dvc.lock cannot be read.
    """
    try:
        with chdir(root), Repo() as repo, repo.lock:
            return [stage.name for stage in repo.index.stages if stage.name.split("@")[0] in kinds and stage.status()]
    except (DvcException, OSError) as error:
        raise _told("dvc status", error) from error


def record(root: Path, names: Collection[str]) -> None:
    """Note that these stages were run on what lies there now, and keep their outputs in DVC's cache.

    Raises:
        InputError: an output is missing, or the lock cannot be written.
    """
    if not names:
        return
    try:
        with chdir(root), Repo() as repo, repo.lock:
            done = [stage for stage in repo.index.stages if stage.name in names]
            for stage in done:
                stage.save()
                stage.commit()
            done[0].dvcfile.dump_stages(done, update_pipeline=False)
    except (DvcException, OSError) as error:
        raise _told("dvc commit", error) from error


def _told(command: str, error: Exception) -> InputError:
    """What DVC says in several lines, a full disk and another run of DVC among it, in one."""
    return InputError(f"{command}: {' '.join(str(error).split())}; correct it and give the command again")
