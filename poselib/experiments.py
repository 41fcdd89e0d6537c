"""Named experiments, profiles and parameters: typed, unknown keys refused. Nothing here imports torch."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from poselib.errors import InputError


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Experiment(_Strict):
    """One training with the paper's own values; the defaults are MixSTE's recipe (D-08 for the epochs)."""

    paper: Literal["tmt", "mixste"]
    model: Literal["mixste", "poseformer", "mhformer", "strided_transformer", "uplift_upsample", "ampose", "gla_gcn"]
    frames: int = Field(243, gt=0)  # T
    depth: int = Field(8, gt=0)  # d_l
    dim: int = Field(512, gt=0)  # d_m
    heads: int = Field(8, gt=0)
    drop_path: float = 0.1
    strategy: Literal["plain", "tmt", "tmt_step1", "tmt_step2", "tmt_v2", "tmt_a3", "tmt_va3", "tmt_equal_updates"] = (
        "plain"
    )
    role: Literal["h36m"] = "h36m"
    detector: Literal["gt", "cpn"]
    losses: Mapping[Literal["position", "weighted_position", "temporal_consistency", "velocity", "motion"], float] = {
        "weighted_position": 1.0,
        "temporal_consistency": 0.5,
        "velocity": 2.0,
    }
    epochs: int = Field(160, gt=0)
    batch_frames: int = Field(1024, gt=0)
    lr: float = Field(4e-5, gt=0)
    lr_decay: float = 0.99
    weight_decay: float = 0.1


class TableRow(_Strict):
    """The experiment that fills the row of a table with these key columns."""

    experiment: str
    row: Mapping[str, str | int]


class Profile(_Strict):
    """The stated rule by which experiments shrink; None leaves the paper's value."""

    about: str
    frames_divisor: int = 1  # T becomes max(frames_least, T / frames_divisor), made odd
    frames_least: int = 1
    depth_divisor: int = 1
    dim_cube_root: float | None = None  # d becomes dim_cube_root * d^(1/3), to the nearest multiple of 4
    heads: int | None = None
    drop_path: float | None = None
    epochs: int | None = None
    batches: int | None = None  # per epoch
    batch_clips: int | None = None
    lr: float | None = None
    schedule: Literal["exponential", "linear_tail"] = "exponential"
    selection_clips: int | None = None  # windows looked at to choose an epoch
    synthetic_seconds: float = Field(gt=0)  # length of a synthetic take; real ones have about 50 s
    threads: int | None = None


class Role(_Strict):
    """Which source fills a benchmark role, and from where."""

    source: Literal["synthetic", "cmu", "human36m"]
    path: str


class Parameters(_Strict):
    """params.yaml."""

    profile: str
    results: str
    seeds: list[int] = Field(min_length=1)
    roles: Mapping[str, Role]
    profiles: Mapping[str, Profile]

    @property
    def chosen(self) -> Profile:
        """The profile in force."""
        return self.profiles[self.profile]


def load_parameters(root: Path) -> Parameters:
    """params.yaml, checked.

    Raises:
        InputError: missing file, unknown key, wrong type, unknown profile.
    """
    parameters = _validate(Parameters, read_yaml(root / "params.yaml"), "params.yaml")
    if parameters.profile not in parameters.profiles:
        known = ", ".join(parameters.profiles)
        raise InputError(f"params.yaml: profile {parameters.profile!r} does not exist; it has: {known}")
    return parameters


def load_tables(root: Path) -> dict[str, list[TableRow]]:
    """Which experiments fill which tables: 'paper/tableNN' -> rows.

    Raises:
        InputError: unknown key, wrong type, or a row that names no experiment.
    """
    experiments, tables = load_experiments(root), {}
    for path in sorted((root / "experiments").glob("*.yaml")):
        for table, rows in _section(root, path, "tables").items():
            label = f"{path.relative_to(root)}, {table}"
            if not isinstance(rows, list):
                raise InputError(f"{label}: expected a list of rows; correct it")
            tables[table] = [_validate(TableRow, row, label) for row in rows]
            if unknown := [row.experiment for row in tables[table] if row.experiment not in experiments]:
                raise InputError(f"{label}: there is no experiment {unknown[0]!r}; add it under 'experiments'")
    return tables


def load_experiments(root: Path) -> dict[str, Experiment]:
    """All named experiments of experiments/*.yaml.

    Raises:
        InputError: unknown key, wrong type, or a name used twice.
    """
    experiments: dict[str, Experiment] = {}
    for path in sorted((root / "experiments").glob("*.yaml")):
        for name, entry in _section(root, path, "experiments").items():
            label = f"{path.relative_to(root)}, {name}"
            if name in experiments:
                raise InputError(f"{label}: the name is taken by another experiment; choose a new one")
            experiments[name] = _validate(Experiment, entry, label)
            if experiments[name].paper != path.stem:
                raise InputError(f"{label}: paper is {experiments[name].paper!r}; the file's name is the paper")
    return experiments


def _section(root: Path, path: Path, key: str) -> dict:
    content, label = read_yaml(path), path.relative_to(root)
    if unknown := sorted(set(content) - {"experiments", "tables"}):
        raise InputError(f"{label}: unknown key {unknown[0]!r}; known: experiments, tables")
    section = content.get(key) or {}
    if not isinstance(section, dict):
        raise InputError(f"{label}: {key} holds a {type(section).__name__}, not names with their values; correct it")
    return section


def load_experiment(root: Path, name: str) -> Experiment:
    """One named experiment.

    Raises:
        InputError: no such name; the message lists the nearest.
    """
    experiments = load_experiments(root)
    if name not in experiments:
        raise InputError(f"no experiment {name!r} in experiments/; known: {', '.join(sorted(experiments))}")
    return experiments[name]


def scaled(experiment: Experiment, profile: Profile) -> Experiment:
    """The experiment as a profile runs it; the rule is the profile's fields and nothing else."""
    frames = max(profile.frames_least, experiment.frames // profile.frames_divisor)
    dim = experiment.dim
    if profile.dim_cube_root is not None:
        dim = max(4, 4 * round(profile.dim_cube_root * math.cbrt(experiment.dim) / 4))
    changes = {
        "frames": frames if frames % 2 or profile.frames_divisor == 1 else frames + 1,
        "depth": max(1, experiment.depth // profile.depth_divisor),
        "dim": dim,
        "heads": profile.heads or experiment.heads,
        "drop_path": experiment.drop_path if profile.drop_path is None else profile.drop_path,
        "epochs": profile.epochs or experiment.epochs,
        "lr": profile.lr or experiment.lr,
    }
    return experiment.model_copy(update=changes)


def read_yaml(path: Path) -> dict:
    """A YAML file as a dictionary.

    Raises:
        InputError: missing, not YAML, or not a dictionary.
    """
    try:
        content = yaml.safe_load(path.read_text())
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; run from a complete checkout") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid YAML ({' '.join(str(error).split())}); correct it") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected keys and values; correct it")
    return content


def _validate(model: type[_Strict], content: object, label: str):
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        known = ", ".join(model.model_fields)
        remedy = f"; known keys: {known}" if first["type"] == "extra_forbidden" else ""
        raise InputError(f"{label}: {key}: {first['msg']}{remedy}") from error
