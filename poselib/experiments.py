"""Named experiments, profiles and parameters: typed, unknown keys refused. Nothing here imports torch."""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from poselib.errors import InputError
from poselib.yaml_file import checked, read_yaml

RECIPES = "experiments/recipes.yaml"
SETTINGS = "data/settings"


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


# Names become names of files: none may lead out of the folder that they are meant for.
NAME, FOLDERS = r"\w[\w.-]*", r"^\w[\w.-]*(/\w[\w.-]*)*$"
RoleName = Literal["h36m", "mpi_inf_3dhp", "humaneva", "amass"]
ModelName = Literal["mixste", "poseformer", "mhformer", "strided_transformer", "uplift_upsample", "ampose", "gla_gcn"]
OptimiserName = Literal["adamw", "adam_amsgrad", "ranger"]
Betas = Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=2, max_length=2)]
Count, Factor = Annotated[int, Field(gt=0)], Annotated[float, Field(gt=0)]
Setting = bool | int | float | str | list[int] | list[list[int]]


class Experiment(_Strict):
    """One training with the paper's own values; what it leaves out comes from experiments/recipes.yaml (D-08)."""

    paper: Literal["tmt", "mixste", "uplift_upsample", "ampose", "gla_gcn"]
    model: ModelName
    frames: int = Field(243, gt=0)  # T, the model's input length
    depth: int | None = Field(None, gt=0)  # d_l
    dim: int = Field(gt=0)  # d_m
    heads: int | None = Field(None, gt=0)
    drop_path: float | None = None
    options: Mapping[str, Setting] = {}  # further settings of the model
    strategy: Literal[
        *("plain", "tmt", "tmt_step1", "tmt_step2", "tmt_v2", "tmt_a3", "tmt_va3", "tmt_equal_updates"),
        *("tmt_per_second", "tmt_step2_per_second"),
    ] = "plain"
    role: RoleName = "h36m"
    joints: Literal["h36m_17", "h36m_16", "humaneva_15", "mpi_inf_3dhp_17"] | None = None  # the role's own if None
    also_on: list[RoleName] = []  # further roles whose test videos the trained model is judged on
    start: str | None = None  # the experiment whose trained weights this one starts from, seed by seed
    refine: bool = False  # put the refinement behind the started model; it is told the true depth of test persons
    camera_pool: Literal["training", "all"] = "training"  # of role amass: 20 cameras, or 28 with the test subjects'
    detector: Literal["gt", "cpn", "hrnet", "mask_rcnn"]
    blend: float = Field(0.0, ge=0, le=1)  # m of TMT's Eq. 2: share of the way from detections to the ground truth
    frame_stride: int = Field(1, gt=0)  # frames between those of a clip
    interval: int | None = Field(None, gt=0)  # frames from one training clip to the next; T if None, no overlap
    equal_updates: bool = False  # an epoch has the batches of one without overlap, not every clip
    input_strides: list[int] = []  # frames between 2D poses that training draws from, for a model that upsamples
    losses: Mapping[
        Literal["position", "squared_position", "weighted_position", "temporal_consistency", "velocity", "motion"],
        float,
    ]
    outputs: Mapping[Literal["sequence", "poses"], float] = {}  # weights of the model's outputs; alike if {}
    epochs: int = Field(gt=0)
    batches: int | None = Field(None, gt=0)  # per epoch; None takes every clip
    batch_frames: int | None = Field(None, gt=0)
    batch_clips: int | None = Field(None, gt=0)
    optimiser: OptimiserName = "adamw"
    betas: Betas | None = None  # decay rates of the optimiser's two means of gradients; its usual ones if None
    schedule: Literal["exponential", "halving", "cosine", "linear_tail"] = "exponential"
    lr: float = Field(gt=0)
    lr_decay: float = 1.0
    weight_decay: float = 0.0
    average: bool = False  # keep a running average of the weights
    jitter: bool = False  # turn and scale training targets

    @property
    def input_2d(self) -> str:
        """The 2D input, as `PreparedSet.poses_2d` takes it."""
        return f"blend:{self.blend}:{self.detector}" if self.blend else self.detector

    @model_validator(mode="after")
    def _fits_together(self) -> "Experiment":
        if (self.batch_frames is None) == (self.batch_clips is None):
            raise ValueError("give batch_frames or batch_clips, one of them")
        if self.refine and (self.start is None or self.role != "h36m"):
            raise ValueError("refine needs a start, the trained model, and role h36m, whose cameras are known")
        if self.interval is not None and self.model != "mixste":
            raise ValueError("interval is for mixste, the other models have a clip around every frame")
        if self.frame_stride > 1 and self.model in ("mixste", "ampose"):
            raise ValueError("frame_stride is for models of one pose per clip, not for mixste and ampose")
        if self.input_strides and self.model != "uplift_upsample":
            raise ValueError("input_strides is for uplift_upsample, the others do not upsample")
        if not self.losses:
            raise ValueError("losses are needed, one at least")
        return self


class TableRow(_Strict):
    """What fills the row of a table with these key columns: an experiment's record, or the reason why there is none."""

    row: Mapping[str, str | int | float]
    experiment: str | None = None
    on: RoleName | None = None  # the record of the experiment's test on this further role
    view: str = ""  # where in each seed's record the errors stand, such as 'by_input_stride.20'; '' is at its top
    not_run: str | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "TableRow":
        if (self.experiment is None) == (self.not_run is None):
            raise ValueError("give experiment or not_run, one of them")
        return self

    @property
    def record(self) -> str:
        """Name of the record under <results>/metrics."""
        return f"{self.experiment}_on_{self.on}" if self.on else str(self.experiment)


class Profile(_Strict):
    """The stated rule by which experiments shrink; None leaves the paper's value."""

    about: str
    every: Count  # one in so many frames of a recording is kept; strides shrink with it
    short_clips: bool = False  # T becomes about its logarithm; see poselib/scaling.py
    depth_divisor: Count = 1
    dim_cube_root: Factor | None = None  # d becomes dim_cube_root * d^(1/3), to the nearest multiple of 4
    heads: Count | None = None
    drop_path: float | None = Field(None, ge=0, lt=1)  # and all dropout
    epochs: Count | None = None
    batches: Mapping[str, Count] = {}  # per epoch, by experiment or model
    batch_divisor: Mapping[ModelName, Factor] = {}
    lr_factor: Mapping[str, Factor] = {}  # by experiment, model or optimiser, the first of them that is here
    betas: Mapping[OptimiserName, Betas] = {}  # fewer updates, shorter memory
    options: Mapping[ModelName, Mapping[str, Setting]] = {}  # in place of the experiment's
    schedule: Literal["exponential", "halving", "cosine", "linear_tail"] | None = None
    distinct_start: bool = False  # fresh transformers begin with joints that differ; see poselib/distinct_start.py
    selection_clips: Count | None = None  # windows looked at to choose an epoch
    synthetic_seconds: float = Field(gt=0)  # length of a synthetic take; real ones have about 50 s
    threads: Count | None = None
    precision: Literal["float32", "bfloat16"] = "float32"  # of wide blocks in training; see poselib/half_precision.py


class Role(_Strict):
    """Which source fills a benchmark role, and from where."""

    source: Literal["synthetic", "cmu", "human36m", "mpi_inf_3dhp", "mpi_inf_3dhp_original", "humaneva", "amass"]
    path: str


class Parameters(_Strict):
    """params.yaml."""

    profile: str
    results: str = Field(pattern=FOLDERS)
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    roles: Mapping[str, Role]
    profiles: Mapping[str, Profile]

    @model_validator(mode="after")
    def _differ(self) -> "Parameters":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: one is there twice, which would count as two trainings")
        return self

    @property
    def chosen(self) -> Profile:
        """The profile in force."""
        return self.profiles[self.profile]


def load_parameters(root: Path, profile: str | None = None) -> Parameters:
    """params.yaml, checked; `profile` overrules the one it chooses.

    Raises:
        InputError: missing file, unknown key, wrong type, unknown profile.
    """
    parameters = checked(Parameters, read_yaml(root / "params.yaml"), "params.yaml")
    parameters = parameters.model_copy(update={"profile": profile or parameters.profile})
    if parameters.profile not in parameters.profiles:
        known = ", ".join(parameters.profiles)
        raise InputError(f"params.yaml: profile {parameters.profile!r} does not exist; it has: {known}")
    return parameters


def weights_of(root: Path, name: str) -> Path:
    """The checkpoint of an experiment's first seed, there or not."""
    return root / "checkpoints" / name / f"seed{load_parameters(root).seeds[0]}.safetensors"


def load_tables(root: Path) -> dict[str, list[TableRow]]:
    """Which experiments fill which tables: 'paper/tableNN' -> rows.

    Raises:
        InputError: unknown key, wrong type, or a row that names no experiment.
    """
    return dict(_tables(root, _stamp(root)))


@lru_cache(maxsize=2)
def _tables(root: Path, stamp: tuple) -> dict[str, list[TableRow]]:
    experiments, tables = _experiments(root, stamp), {}
    for path in _papers(root):
        for table, rows in _section(root, path, "tables").items():
            label = f"{path.relative_to(root)}, {table}"
            if not isinstance(rows, list):
                raise InputError(f"{label}: expected a list of rows; correct it")
            tables[table] = [checked(TableRow, row, label) for row in rows]
            for row in tables[table]:
                if row.experiment and row.experiment not in experiments:
                    raise InputError(f"{label}: there is no experiment {row.experiment!r}; add it under 'experiments'")
                if row.on and row.on not in experiments[row.experiment].also_on:
                    raise InputError(f"{label}: {row.experiment!r} is not tested on {row.on}; add it to also_on")
    return tables


def load_experiments(root: Path) -> dict[str, Experiment]:
    """All named experiments of experiments/*.yaml.

    Raises:
        InputError: unknown key, wrong type, or a name used twice.
    """
    return dict(_experiments(root, _stamp(root)))


def _stamp(root: Path) -> tuple:
    """Differs once a file of experiments/ does: a report asks for them hundreds of times."""
    return tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in [*_papers(root), root / RECIPES])


@lru_cache(maxsize=2)
def _experiments(root: Path, stamp: tuple) -> dict[str, Experiment]:
    experiments: dict[str, Experiment] = {}
    recipes = read_yaml(root / RECIPES)
    for path in _papers(root):
        for name, entry in _section(root, path, "experiments").items():
            label = f"{path.relative_to(root)}, {name}"
            if not isinstance(name, str) or not re.fullmatch(NAME, name):
                raise InputError(f"{label}: a name is made of letters, digits and . _ -; choose such a name")
            if name in experiments:
                raise InputError(f"{label}: the name is taken by another experiment; choose a new one")
            if isinstance(entry, dict):
                recipe = recipes.get(str(entry.get("model")), {})
                if not isinstance(recipe, dict):
                    raise InputError(f"{RECIPES}, {entry['model']}: expected keys and values; correct it")
                entry = {**recipe, **entry}
            experiments[name] = checked(Experiment, entry, label)
            if experiments[name].paper != path.stem:
                raise InputError(
                    f"{label}: paper is {experiments[name].paper!r}; the file's name is the paper; correct it"
                )
    for name in experiments:
        _check_start(name, experiments)
    return experiments


def _check_start(name: str, experiments: Mapping[str, Experiment]) -> None:
    passed = [name]
    while (start := experiments[passed[-1]].start) is not None:
        if start not in experiments or start in passed:
            fault = "starts from itself" if start in passed else f"starts from {start!r}, which does not exist"
            raise InputError(f"experiments/{experiments[name].paper}.yaml, {name}: {fault}; name another experiment")
        passed.append(start)


def _papers(root: Path) -> list[Path]:
    return sorted(set((root / "experiments").glob("*.yaml")) - {root / RECIPES})


def _section(root: Path, path: Path, key: str) -> dict:
    content, label = read_yaml(path), path.relative_to(root)
    if unknown := [name for name in content if name not in ("experiments", "tables")]:
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
