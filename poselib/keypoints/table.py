"""CSV files with a row for each joint of each person in each frame."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from poselib.errors import InputError
from poselib.keypoints.content import whole
from poselib.keypoints.joint_sets import JOINT_SETS
from poselib.keypoints.tracks import Detection, Track, tracks_of

COLUMNS = ("frame", "person", "joint", "x", "y", "confidence")


class PersonTable:
    """The rows of a CSV file, each with its line number.

    Raises:
        InputError: no header, no rows, rows of another length than the header, or text that is no CSV.
    """

    def __init__(self, path: Path, text: str):
        try:
            lines = list(csv.reader(text.splitlines(), strict=True))
        except csv.Error as error:
            raise InputError(f"{path}: not valid CSV ({error}); export it again") from error
        if len(lines) < 2:
            raise InputError(f"{path}: no header with rows below it; its columns are {', '.join(COLUMNS)}")
        self.path, self.header = path, [cell.strip().lower() for cell in lines[0]]
        self.rows = [(number, row) for number, row in enumerate(lines[1:], start=2) if row]
        if uneven := next((number for number, row in self.rows if len(row) != len(self.header)), None):
            raise InputError(f"{path}, line {uneven}: not as many cells as the header has; correct it")

    def column(self, name: str) -> list[str]:
        """The cells of a column.

        Raises:
            InputError: no such column, or it is there twice.
        """
        if self.header.count(name) != 1:
            raise InputError(f"{self.path}: {self.header.count(name)} columns {name!r} in the header; give it one")
        place = self.header.index(name)
        return [row[place].strip() for _, row in self.rows]

    def detections(
        self, joints: Sequence[str], names: Mapping[str, str], key: str, fields: tuple[str, str, str]
    ) -> list[Detection]:
        """The rows by person and frame; joints without a row, and empty cells, are missed.

        Args:
            names: what the column `key` may hold -> the joint's name in `joints`.
            fields: the columns of x, y and confidence.

        Raises:
            InputError: a cell that is no number, an unknown joint, or a joint that is there twice.
        """
        people = self.column("person") if "person" in self.header else [""] * len(self.rows)
        cells = zip(*(self.column(name) for name in fields), strict=True)
        labels = [f"{self.path}, line {number}" for number, _ in self.rows]
        found: dict[tuple[int, str], tuple[str, np.ndarray]] = {}
        for label, frame, person, joint, cell in zip(
            labels, self.column("frame"), people, self.column(key), cells, strict=True
        ):
            if joint.lower() not in names:
                raise InputError(f"{label}: unknown {key} {joint[:40]!r}; use {joints[0]}, {joints[1]} and so on")
            _, points = found.setdefault((whole(frame, label), person), (label, np.full((len(joints), 3), np.nan)))
            point = points[joints.index(names[joint.lower()])]
            if not np.isnan(point).all():
                raise InputError(f"{label}: {joint} is twice in frame {frame}; give people ids of their own")
            point[:] = _values(cell, label)
        return [Detection(label, frame, points, person or None) for (frame, person), (label, points) in found.items()]


def read_csv(path: Path, table: PersonTable) -> list[Track]:
    """The people of a table of `COLUMNS`; the joint set is the smallest that has all joints of the table.

    Raises:
        InputError: a column is missing, a cell is no number, or no set has these joints.
    """
    if missing := [column for column in COLUMNS if column not in table.header]:
        wanted = f"a row for each joint of each person and frame, with columns {', '.join(COLUMNS)}"
        raise InputError(f"{path}: no column {missing[0]!r}; a table has {wanted}")
    named = {joint.lower() for joint in table.column("joint")}
    fitting = [name for name, joints in JOINT_SETS.items() if named <= set(joints)]
    if not fitting:
        nearest = max(JOINT_SETS, key=lambda name: len(named & set(JOINT_SETS[name])))
        strange = ", ".join(sorted(named - set(JOINT_SETS[nearest])))[:80]
        raise InputError(f"{path}, joint: {nearest} has no {strange}; use the joint names of one set")
    joints = JOINT_SETS[smallest := min(fitting, key=lambda name: len(JOINT_SETS[name]))]
    found = table.detections(joints, {joint: joint for joint in joints}, "joint", ("x", "y", "confidence"))
    return tracks_of(path, {len(joints): smallest}, found)


def _values(cells: tuple[str, ...], label: str) -> list[float]:
    try:
        return [float(cell) if cell else np.nan for cell in cells]
    except ValueError as error:
        raise InputError(f"{label}: {str(error).split(':')[-1].strip()[:40]} is no number; correct it") from error
