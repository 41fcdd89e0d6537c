"""What every network of the workbook offers to training, evaluation, checkpoints and notebooks."""

from typing import ClassVar

from torch import Tensor, nn

from poselib.layers.graph import GraphConvolution
from poselib.layers.transformer import TransformerBlock


class Lifter(nn.Module):
    """Base of all models: (B, T, J, C) in, (B, T', J, 3) metres, root-relative, camera frame, out.

    T' is T for a sequence-to-sequence model and 1, the middle frame T // 2, for a many-to-one model. A model is built
    from its own frozen `config_class`, whose defaults are the paper's main row, and keeps it as `config`. `joint_rows`
    names the parameter (..., J, D) that tells joints apart, if no other weight knows how many there are or which.
    `middle_alone` says that training compares nothing but the middle frame of a clip with the truth.
    `half_precision_blocks` are the layers that gain from bf16 where they are wide.
    """

    name: ClassVar[str]
    config_class: ClassVar[type]
    many_to_one: ClassVar[bool] = False
    middle_alone: ClassVar[bool] = False
    joint_rows: ClassVar[str | None] = None
    half_precision_blocks: ClassVar[tuple[type[nn.Module], ...]] = (TransformerBlock, GraphConvolution)

    def supervised(self, inputs: Tensor) -> dict[str, Tensor]:
        """Every output that training compares with the truth, by name.

        'poses' is what `forward` returns; a model that also lifts the whole clip on the way adds 'sequence',
        (B, T, J, 3).
        """
        return {"poses": self(inputs)}

    def of_frames(self, inputs: Tensor) -> Tensor:
        """What the model makes of every frame by itself, (N, J, C) to (N, ...); the inputs where it makes nothing.

        Clips that overlap can share it: `of_clips(of_frames(frames)[places])` is `forward(frames[places])`.
        """
        return inputs

    def of_clips(self, frames: Tensor, **options: Tensor) -> Tensor:
        """The poses of clips, as `forward` gives them, from what `of_frames` made of their frames, (B, T, ...)."""
        return self(frames, **options)

    def begin_epoch(self, done: int, epochs: int) -> None:
        """Called by training before each epoch, `done` of `epochs` being over, for what a model adapts by itself."""
