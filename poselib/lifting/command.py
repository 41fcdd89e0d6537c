"""The commands lift and export: what is typed, turned into calls, and a sentence about what came out."""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from poselib.errors import InputError
from poselib.lifting.onnx_export import export as export_onnx
from poselib.lifting.people import lift
from poselib.lifting.saving import check_kinds, save
from poselib.lifting.trained import find


def run(source: Path, image_size: str | None, out: Path, kinds: Sequence[str], **options) -> None:
    """Lift a file into a folder; `options` as for `lift`.

    Raises:
        InputError: as `lift` and `save`, or an image size that is not written as WxH.
    """
    check_kinds(kinds)
    size = None
    if image_size is not None:
        if not (found := re.fullmatch(r"([1-9]\d{0,5})x([1-9]\d{0,5})", image_size)):
            raise InputError(f"--image-size {image_size!r}: is not WIDTHxHEIGHT in pixels; write it like 1920x1080")
        size = int(found[1]), int(found[2])
    lifted = lift(source, image_size=size, progress=True, **options)
    written = save(lifted, out, kinds)
    print(f"{source}: {lifted.summary}")
    print(f"lifted by {lifted.checkpoint}, trained on: {lifted.about.trained_on}; limits: {lifted.about.limits}")
    print(f"wrote {', '.join(map(str, written))}")


def export(name: str, out: Path) -> None:
    """Write the network of this name as ONNX, or as a safetensors file that describes itself, by the file's ending.

    Raises:
        InputError: as `find`, another ending, an extra that is not installed, or a place that cannot be written.
    """
    if out.suffix not in (".onnx", ".safetensors"):
        raise InputError(f"{out}: ends in neither .onnx nor .safetensors; name such a file")
    trained = find(name)
    write = partial(export_onnx, trained) if out.suffix == ".onnx" else trained.save
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write(out)
    except OSError as error:
        raise InputError(f"{out}: cannot be written ({error.strerror}); name another place") from error
    print(f"wrote {out}: {trained.name}, {trained.model.config.frames} frames at {trained.about.fps:g} fps")
