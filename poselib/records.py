"""What the stages wrote of the runs: records, logs and timings, and the runs that fill a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from poselib.commit import code_commit
from poselib.errors import InputError
from poselib.experiments import Experiment, load_experiments, load_parameters, load_tables
from poselib.project import stage_of
from poselib.record_file import SOURCES, read_record


@dataclass(frozen=True)
class Run:
    """What fills a table row: a named experiment, with its record where it has been run, or the reason why not.

    `view` says where in each seed's record the errors stand; '' is at its top.
    """

    name: str
    key: Mapping[str, str | int | float]
    record: Mapping | None
    view: str = ""
    not_run: str = "no record yet, 'dvc repro' makes it"

    @property
    def per_joint(self) -> dict[str, float]:
        """Error of every joint, mean over seeds, mm."""
        return {joint: self.values("per_joint", joint).mean() for joint in self.record["seeds"][0]["per_joint"]}

    @property
    def summaries(self) -> list[Mapping]:
        """Per seed what the run's errors stand in: 'action_mean', 'per_action', 'per_recording' and more."""
        found = list(self.record["seeds"])
        for part in self.view.split(".") if self.view else ():
            found = [summary[part] for summary in found]
        return found

    def values(self, *path: str) -> np.ndarray:
        """One number per seed, found under these keys of the record, (S,); millimetres for errors."""
        found = []
        for value in self.summaries:
            for part in path:
                value = value[part]
            found.append(float(value))
        return np.array(found)

    def errors(self, metric: str) -> np.ndarray:
        """What a table prints of this metric, one number per seed, (S,)."""
        return self.values("action_mean", metric)

    def is_twin_of(self, other: "Run") -> bool:
        """Whether another experiment came down to this one's training and test, as small profiles make some equal."""
        if self.name == other.name or self.view != other.view:
            return False
        settings = [{**run.record["setting"], "paper": "", "also_on": []} for run in (self, other)]
        return self.record["role"] == other.record["role"] and settings[0] == settings[1]


def runs_of(root: Path, table: str, results: str) -> list[Run]:
    """What fills this table's rows, with the records under <results>/metrics.

    Args:
        table: 'paper/tableNN'; results: a folder below `root`, or empty for the one that params.yaml names.

    Raises:
        InputError: no experiment names the table, or a record is not readable.
    """
    rows, experiments = load_tables(root).get(table), load_experiments(root)
    if not rows:
        raise InputError(f"experiments/ names no runs for table {table!r}; add them under 'tables'")
    folder, runs = root / _chosen(root, results) / "metrics", []
    for row in rows:
        if row.experiment is None:
            runs.append(Run("", row.row, None, not_run=row.not_run))
        else:
            record = read_record(folder / f"{row.record}.json")
            runs.append(Run(row.record, row.row, record, _as_run(row.view, experiments[row.experiment], record)))
    return runs


def _as_run(view: str, experiment: Experiment, record: Mapping | None) -> str:
    """The view with the input stride that a profile made of the paper's."""
    kind, *rest = view.split(".")
    if record is None or kind != "by_input_stride":
        return view
    said = experiment.input_strides or [experiment.frame_stride]
    ran = record["setting"]["input_strides"] or [record["setting"]["frame_stride"]]
    return ".".join([kind, str(ran[said.index(int(rest[0]))]), *rest[1:]])


def log_of(root: Path, results: str, run: str) -> pd.DataFrame:
    """The training log of a run: a row per seed and epoch with updates, loss and errors in mm.

    Raises:
        InputError: the experiment has not been run.
    """
    return _noted(root, results, f"{run}.csv")


def timing_of(root: Path, results: str, run: str) -> pd.DataFrame:
    """When a run's epochs were done: a row per seed and epoch with the seconds since the start of that training.

    Raises:
        InputError: the experiment has not been run.
    """
    return _noted(root, results, f"{run}.timing.csv")


def _noted(root: Path, results: str, name: str) -> pd.DataFrame:
    path = root / _chosen(root, results) / "logs" / name
    if not path.is_file():
        raise InputError(f"{path}: no such log; run 'dvc repro' first")
    return pd.read_csv(path)


def predictions_of(root: Path, run: str) -> Mapping[str, np.ndarray]:
    """What the first seed of a run predicted of the test videos.

    Returns:
        'poses_3d' (N, J, 3) metres, root-relative, camera frame; 'joint_errors_mm' (N, J); 'frames' (N,), numbers
        within the prepared set.

    Raises:
        InputError: the experiment has not been run here; predictions are not kept in git.
    """
    path = root / "predictions" / f"{run}.npz"
    if not path.is_file():
        raise InputError(f"{path}: no such predictions; run 'dvc repro' first")
    return np.load(path)


def folder_of(root: Path, results: str, paper: str) -> Path:
    """<results>/<paper>, where a notebook writes."""
    return root / _chosen(root, results) / paper


def _chosen(root: Path, results: str) -> str:
    """An empty `results` means what params.yaml names, so that a notebook opened by hand reads what its stage read."""
    return results or load_parameters(root).results


def named(runs: Sequence[Run], experiment: str) -> Run:
    """The run of this experiment.

    Raises:
        InputError: the table has no such run, or it has not been run.
    """
    found = {run.name: run for run in runs}
    if experiment not in found:
        raise InputError(f"the table has no run {experiment!r}; it has: {', '.join(found)}")
    if found[experiment].record is None:
        raise InputError(f"experiment {experiment!r} has no record yet; run 'dvc repro' first")
    return found[experiment]


def by_name(runs: Sequence[Run]) -> dict[str, Run]:
    """The runs by experiment name; where one fills several rows, the first."""
    return {run.name: run for run in reversed(runs)}


def source_line(runs: Sequence[Run]) -> str:
    """Where the runs' numbers come from, for captions: source, profile, seeds, and the credits that are due.

    Raises:
        InputError: records of one role that were made of different data, or in different profiles.
    """
    records = [run.record for run in runs if run.record is not None]
    if not records:
        return "not run: no record yet"
    first, by_role = records[0], {}
    for record in records:
        known = by_role.setdefault(record["role"], record)
        if (record["data"], record["profile"]) != (known["data"], first["profile"]):
            raise InputError(
                f"the record of {record['experiment']} is of other data or another profile; run 'dvc repro' again"
            )
    sources = [f"{SOURCES[record['source']]} for {role}" for role, record in by_role.items()]
    parts = [SOURCES[first["source"]] if len(by_role) == 1 else ", ".join(sources)]
    seeds = sorted({len(record["seeds"]) for record in records})
    parts += [f"profile {first['profile']}", f"{' or '.join(map(str, seeds))} seed(s)"]
    credits = [text for record in by_role.values() if record["source"] != "synthetic" for text in record["credits"]]
    return "; ".join(parts + list(dict.fromkeys(credits)))


def footer(root: Path, notebook: str, runs: Sequence[Run] = ()) -> str:
    """Where a table or figure comes from: notebook, stage, commit of the code, and the runs' source, profile, seeds.

    Args:
        notebook: 'paper/tableNN'; runs: empty for what is counted and needs no data.
    """
    stage = stage_of(notebook)
    made = f"notebooks/{notebook}.ipynb; stage {stage}; code at commit {code_commit(root)}"
    return f"{made}; {source_line(runs) + _thinned(root, runs) if runs else 'counted, no data'}"


def _thinned(root: Path, runs: Sequence[Run]) -> str:
    profiles = {run.record["profile"] for run in runs if run.record is not None}
    every = load_parameters(root, profiles.pop()).chosen.every if profiles else 1
    return f"; one in {every} frames of a recording kept" if every > 1 else ""
