"""Reader of BVH motion files (.bvh, .bvh.gz): joint positions by forward kinematics.

Column vectors: a joint's local rotation is the product of its rotation channels in the order the file lists them, and
its position is its parent's plus the parent's rotation applied to OFFSET. Angles are in degrees.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import numpy as np

from poselib.data.mocap_clip import MocapClip, finite, read_lines, turns
from poselib.errors import InputError

POSITION_CHANNELS = ("Xposition", "Yposition", "Zposition")
ROTATION_CHANNELS = ("Xrotation", "Yrotation", "Zrotation")
Offsets = Mapping[str, np.ndarray]


@dataclass
class _Joint:
    name: str
    parent: int
    line: int
    offset: list[float] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)


def read_bvh(path: Path | str, *, mend: Callable[[Offsets], Offsets] | None = None) -> MocapClip:
    """The positions of every joint in every frame.

    Args:
        path: .bvh or .bvh.gz file.
        mend: changes the OFFSET of joints (name -> (3,), file units) before positions are worked out.

    Returns:
        Clip with positions (F, J, 3) in file units and axes, joints depth first as in the file. An end site becomes a
        joint named after its parent: `HeadEnd`.

    Raises:
        InputError: the file is missing, cut short or malformed.
    """
    path = Path(path)
    lines = read_lines(path)
    motion = next((i for i, line in enumerate(lines) if line.strip() == "MOTION"), None)
    if motion is None:
        raise InputError(f"{path} has no line 'MOTION'; fetch the file again or correct its header")
    joints = _hierarchy(path, lines[:motion])
    count, frame_time, start = _motion_header(path, lines, motion + 1)
    values = _frames(path, lines, start, count, sum(len(joint.channels) for joint in joints))
    names = tuple(joint.name for joint in joints)
    offsets = {joint.name: np.array(joint.offset) for joint in joints}
    positions = _positions(joints, mend(offsets) if mend else offsets, values)
    return MocapClip(names, tuple(joint.parent for joint in joints), positions, 1 / frame_time)


def _hierarchy(path: Path, lines: list[str]) -> list[_Joint]:
    words = [(word, number) for number, line in enumerate(lines, 1) for word in line.split()]
    if not words or words[0][0] != "HIERARCHY":
        raise InputError(f"{path} does not begin with 'HIERARCHY'; correct the header or choose a BVH file")
    joints, open_joints, at = [], [], 1
    while at < len(words):
        word, line = words[at]
        taken = [text for text, _ in words[at + 1 : at + 4]]
        where = f"{path} line {line}"
        if word in ("ROOT", "JOINT", "End"):
            joints.append(_opened(where, line, word, taken, joints, open_joints))
            open_joints.append(len(joints) - 1)
            at += 3
        elif word == "}" and open_joints:
            open_joints.pop()
            at += 1
        elif word == "OFFSET" and open_joints and len(taken) == 3:
            joints[open_joints[-1]].offset = finite(taken, where, "OFFSET")
            at += 4
        elif word == "CHANNELS" and open_joints and taken:
            count = int(taken[0]) if taken[0].isdecimal() else 0
            listed = [text for text, _ in words[at + 2 : at + 2 + count]]
            joints[open_joints[-1]].channels = _checked_channels(where, listed, count, len(open_joints) == 1)
            at += 2 + count
        else:
            raise InputError(f"{where}: {word!r} does not belong here; correct the hierarchy or fetch the file again")
    _check_complete(path, joints, bool(open_joints))
    return joints


def _opened(where: str, line: int, word: str, taken: list[str], joints: list[_Joint], stack: list[int]) -> _Joint:
    if taken[1:2] != ["{"]:
        raise InputError(f"{where}: {word!r} must be followed by one name and '{{'; correct the hierarchy")
    if (word == "ROOT") == bool(joints) or (word != "ROOT" and not stack):
        raise InputError(f"{where}: {taken[0]!r} has no parent; put all joints inside one ROOT")
    name = joints[stack[-1]].name + "End" if word == "End" else taken[0]
    if name in {joint.name for joint in joints}:
        raise InputError(f"{where}: joint {name!r} is there twice; rename one of them")
    return _Joint(name, stack[-1] if stack else -1, line)


def _checked_channels(where: str, channels: list[str], count: int, is_root: bool) -> list[str]:
    allowed = (*POSITION_CHANNELS, *ROTATION_CHANNELS) if is_root else ROTATION_CHANNELS
    if unknown := [channel for channel in channels if channel not in allowed]:
        raise InputError(f"{where}: unknown channel {unknown[0]!r}; choose from {', '.join(allowed)}")
    if not channels or len(channels) != count or len(set(channels)) != count:
        raise InputError(f"{where}: CHANNELS must be followed by a number and as many different channels; correct it")
    return channels


def _check_complete(path: Path, joints: list[_Joint], still_open: bool) -> None:
    if still_open or not joints:
        raise InputError(f"{path}: the hierarchy ends before its last '}}'; add the bracket or fetch the file again")
    leaves = set(range(len(joints))) - {joint.parent for joint in joints}
    for i, joint in enumerate(joints):
        is_end = i in leaves and joint.name == joints[joint.parent].name + "End"
        if not joint.offset or not (joint.channels or is_end):
            lacking = "CHANNELS" if joint.offset else "OFFSET"
            raise InputError(f"{path} line {joint.line}: joint {joint.name!r} has no {lacking}; add the line")


def _motion_header(path: Path, lines: list[str], start: int) -> tuple[int, float, int]:
    header = [(i, lines[i].split()) for i in range(start, min(start + 10, len(lines))) if lines[i].strip()][:2]
    if len(header) < 2 or header[0][1][0] != "Frames:" or header[1][1][:2] != ["Frame", "Time:"]:
        raise InputError(f"{path} line {start + 1}: 'MOTION' must be followed by 'Frames:' and 'Frame Time:'; add them")
    (first, frames), (second, time) = header
    if len(frames) != 2 or not frames[1].isdecimal() or int(frames[1]) < 1:
        raise InputError(f"{path} line {first + 1}: 'Frames:' must hold a whole number above zero; correct it")
    numbers = finite(time[2:], f"{path} line {second + 1}", "'Frame Time:'")
    if len(numbers) != 1 or numbers[0] <= 0:
        raise InputError(f"{path} line {second + 1}: 'Frame Time:' must hold one number above zero; correct it")
    return int(frames[1]), numbers[0], second + 1


def _frames(path: Path, lines: list[str], start: int, count: int, width: int) -> np.ndarray:
    """Channel values (F, width)."""
    rows = [(i, line) for i, line in enumerate(lines[start:], start + 1) if line.strip()]
    try:
        values = np.loadtxt((line for _, line in rows), comments=None, ndmin=2) if rows else np.empty((0, width))
        if values.shape == (count, width) and np.isfinite(values).all():
            return values
    except ValueError:
        pass
    for number, line in rows:
        words = line.split()
        finite(words, f"{path} line {number}", "the frame")
        if len(words) != width:
            raise InputError(
                f"{path} line {number}: the frame has {len(words)} values and the channels ask for {width}, the file "
                "is cut short or damaged; fetch it again"
            )
    raise InputError(f"{path} holds {len(rows)} frames and 'Frames:' says {count}; fetch it again or correct the count")


def _positions(joints: list[_Joint], offsets: Offsets, values: np.ndarray) -> np.ndarray:
    positions = np.empty((len(values), len(joints), 3))
    turned: list[np.ndarray] = []
    ends = accumulate(len(joint.channels) for joint in joints)
    for i, (joint, end) in enumerate(zip(joints, ends, strict=True)):
        own = values[:, end - len(joint.channels) : end]
        if joint.parent < 0:
            positions[:, i] = offsets[joint.name]
            for column in (c for c in joint.channels if c in POSITION_CHANNELS):
                positions[:, i, "XYZ".index(column[0])] += own[:, joint.channels.index(column)]
        else:
            positions[:, i] = positions[:, joint.parent] + turned[joint.parent] @ offsets[joint.name]
        columns = [c for c, channel in enumerate(joint.channels) if channel in ROTATION_CHANNELS]
        local = turns("".join(joint.channels[c][0].lower() for c in columns), own[:, columns])
        turned.append(local if joint.parent < 0 else turned[joint.parent] @ local)
    return positions
