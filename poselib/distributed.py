"""One training in several processes that `torchrun` starts: each takes its share of the clips of every batch."""

import os
from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from poselib.errors import InputError
from poselib.layers.lifter import Lifter
from poselib.models.refinement import Refined

# What the others wait for a process that stores or is slow to read; torch's own limit for GPUs is 10 minutes.
PATIENCE = timedelta(hours=2)
# Models with weights that training may not use, as the released ones; a refinement also leaves outputs unused.
WITH_UNUSED = ("strided_transformer", "uplift_upsample")


class Alone:
    """The only process of a training: all clips are its own."""

    writes = True

    def prepare(self, model: Lifter) -> Lifter:
        """The model as it is trained; what depends on a whole batch is made to see all shares."""
        return model

    def end(self) -> None:
        """Called when all is stored."""

    def start(self, model: Lifter, updates: int) -> None:
        """Called once weights and optimiser are those to go on with, `updates` made so far."""

    def supervised(self, model: Lifter, inputs: Tensor, **further: Tensor) -> Mapping[str, Tensor]:
        """What the model is supervised by, of this process's clips; see `Lifter`."""
        return model.supervised(inputs, **further)

    def share(self, clips: int, *seed: int) -> slice:
        """Which of a batch's clips are this process's; `seed` names the batch."""
        return slice(clips)

    def backward(self, loss: Tensor, clips: int) -> float:
        """Leave the gradients of the mean over a batch of so many clips; returns this mean.

        Args:
            loss: mean over this process's share.
        """
        loss.backward()
        return loss.item()


class Together(Alone):
    """One of the processes that `torchrun` started; on GPUs each has its own, and they speak by NCCL, else by gloo.

    Batches, their order, the learning rate and key-frames are those of a training alone, and so are the weights up to
    rounding. What torch draws in the network and for targets (dropout, stochastic depth, jitter) each draws for its
    own share, from the seed, the batch and its rank: other draws than alone, and the same again after a kill.

    Raises:
        InputError: not started by torchrun.
    """

    def __init__(self) -> None:
        if not distributed.is_torchelastic_launched():
            raise InputError("--distributed: not started by torchrun; give it behind 'torchrun -m poselib train NAME'")
        if not distributed.is_initialized():
            if torch.cuda.is_available():
                torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo", timeout=PATIENCE)
        self.rank, self.count = distributed.get_rank(), distributed.get_world_size()
        self.writes = self.rank == 0

    def prepare(self, model: Lifter) -> Lifter:
        """See `Alone`.

        Raises:
            InputError: the model normalises over the batch, which torch does for several processes on GPUs alone.
        """
        if not any(isinstance(layer, _BatchNorm) for layer in model.modules()):
            return model
        if not torch.cuda.is_available():
            raise InputError(f"{model.name}: has batch norms, which torch shares on GPUs only; train it in one process")
        return nn.SyncBatchNorm.convert_sync_batchnorm(model)

    def end(self) -> None:
        """See `Alone`."""
        distributed.destroy_process_group()

    def start(self, model: Lifter, updates: int) -> None:
        """See `Alone`.

        Raises:
            InputError: another process goes on from another place, since it does not see the same snapshots.
        """
        made = [None] * self.count
        distributed.all_gather_object(made, updates)
        if len(set(made)) > 1:
            raise InputError(f"work: processes see snapshots of {made} updates; place the project where all see it")
        unused = model.name in WITH_UNUSED or isinstance(model, Refined)
        self.parallel = DistributedDataParallel(
            _Supervised(model), find_unused_parameters=unused, forward_sync_buffers=False
        )

    def supervised(self, model: Lifter, inputs: Tensor, **further: Tensor) -> Mapping[str, Tensor]:
        """See `Alone`."""
        return self.parallel(inputs, **further)

    def share(self, clips: int, *seed: int) -> slice:
        """See `Alone`; shares differ by one clip at most.

        A process without a clip of its own, as there may be in the last batch of an epoch, takes the first along,
        since all have to take part in an update; `backward` gives it no weight.
        """
        drawn = np.random.SeedSequence([*seed, self.rank]).generate_state(1)
        torch.manual_seed(int(drawn[0]))
        begin, end = (rank * clips // self.count for rank in (self.rank, self.rank + 1))
        self.own = end - begin
        return slice(begin, end) if self.own else slice(1)

    def backward(self, loss: Tensor, clips: int) -> float:
        """See `Alone`."""
        share = loss * (self.own / clips)
        # The mean over processes is taken of what each leaves.
        (self.count * share).backward()
        whole = share.detach().clone()
        distributed.all_reduce(whole)
        return whole.item()


def processes(together: bool) -> Alone:
    """What this process is to a training.

    Raises:
        InputError: together, but not started by torchrun, or the other way round.
    """
    if distributed.is_torchelastic_launched() and not together:
        raise InputError("train: started by torchrun; give it --distributed, or start it without torchrun")
    return Together() if together else Alone()


class _Supervised(nn.Module):
    """What is called in training, as the `forward` that alone is seen by DistributedDataParallel."""

    def __init__(self, model: Lifter) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor, **further: Tensor) -> Mapping[str, Tensor]:
        return self.model.supervised(inputs, **further)
