"""Trainings that tests/test_distributed.py runs in one process and, by torchrun, in two; the weights go into a file.

In double precision: Adam scales up the rounding of gradients that are zero but for it, as those of key biases are.
"""

import sys
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_file

from poselib import training
from poselib.data.prepared import open_prepared
from poselib.distributed import Alone, processes
from poselib.models import build
from poselib.models.refinement import Refined
from poselib.recipe import Recipe
from poselib.strategies import STRATEGIES, Clip, Strategy

# Five clips are three and two; ten batches twice.
RECIPE = Recipe(
    detector="cpn",
    terms={"position": 1.0, "velocity": 2.0},
    joint_weights=(1.0,) * 17,
    epochs=2,
    batch_clips=5,
    lr=1e-3,
    schedule="linear_tail",
    lr_decay=1.0,
    weight_decay=0.1,
    batches=10,
)
ONE_FRAME = replace(RECIPE, terms={"position": 1.0})
UPSAMPLED = replace(ONE_FRAME, input_strides=(3, 9), average=True)
SMALL = {"dim": 16, "depth": 1, "heads": 2}
UPLIFT = {"frames": 9, "spatial_dim": 8, "strides": (9,), "paddings": ((1, 1),), **SMALL, "drop_path": 0.0}
UPLIFT |= {"temporal_drop_path": 0.0}
SEQUENCE = ("mixste", {"frames": 5, **SMALL, "drop_path": 0.0}, "tmt")
CASES = {
    "sequence": (*SEQUENCE, RECIPE),
    "a clip for one of them": (*SEQUENCE, replace(RECIPE, batch_clips=1)),
    "one frame": ("poseformer", {"frames": 5, **SMALL, "drop_path": 0.0}, "tmt", ONE_FRAME),
    "averaged and refined": ("uplift_upsample", UPLIFT, "plain", UPSAMPLED),
}
RANDOM = ("mixste", {"frames": 5, **SMALL, "drop_path": 0.3}, "tmt", RECIPE)


class Killed(Exception):
    pass


class Double(Strategy):
    def training_input(self, clip: Clip, step: int) -> torch.Tensor:
        return super().training_input(clip, step).double()

    def inference_input(self, poses_2d: torch.Tensor) -> torch.Tensor:
        return super().inference_input(poses_2d).double()


def trained(case: tuple, prepared, snapshot: Path, group: Alone) -> training.Progress:
    name, sizes, strategy, recipe = case
    torch.manual_seed(0)
    given = Double(**vars(STRATEGIES[strategy]))
    model = build(name, in_channels=given.in_channels, **sizes).double()
    if recipe.average:
        model = Refined(model).double()
        model.refinement.post_refine[2].p = 0.0
    chosen = (given, recipe, prepared)
    return training.train(group.prepare(model), *chosen, seed=0, snapshot=snapshot, name=name, group=group)


def killed_and_trained(case: tuple, prepared, snapshot: Path, group: Alone) -> training.Progress:
    """As `trained`, but ended in the middle of the second epoch and begun again from the snapshot."""
    take, left = training.take_batch, [14]

    def dying(*arguments):
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        take(*arguments)

    training.take_batch, training.SNAPSHOT_EVERY_S = dying, 0.0
    try:
        trained(case, prepared, snapshot, group)
    except Killed:
        training.take_batch = take
        torch.distributed.barrier()
        torch.rand(7)
        return trained(case, prepared, snapshot, group)
    raise AssertionError("it was not killed")


def flat(progress: training.Progress) -> torch.Tensor:
    return torch.cat([tensor.detach().flatten().double() for tensor in progress.model.state_dict().values()])


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    group, prepared = processes(together=True), open_prepared(folder / "set")
    found, losses = {}, {}
    for name, case in CASES.items():
        done = trained(case, prepared, folder / "together" / name, group)
        found[name], losses[name] = flat(done), torch.tensor([row["loss"] for row in done.log])
    for name, train in (("whole", trained), ("killed", killed_and_trained)):
        found[name] = flat(train(RANDOM, prepared, folder / "together" / name, group))
    save_file(found | {f"losses of {name}": row for name, row in losses.items()}, folder / f"rank{group.rank}")
    group.end()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
