"""What a training is made of between two updates, and the snapshots that it continues from."""

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import torch
from torch.optim.swa_utils import AveragedModel

from poselib.distributed import Alone
from poselib.errors import InputError
from poselib.files import whole_file
from poselib.layers.lifter import Lifter


@dataclass
class Progress:
    """Everything a training is made of between two updates; saving and restoring it continues to the same bits."""

    model: Lifter
    optimiser: torch.optim.Optimizer
    average: AveragedModel | None
    epoch: int = 0
    batch: int = 0
    updates: int = 0
    loss_sum: float = 0.0
    log: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, dict] = field(default_factory=dict)
    seconds: float = 0.0
    ended: list[float] = field(default_factory=list)  # seconds at the end of each epoch
    group: Alone = field(default_factory=Alone)

    PLAIN: ClassVar = ("epoch", "batch", "updates", "loss_sum", "log", "best", "seconds", "ended")
    STATEFUL: ClassVar = ("model", "optimiser", "average")

    @property
    def judged(self) -> Lifter:
        """The model that is evaluated: the average where there is one."""
        return self.model if self.average is None else self.average.module

    def close_epoch(self, errors: Mapping[str, float], lr: float) -> None:
        """Log the epoch with its `errors` in millimetres, by what they are of, and keep the weights of the least.

        Raises:
            InputError: an error that is not finite; `lr` is the rate that led to it.
        """
        row = {"epoch": self.epoch + 1, "updates": self.updates, "loss": self.loss_sum / self.batch}
        for judged_on, error in errors.items():
            if not math.isfinite(error):
                raise InputError(f"the training diverged in epoch {row['epoch']}; choose a lower rate than {lr:g}")
            row[f"{judged_on}_mpjpe_mm"] = error
            if error < self.best.get(judged_on, {"mpjpe_mm": math.inf})["mpjpe_mm"]:
                weights = {key: value.detach().cpu().clone() for key, value in self.judged.state_dict().items()}
                self.best[judged_on] = {"mpjpe_mm": error, "epoch": self.epoch + 1, "weights": weights}
        self.log.append(row)
        self.ended.append(self.seconds)
        self.epoch, self.batch, self.loss_sum = self.epoch + 1, 0, 0.0

    def save(self, path: Path) -> None:
        """Write a snapshot, unless another process does; it appears whole or not at all."""
        if not self.group.writes:
            return
        state = {name: part.state_dict() for name in self.STATEFUL if (part := getattr(self, name)) is not None}
        state |= {name: getattr(self, name) for name in self.PLAIN}
        random = {"cpu": torch.get_rng_state()}
        # Of this process's GPU alone: where the training goes on, there may be more of them, or fewer.
        random |= {"cuda": torch.cuda.get_rng_state()} if torch.cuda.is_available() else {}
        # Writing by itself, torch tells a full disk as a fault of its own.
        torch.save({**state, "random": random}, content := io.BytesIO())
        with whole_file(path) as partial:
            partial.write_bytes(content.getbuffer())

    def restore(self, path: Path) -> None:
        """Continue from a snapshot.

        Raises:
            InputError: the file is damaged.
        """
        try:
            state = torch.load(path, weights_only=True, map_location="cpu")
            for name in self.STATEFUL:
                if name in state:
                    getattr(self, name).load_state_dict(state[name])
            torch.set_rng_state(state["random"]["cpu"])
            if "cuda" in state["random"] and torch.cuda.is_available():
                torch.cuda.set_rng_state(state["random"]["cuda"])
            for name in self.PLAIN:
                setattr(self, name, state[name])
        except Exception as error:  # torch raises whatever a damaged byte leads it to
            raise InputError(f"{path}: damaged snapshot; delete it to train from the start") from error
