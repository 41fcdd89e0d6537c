"""GLA-GCN's released weights: the model of the rows without a 3D-sequence loss.

The fixed edges are not stored; those of Human3.6M were wrong in the released code before 12 March 2022.
"""

import torch
from torch import Tensor

from poselib.errors import InputError
from poselib.interop.format import OfficialFormat, State, blocks_of

SUBSETS = range(3)
# Where one of our tensors lies along an axis as several of theirs.
PIECES = {
    ".embedding.weight": ([f".conv_{which}.{k}.weight" for which in "ab" for k in SUBSETS], 0),
    ".embedding.bias": ([f".conv_{which}.{k}.bias" for which in "ab" for k in SUBSETS], 0),
    ".convolution.weight": ([f".conv_d.{k}.weight" for k in SUBSETS], 1),
    ".biases": ([f".conv_d.{k}.bias" for k in SUBSETS], 0),
}


class _Format(OfficialFormat):
    def to_theirs(self, ours: State) -> dict[str, Tensor]:
        """Raises InputError for a variant that the released code does not have."""
        if "head.shared.weight" not in ours or any(name.startswith(("sequence", "head.unshared")) for name in ours):
            raise InputError("gla_gcn: the released code has head 'shared' and no sequence_blocks; choose these")
        theirs = {}
        for name, value in ours.items():
            names, axis = self._theirs(name)
            theirs.update(zip(names, value.chunk(len(names), axis) if len(names) > 1 else (value,), strict=True))
        return theirs

    def to_ours(self, theirs: State, ours: State) -> dict[str, Tensor]:
        found = {}
        for name in ours:
            names, axis = self._theirs(name)
            found[name] = torch.cat([theirs[n] for n in names], axis) if len(names) > 1 else theirs[names[0]]
        return found

    def _theirs(self, name: str) -> tuple[list[str], int]:
        for ending, (pieces, axis) in PIECES.items():
            if name.endswith(ending):
                return [self._renamed(name.removesuffix(ending) + piece) for piece in pieces], axis
        return [self._renamed(name)], 0


def _config_of(state: State) -> dict[str, int]:
    """Strides do not show in the weights; without an argument `frames` or `widths` they are taken to be 3."""
    modules = blocks_of(state, "layers_tcngcn.") // 2
    return {
        "frames": 3**modules,
        "joints": state["expand_gcn.gcn1.PA"].shape[1],
        "in_channels": state["expand_gcn.gcn1.conv_d.0.weight"].shape[1],
        "dim": state["expand_gcn.gcn1.conv_d.0.weight"].shape[0],
    }


FORMAT = _Format(
    names=(
        (r"^input_norm\.", "data_bn."),
        (r"^expand\.", "expand_gcn."),
        (r"^strided_blocks\.", "layers_tcngcn."),
        (r"^head\.shared\.", "fc."),
        (r"\.graph\.learned$", ".gcn1.PA"),
        (r"\.graph\.norm\.", ".gcn1.bn."),
        (r"\.graph\.shortcut\.", ".gcn1.down."),
        (r"\.graph\.", ".gcn1."),
        (r"\.temporal\.", ".tcn1.conv."),
        (r"\.temporal_norm\.", ".tcn1.bn."),
        (r"\.shortcut\.0\.", ".residual.conv."),
        (r"\.shortcut\.1\.", ".residual.bn."),
    ),
    config_of=_config_of,
    wrapping_keys=("model_pos",),
)
