"""A network as an ONNX file for other runtimes: clips of 2D poses in, 3D poses out."""

import json
import logging
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from poselib.errors import InputError
from poselib.files import whole_file
from poselib.lifting.trained import Trained
from poselib.strategies import STRATEGIES

# These take the number of clips by `len`, which becomes a constant of the graph unless the code itself is read.
COUNTING = ("gla_gcn",)


class _FromPositions(nn.Module):
    """Takes the positions alone, whatever else the network saw in training."""

    def __init__(self, trained: Trained):
        super().__init__()
        self.model, self.strategy = trained.model, STRATEGIES[trained.about.strategy]

    def forward(self, poses_2d: Tensor, key_frames: Tensor | None = None) -> Tensor:
        """(B, T, J, 2) normalised screen coordinates -> (B, T', J, 3)."""
        sparse = {} if key_frames is None else {"key_frames": key_frames}
        return self.model(self.strategy.inference_input(poses_2d), **sparse)


def export(trained: Trained, path: str | Path) -> None:
    """Write the network as ONNX; the file appears whole or not at all.

    Input `poses_2d` (B, T, J, 2), normalised screen coordinates, and `key_frames` (B, T), for a network that upsamples;
    output `poses_3d` (B, T', J, 3) metres, root-relative, camera frame; B is any number. The file's metadata say what
    `Description` does. Windows, flip averaging and frame rates are left to who runs it; so is, for a network with an
    `assumed_focal`, to give it what `data.person_frame.of_person` makes and to turn its poses by `from_person`.

    Raises:
        InputError: the extra is not installed.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401 - what torch exports with
    except ModuleNotFoundError as error:
        raise InputError(f"{path}: ONNX needs {error.name}; pip install '.[export]' in the project's folder") from error
    path, config = Path(path), trained.model.config
    inputs = {"poses_2d": torch.rand(2, config.frames, config.joints, 2) - 0.5}
    if getattr(config, "upsampling_token", False):
        inputs["key_frames"] = torch.arange(config.frames).expand(2, -1) % 2 == 0
    shapes = {name: {0: torch.export.Dim("clips")} for name in inputs}
    network = _FromPositions(trained)
    place = next(network.parameters()).device
    try:
        # Torch tells of operators of libraries that are not installed, and of its own deprecations.
        logging.disable(logging.WARNING)
        with warnings.catch_warnings(action="ignore"):
            strict = trained.model.name in COUNTING
            program = torch.export.export(network.cpu().eval(), (), inputs, dynamic_shapes=shapes, strict=strict)
            # Runtimes optimise what they load; the exporter would take as long again for it.
            graph = torch.onnx.export(program, output_names=["poses_3d"], dynamo=True, optimize=False, verbose=False)
    finally:
        logging.disable(logging.NOTSET)
        network.to(place)
    model = graph.model_proto
    onnx.helper.set_model_props(model, {"poselib": json.dumps(trained.about.model_dump(mode="json"))})
    with whole_file(path) as partial:
        onnx.save(model, partial)
