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
    except DvcException as error:
        raise InputError(f"dvc status: {error}; correct it and give the command again") from error


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
    except DvcException as error:
        raise InputError(f"dvc commit: {error}; correct it and give the command again") from error
