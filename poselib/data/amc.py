"""Reader of Acclaim motion files (.amc): joint positions of an ASF skeleton by forward kinematics.

For a bone with axis frame C and rotation M from its values, both Rz Ry Rx for order XYZ on column vectors, the global
rotation is that of its parent times C M C^-1, and its joint lies at the bone's end.
"""

from itertools import accumulate, chain
from pathlib import Path

import numpy as np

from poselib.data.asf import AsfSkeleton, Row
from poselib.data.mocap_clip import MocapClip, finite, read_lines, turns
from poselib.errors import InputError

CMU_FPS = 120.0


def read_amc(path: Path | str, skeleton: AsfSkeleton, *, fps: float = CMU_FPS) -> MocapClip:
    """The positions of every joint in every frame.

    Args:
        path: .amc or .amc.gz file.
        skeleton: of the same actor.
        fps: frames per second, which AMC files do not tell; CMU recorded most trials at 120.

    Returns:
        Clip with positions (F, J, 3) in file units and axes, joints as `skeleton.joints`.

    Raises:
        InputError: the file is missing, cut short, malformed or of another skeleton.
    """
    path = Path(path)
    rows = _motion_rows(path)
    layout = _layout(path, rows, skeleton)
    _check_regular(path, rows, layout, skeleton)
    counts = [len(skeleton.channels[name]) for name in layout]
    values = _numbers(path, rows).reshape(-1, sum(counts))
    ends = accumulate(counts)
    by_bone = {name: values[:, end - n : end] for name, n, end in zip(layout, counts, ends, strict=True)}
    return MocapClip(skeleton.joints, skeleton.parents, _positions(skeleton, by_bone), fps)


def _motion_rows(path: Path) -> list[Row]:
    lines = enumerate(read_lines(path), 1)
    rows = [(number, words) for number, line in lines if (words := line.partition("#")[0].split())]
    header = [row for row in rows if row[1][0].startswith(":")]
    names = [words[0] for _, words in header]
    if ":DEGREES" not in names or header != rows[: len(header)]:
        raise InputError(f"{path} must begin with ':FULLY-SPECIFIED' and ':DEGREES'; correct the header")
    if unknown := [(n, words[0]) for n, words in header if words[0] not in (":FULLY-SPECIFIED", ":DEGREES")]:
        number, name = unknown[0]
        raise InputError(f"{path} line {number}: unknown header {name!r}; give fully specified degrees")
    rows = rows[len(header) :]
    if not rows:
        raise InputError(f"{path} holds no frame; fetch it again or leave it out")
    if not _is_frame(rows[0]):
        raise InputError(f"{path} line {rows[0][0]}: the first frame has no number; add it or fetch the file again")
    return rows


def _is_frame(row: Row) -> bool:
    return len(row[1]) == 1 and row[1][0].isdecimal()


def _layout(path: Path, rows: list[Row], skeleton: AsfSkeleton) -> list[str]:
    """Bone names of the first frame, in order."""
    end = next((i for i, row in enumerate(rows) if i and _is_frame(row)), len(rows))
    for i, (number, words) in enumerate(rows[1:end], 1):
        if words[0] not in skeleton.channels:
            raise InputError(
                f"{path} line {number}: bone {words[0]!r} does not move in {skeleton.path}; use the actor's skeleton"
            )
        if words[0] in (other[0] for _, other in rows[1:i]):
            raise InputError(f"{path} line {number}: bone {words[0]!r} is there twice in one frame; remove one line")
    layout = [words[0] for _, words in rows[1:end]]
    if lacking := [name for name in skeleton.channels if name not in layout]:
        raise InputError(
            f"{path} line {rows[0][0]}: the frame has no values for {lacking[0]!r} of {skeleton.path}; fetch it again"
        )
    return layout


def _check_regular(path: Path, rows: list[Row], layout: list[str], skeleton: AsfSkeleton) -> None:
    """Every frame has the next number and the bones of the first frame with the right count of values."""
    period = len(layout) + 1
    sizes = [1, *(len(skeleton.channels[name]) + 1 for name in layout)]
    first = int(rows[0][1][0])
    for i, (number, words) in enumerate(rows):
        frame, place = divmod(i, period)
        if place == 0 and words != [str(first + frame)]:
            raise InputError(
                f"{path} line {number}: frame {first + frame} should begin here and {words[0]!r} stands there, the "
                "frames are not consecutive or one has too many lines; fetch the file again"
            )
        if place and words[0] != layout[place - 1]:
            raise InputError(
                f"{path} line {number}: {layout[place - 1]!r} should stand here as in the first frame, not "
                f"{words[0]!r}; fetch the file again"
            )
        if len(words) != sizes[place]:
            raise InputError(
                f"{path} line {number}: {words[0]!r} has {len(words) - 1} values and its dof ask for "
                f"{sizes[place] - 1}; use the actor's own skeleton or fetch the file again"
            )
    if len(rows) % period:
        raise InputError(f"{path}: the last frame has only {len(rows) % period} of {period} lines; fetch it again")


def _numbers(path: Path, rows: list[Row]) -> np.ndarray:
    """All values of the file in order, (N,)."""
    try:
        values = np.array(list(chain.from_iterable(words[1:] for _, words in rows)), dtype=float)
        if np.isfinite(values).all():
            return values
    except ValueError:
        pass
    return np.array([x for n, words in rows for x in finite(words[1:], f"{path} line {n}", repr(words[0]))])


def _positions(skeleton: AsfSkeleton, values: dict[str, np.ndarray]) -> np.ndarray:
    columns = [skeleton.root_order.index(f"{kind}{axis}") for kind in "TR" for axis in "XYZ"]
    root = values["root"][:, columns]
    positions = np.empty((len(root), len(skeleton.joints), 3))
    positions[:, 0] = root[:, :3]
    outermost = skeleton.root_axis[::-1]
    turned = [turns(outermost, root[:, ["xyz".index(axis) + 3 for axis in outermost]])]
    for i, (bone, parent) in enumerate(zip(skeleton.bones, skeleton.parents[1:], strict=True), 1):
        rotation = turned[parent]
        if bone.dof:
            # The axis order names the first turn first; in the product it stands last.
            frame = turns(bone.axis_order[::-1], np.array(bone.axis[::-1]))
            axes = [axis for axis in bone.axis_order[::-1] if f"r{axis}" in bone.dof]
            angles = values[bone.name][:, [bone.dof.index(f"r{axis}") for axis in axes]]
            rotation = rotation @ (frame @ turns("".join(axes), angles) @ frame.T)
        turned.append(rotation)
        positions[:, i] = positions[:, parent] + rotation @ (np.array(bone.direction) * bone.length)
    return positions
