"""The pose refinement network that several of the papers put behind their own model; starred rows of their tables.

Cai et al., "Exploiting Spatial-Temporal Relationships for 3D Pose Estimation via Graph Convolutional Networks", ICCV
2019; the same network in the released code of the Strided Transformer.
"""

import torch
from torch import Tensor, nn


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
