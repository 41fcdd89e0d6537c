"""The pose refinement network that several of the papers put behind their own model; starred rows of their tables.

Cai et al., "Exploiting Spatial-Temporal Relationships for 3D Pose Estimation via Graph Convolutional Networks", ICCV
2019; the same network in the released code of the Strided Transformer.
"""

import torch
from torch import Tensor, nn

from poselib.geometry import reproject
from poselib.layers.lifter import Lifter


class PoseRefinement(nn.Module):
    """Chooses, for x and for y of every joint, between the lifted pose and its re-projection; depth stays as it is.

    The re-projection, `poselib.geometry.reproject`, needs the distance of the person from the camera, which the
    published results take from the ground truth of the test frames. Dropout is off in evaluation, unlike in the code
    of Cai et al. Parameter names are those of the released weights, which load as they are.
    """

    def __init__(self, joints: int = 17, hidden: int = 1024, dropout: float = 0.5):
        super().__init__()
        self.post_refine = nn.Sequential(
            nn.Linear(6 * joints, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, 2 * joints), nn.Sigmoid()
        )

    def trust(self, poses: Tensor, reprojected: Tensor) -> Tensor:
        """Weight of the lifted x and y against the re-projected ones, between 0 and 1; (..., J, 2)."""
        both = torch.cat([poses, reprojected], dim=-1)
        return self.post_refine(both.flatten(-2)).unflatten(-1, (-1, 2))

    def forward(self, poses: Tensor, reprojected: Tensor) -> Tensor:
        """Refined poses (..., J, 3) from lifted and re-projected ones, root-relative, camera frame, metres."""
        plane = torch.lerp(reprojected[..., :2], poses[..., :2], self.trust(poses, reprojected))
        return torch.cat([plane, poses[..., 2:]], dim=-1)


class Refined(Lifter):
    """A lifter with the refinement behind it: trained together, on the refined poses alone.

    Called like the lifter it gives that one's poses, so that they can be averaged with those of the mirrored input
    before `refine`, as the released code of the Strided Transformer does. The root is joint 0.
    """

    def __init__(self, base: Lifter):
        super().__init__()
        self.base, self.refinement = base, PoseRefinement(base.config.joints)
        self.name, self.config, self.many_to_one = base.name, base.config, base.many_to_one
        self.half_precision_blocks = base.half_precision_blocks

    def forward(self, inputs: Tensor, **options) -> Tensor | tuple[Tensor, dict[str, Tensor]]:
        """See the lifter."""
        return self.base(inputs, **options)

    def of_frames(self, inputs: Tensor) -> Tensor:
        """See the lifter."""
        return self.base.of_frames(inputs)

    def of_clips(self, frames: Tensor, **options: Tensor) -> Tensor:
        """See the lifter."""
        return self.base.of_clips(frames, **options)

    def refine(self, poses: Tensor, screen: Tensor, root_depth: Tensor, intrinsics: Tensor) -> Tensor:
        """Refined poses (..., J, 3), root at the origin.

        Args:
            poses: (..., J, 3) lifted, metres, root-relative, camera frame.
            screen: (..., J, 2) the 2D they were lifted from; `root_depth` (...) metres, true; `intrinsics` (..., 9).
        """
        poses = torch.cat([torch.zeros_like(poses[..., :1, :]), poses[..., 1:, :]], dim=-2)
        return self.refinement(poses, reproject(poses, screen, root_depth, intrinsics))

    def supervised(self, inputs: Tensor, root_depth: Tensor, intrinsics: Tensor, **options) -> dict[str, Tensor]:
        """The refined poses alone; see `refine`."""
        poses = self.base(inputs, **options)
        first = (inputs.shape[1] - poses.shape[1] + 1) // 2
        screen = inputs[:, first : first + poses.shape[1], :, :2]
        return {"poses": self.refine(poses, screen, root_depth, intrinsics)}

    def begin_epoch(self, done: int, epochs: int) -> None:
        """See `Lifter`."""
        self.base.begin_epoch(done, epochs)
