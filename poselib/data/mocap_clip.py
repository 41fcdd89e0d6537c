"""What the motion capture readers share: the record they return, bounded reading of text, products of turns."""

import gzip
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from poselib.errors import InputError

SIZE_LIMIT = 256 * 2**20


@dataclass(frozen=True)
class MocapClip:
    """One motion file as it stands.

    `positions` is (F, J, 3) in the file's own length unit and axes (y up in all public CMU files), one row per name in
    `joints`; `parents` holds each joint's parent index, -1 for the root; `fps` is frames per second.
    """

    joints: tuple[str, ...]
    parents: tuple[int, ...]
    positions: np.ndarray
    fps: float


def read_lines(path: Path, *, limit: int = SIZE_LIMIT) -> list[str]:
    """Lines of a text file; a name ending in .gz is unpacked.

    Args:
        path: plain text or .gz.
        limit: most bytes taken from the file after unpacking, so that a small archive cannot fill the memory.

    Raises:
        InputError: the file is missing, unreadable, not gzip, cut short, empty or larger than the limit.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(limit + 1)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path of the motion capture folder") from None
    except gzip.BadGzipFile:
        raise InputError(f"{path} is not a gzip file; remove .gz from its name or fetch it again") from None
    except (EOFError, zlib.error):
        raise InputError(f"{path} is a gzip file cut short or damaged; fetch it again") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); check the file") from None
    if len(data) > limit:
        raise InputError(f"{path} is larger than {limit:,} bytes once unpacked; split it into shorter clips")
    lines = data.decode("utf-8", errors="replace").splitlines()
    if not any(line.strip() for line in lines):
        raise InputError(f"{path} is empty; fetch it again")
    return lines


def finite(words: Iterable[str], where: str, what: str) -> list[float]:
    """The words as finite numbers.

    Raises:
        InputError: a word is not a number, NaN or infinite; `where` names file and line, `what` the key.
    """
    numbers = []
    for word in words:
        try:
            # Python alone would read 1_0 as ten.
            numbers.append(float(word.replace("_", "?")))
        except ValueError:
            raise InputError(f"{where}: {what} holds {word!r} where a number belongs; correct that value") from None
        if not math.isfinite(numbers[-1]):
            raise InputError(f"{where}: {what} holds {word!r}, which is not finite; correct that value")
    return numbers


def turns(axes: str, degrees: np.ndarray) -> np.ndarray:
    """Rotation matrices (F, 3, 3) of a product of turns, for column vectors: 'zyx' gives Rz Ry Rx.

    Args:
        axes: letters x, y, z.
        degrees: (F, N), one column per letter; (N,) gives one matrix (3, 3), no letter at all the identity.
    """
    # Products of matrices: composing scipy's rotations takes ten times as long.
    angles = np.split(degrees, len(axes), axis=-1) if axes else []
    singles = [Rotation.from_euler(*turn, degrees=True).as_matrix() for turn in zip(axes, angles, strict=True)]
    return reduce(np.matmul, singles) if singles else np.eye(3)
