"""What files of other tools hold, looked at before it is used: bounded text, lists, objects, numbers."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from poselib.errors import InputError
from poselib.files import check_unpacked

# A number with its comma is 3 to 20 characters of text, and 32 bytes as a Python object in a list.
UNPACKED_PER_BYTE = 8
LAST_FRAME = 10**6


def read_text(path: Path) -> str:
    """The text of a file, less the mark that some programs put before it.

    Raises:
        InputError: no such file, more than 1 GiB, or no UTF-8.
    """
    try:
        check_unpacked(path, UNPACKED_PER_BYTE * path.stat().st_size)
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: is neither text nor an .npz file; export the keypoints as JSON, CSV or .npz"
        ) from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its name and rights") from error


def parse_json(text: str, path: Path) -> Any:
    """The content of JSON text.

    Raises:
        InputError: cut off, nested too deep, or no JSON at all.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({' '.join(str(error).split())[:120]}); export it again") from error


def entry(value: Any, key: str, label: str) -> Any:
    """What a JSON object holds under a key.

    Raises:
        InputError: no object, or no such key; `label` names file and place.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{label}: expected an object with {key!r}, found {type(value).__name__}; export it again")
    if key not in value:
        raise InputError(f"{label}: has no {key!r}, only {', '.join(map(str, value)) or 'nothing'}; export it again")
    return value[key]


def items(value: Any, label: str) -> list:
    """The value, if it is a list; nothing for null, which some tools write for nobody.

    Raises:
        InputError: it is something else.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise InputError(f"{label}: expected a list, found {type(value).__name__}; export it again")
    return value


def numbers(value: Any, label: str) -> np.ndarray:
    """Nested lists or an array of numbers as float64, of any shape.

    Raises:
        InputError: rows of different lengths, or anything that is no number.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise InputError(f"{label}: rows of different lengths; export it again") from error
    if array.dtype.kind not in "fiu":
        raise InputError(f"{label}: expected numbers, found something else; export it again")
    return array.astype(float)


def triples(value: Any, label: str) -> np.ndarray:
    """A flat list x, y, confidence, x, ... as (J, 3).

    Raises:
        InputError: no flat list of numbers, or none that is made of triples.
    """
    array = numbers(value, label)
    if array.ndim != 1 or not array.size or array.size % 3:
        raise InputError(f"{label}: shape {array.shape} is no list of x, y, confidence; export it again")
    return array.reshape(-1, 3)


def positive(value: Any, label: str) -> float:
    """One number above zero, such as a rate or a width.

    Raises:
        InputError: no number, several, zero, negative or not finite.
    """
    array = numbers(value, label)
    if array.size != 1 or not np.isfinite(array).all() or array.item() <= 0:
        raise InputError(f"{label}: expected one number above zero; correct it")
    return array.item()


def whole(value: Any, label: str) -> int:
    """A frame number as an integer; digits in text count.

    Raises:
        InputError: anything else, or beyond a million, which is more than four hours at any usual rate.
    """
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LAST_FRAME:
        raise InputError(f"{label}: {str(value)[:40]!r} is no frame number up to {LAST_FRAME}; number them from 0")
    return value


def size_of(value: Mapping, label: str, width: str = "width", height: str = "height") -> tuple[int, int] | None:
    """The image's (width, height) in pixels, None where the file does not say it.

    Raises:
        InputError: only one of the two is there, or no positive number.
    """
    if width not in value and height not in value:
        return None
    return tuple(math.ceil(positive(entry(value, key, label), f"{label}, {key}")) for key in (width, height))


def given_size(size: Any, label: str) -> tuple[int, int]:
    """The image's (width, height) in pixels as a caller gives it.

    Raises:
        InputError: anything else.
    """
    if isinstance(size, str) or np.shape(size) != (2,):
        raise InputError(f"{label}: image_size {str(size)[:40]!r} is not (width, height); give two numbers of pixels")
    return size_of(dict(zip(("width", "height"), size, strict=True)), f"{label}, image_size")
