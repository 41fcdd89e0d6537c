"""lifter/params.yaml, typed, and where the stages read and write."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from poselib.errors import InputError
from poselib.files import write_whole
from poselib.yaml_file import checked, read_yaml

PROJECT = Path(__file__).resolve().parents[3]
PREPARED = "data/prepared/lifter"
LOG, CURVES, SPEED = "lifter/training.csv", "lifter/curves.csv", "lifter/speed.timing.csv"
SHIPPED = "poselib/default"
# Lowest and highest; YAML knows no tuples.
Range = Annotated[tuple[float, float], Field(strict=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Network(_Strict):
    """Sizes of the MixSTE that is trained."""

    frames: int
    depth: int
    dim: int
    heads: int


class Training(_Strict):
    """How long and how fast it learns; an epoch is `batches` updates, then the held-out clips are lifted."""

    seed: int
    threads: int
    epochs: int
    batches: int
    batch_clips: int
    held_out_clips: int
    lr: float
    weight_decay: float
    losses: Mapping[Literal["position", "velocity"], float]


class Film(_Strict):
    """What every training clip draws anew: its cameras, its body and its detector; see `strangers`."""

    cameras: Mapping[Literal["distance", "height", "roll", "aside", "above", "focal"], Range]
    body: Range
    noise: Range
    missing: Range
    complete: float
    coarse_joints: float


class Measuring(_Strict):
    """What is lifted of the held-out subjects, one in `every` pieces of so many seconds, and each curve's values."""

    seconds: float
    every: int
    noise: list[float]
    missing: list[float]
    fps: list[float]
    height: list[float]
    distance: list[float]


class Settings(_Strict):
    """lifter/params.yaml; `rehearsal` replaces parts of the rest by what takes seconds."""

    path: str
    name: str
    fps: float
    assumed_focal: float
    network: Network
    training: Training
    film: Film
    measuring: Measuring
    rehearsal: Mapping[Literal["network", "training", "measuring"], Mapping[str, int | float | list[float]]]

    @property
    def checkpoint(self) -> str:
        """The file that ships."""
        return f"{SHIPPED}/{self.name}.safetensors"


def load(root: Path) -> Settings:
    """The settings of the project.

    Raises:
        InputError: missing file, unknown key, wrong type.
    """
    return checked(Settings, read_yaml(root / "lifter/params.yaml"), "lifter/params.yaml")


def write_table(path: Path, rows: list[dict]) -> None:
    """Rows as CSV, 'nan' where there is no number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, pd.DataFrame(rows).to_csv(index=False, na_rep="nan"))


def read_table(path: Path) -> pd.DataFrame:
    """What `write_table` wrote.

    Raises:
        InputError: nothing is trained and measured yet.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; train and measure first: dvc repro lifter/dvc.yaml")
    return pd.read_csv(path, keep_default_na=False, na_values="nan")
