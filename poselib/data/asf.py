"""Reader of Acclaim skeletons (.asf) and the bone tree they describe; motion in `poselib.data.amc`."""

from dataclasses import dataclass
from pathlib import Path

from poselib.data.mocap_clip import finite, read_lines
from poselib.errors import InputError

DOFS = ("rx", "ry", "rz")
ROOT_ORDER = ("TX", "TY", "TZ", "RX", "RY", "RZ")
Row = tuple[int, list[str]]


@dataclass(frozen=True)
class Bone:
    """One bone; its joint is at its end. `axis` (degrees, turned about x, y, z in `axis_order`) is its own frame."""

    name: str
    parent: str
    direction: tuple[float, ...]
    length: float
    axis: tuple[float, ...]
    axis_order: str
    dof: tuple[str, ...]


@dataclass(frozen=True)
class AsfSkeleton:
    """The skeleton of one actor.

    `bones` come parents first, the root itself left out; a parent is a bone's name or 'root'. Lengths are in file
    units; `length_scale` is the file's `length`, with which one unit is 1/length_scale inches in CMU's files.
    """

    path: Path
    length_scale: float
    root_order: tuple[str, ...]
    root_axis: str
    bones: tuple[Bone, ...]

    @property
    def joints(self) -> tuple[str, ...]:
        """The root and the end of every bone, (J,)."""
        return ("root", *(bone.name for bone in self.bones))

    @property
    def parents(self) -> tuple[int, ...]:
        """Index of each joint's parent, -1 for the root, (J,)."""
        index = {joint: i for i, joint in enumerate(self.joints)}
        return (-1, *(index[bone.parent] for bone in self.bones))

    @property
    def channels(self) -> dict[str, tuple[str, ...]]:
        """Names of the values an AMC frame must hold for the root and each moving bone."""
        return {"root": self.root_order} | {bone.name: bone.dof for bone in self.bones if bone.dof}


def read_asf(path: Path | str) -> AsfSkeleton:
    """The skeleton of an .asf or .asf.gz file.

    Raises:
        InputError: the file is missing or malformed, or its bones do not form one tree under the root.
    """
    path = Path(path)
    sections = _sections(path)
    units = _keys(sections["units"])
    line, length = units.get("length", (0, []))
    scale = finite(length, f"{path} line {line}", "'length'")
    if len(scale) != 1 or scale[0] <= 0 or units.get("angle", (0, []))[1] != ["deg"]:
        raise InputError(f"{path}: ':units' must hold one 'length' above zero and 'angle deg'; correct the section")
    order, axis = _root(path, sections["root"])
    bones = {}
    for block in _blocks(path, sections["bonedata"]):
        bone = _bone(path, block)
        if bone.name in bones or bone.name == "root":
            raise InputError(f"{path} line {block[0][0]}: bone {bone.name!r} is there twice; rename one of them")
        bones[bone.name] = bone
    tree = _tree(path, sections["hierarchy"], bones)
    return AsfSkeleton(path, scale[0], order, axis, tuple(tree))


def _sections(path: Path) -> dict[str, list[Row]]:
    sections: dict[str, list[Row]] = {}
    rows: list[Row] = []
    for number, line in enumerate(read_lines(path), 1):
        words = line.split("#")[0].split()
        if words and words[0].startswith(":"):
            rows = sections.setdefault(words[0][1:], [])
        elif words:
            rows.append((number, words))
    for name in ("units", "root", "bonedata", "hierarchy"):
        if not sections.get(name):
            raise InputError(f"{path} has no section ':{name}'; it is no ASF skeleton or is cut, fetch it again")
    return sections


def _keys(rows: list[Row]) -> dict[str, tuple[int, list[str]]]:
    return {words[0]: (number, words[1:]) for number, words in rows}


def _root(path: Path, rows: list[Row]) -> tuple[tuple[str, ...], str]:
    keys = _keys(rows)
    order = tuple(keys.get("order", (0, []))[1])
    axis = "".join(keys.get("axis", (0, []))[1]).lower()
    if sorted(order) != sorted(ROOT_ORDER) or sorted(axis) != ["x", "y", "z"]:
        raise InputError(f"{path}: ':root' must hold 'order TX TY TZ RX RY RZ' and 'axis XYZ'; correct the section")
    for key in ("position", "orientation"):
        number, words = keys.get(key, (0, []))
        if any(finite(words, f"{path} line {number}", f"{key!r} of ':root'")):
            raise InputError(f"{path} line {number}: a root {key} other than 0 0 0 is not supported; set it to zero")
    return order, axis


def _blocks(path: Path, rows: list[Row]) -> list[list[Row]]:
    """The rows between each `begin` and `end`."""
    blocks, block = [], None
    for number, words in rows:
        if words == ["begin"] and block is None:
            block = []
        elif words == ["end"] and block:
            blocks.append(block)
            block = None
        elif block is not None and words not in (["begin"], ["end"]):
            block.append((number, words))
        else:
            raise InputError(f"{path} line {number}: 'begin' and 'end' do not pair around {words[0]!r}; correct them")
    if block is not None or not blocks:
        raise InputError(f"{path}: a 'begin' has no 'end' in ':bonedata' or ':hierarchy'; fetch the file again")
    return blocks


def _bone(path: Path, block: list[Row]) -> Bone:
    keys = _keys(block)
    where = f"{path} line {block[0][0]}"
    name = " ".join(keys.get("name", (0, []))[1])
    sizes = {"direction": 3, "length": 1, "axis": 3}
    numbers = {}
    for key, size in sizes.items():
        number, words = keys.get(key, (0, []))
        numbers[key] = tuple(finite(words[:size], f"{path} line {number}", f"{key!r} of bone {name!r}"))
        if len(numbers[key]) != size or (key != "axis" and len(words) != size):
            raise InputError(f"{where}: bone {name!r} needs {size} number(s) after {key!r}; correct the bone")
    order = "".join(keys["axis"][1][3:]).lower()
    dof = tuple(keys.get("dof", (0, []))[1])
    if not name or sorted(order) != ["x", "y", "z"]:
        raise InputError(f"{where}: a bone needs a 'name' and an axis order such as XYZ; correct the bone")
    if set(dof) - set(DOFS) or len(set(dof)) != len(dof):
        raise InputError(f"{where}: bone {name!r} has dof {' '.join(dof)!r}; give rx ry rz, each once at most")
    return Bone(name, "", numbers["direction"], *numbers["length"], numbers["axis"], order, dof)


def _tree(path: Path, rows: list[Row], bones: dict[str, Bone]) -> list[Bone]:
    """The bones with their parents, parents first."""
    children: dict[str, list[str]] = {}
    placed = {"root"}
    for number, (parent, *names) in (row for block in _blocks(path, rows) for row in block):
        for name in (parent, *names):
            if name not in bones and name != "root":
                raise InputError(f"{path} line {number}: ':hierarchy' names {name!r}, which ':bonedata' lacks; add it")
        for name in names:
            if name in placed:
                raise InputError(f"{path} line {number}: {name!r} has two parents; leave one in ':hierarchy'")
            placed.add(name)
        children.setdefault(parent, []).extend(names)
    tree, waiting = [], ["root"]
    while waiting:
        parent = waiting.pop(0)
        for name in children.get(parent, []):
            bone = bones[name]
            tree.append(Bone(name, parent, bone.direction, bone.length, bone.axis, bone.axis_order, bone.dof))
            waiting.append(name)
    if lost := sorted(set(bones) - {bone.name for bone in tree}):
        raise InputError(
            f"{path}: bone {lost[0]!r} does not hang on the root in ':hierarchy', its parent is missing or in a "
            "circle; correct the section"
        )
    return tree
