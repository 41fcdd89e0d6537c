"""An unpickler for files from strangers: it makes arrays, numbers, strings and plain containers, and nothing else.

No function that a file names is called, numpy's own included: with forged arguments those make arrays that lie at any
address of the memory. What numpy writes is rebuilt here by functions that look at their arguments first.
"""

import math
import pickle
from typing import Any

import numpy as np


class RefusedError(pickle.UnpicklingError):
    """The file asks for something that no pose file needs."""


def _dtype(code: str | bytes, align: bool = False, copy: bool = False) -> np.dtype:
    dtype = np.dtype(code) if isinstance(code, str | bytes) else None
    if dtype is None or dtype.kind not in "biufSUO":
        raise RefusedError(f"holds numbers of type {code!r}")
    return dtype


def _empty_array(subtype: Any, shape: Any, code: Any) -> np.ndarray:
    """What numpy makes of an array before it is given its shape and content."""
    return np.empty(0, np.int8)


def _scalar(dtype: np.dtype, content: bytes | str) -> np.generic:
    return np.frombuffer(content.encode("latin1") if isinstance(content, str) else content, dtype)[0]


def _from_buffer(buffer: Any, dtype: np.dtype, shape: tuple[int, ...], order: str) -> np.ndarray:
    return np.frombuffer(buffer, dtype).reshape(shape, order=order)


def _latin1(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise RefusedError(f"asks for the encoding {encoding!r}")
    return text.encode("latin1")


# Numpy's module was called core before its version 2.
_REBUILT = {
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _empty_array for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _scalar for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
    ("numpy", "ndarray"): None,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _latin1,
}


# The unpickler in C has no place from which to look at the state that an array is given.
class ArrayUnpickler(pickle._Unpickler):
    """Reads one pickle; see the top of this module.

    Raises:
        RefusedError: the pickle names another function or class, or gives an array a state that numpy does not write.
    """

    def find_class(self, module: str, name: str) -> Any:
        """What stands here for a function or class of numpy's."""
        if (module, name) not in _REBUILT:
            raise RefusedError(f"asks for {module}.{name}")
        return _REBUILT[module, name]

    def _build(self) -> None:
        state, made = self.stack.pop(), self.stack[-1]
        if isinstance(made, np.dtype):
            # Nothing is taken but the byte order: fields and flags could claim that numbers are objects.
            if (ordered := made.newbyteorder(state[1])) != made:
                self.stack[-1] = ordered
                self.memo.update({key: ordered for key, value in self.memo.items() if value is made})
        elif isinstance(made, np.ndarray):
            _, shape, dtype, _, content = state
            if dtype.hasobject and not (isinstance(content, list) and len(content) == math.prod(shape)):
                raise RefusedError("holds an array of objects without as many objects")
            made.__setstate__(state)
        else:
            raise RefusedError(f"sets attributes of a {type(made).__name__}")

    dispatch = {**pickle._Unpickler.dispatch, pickle.BUILD[0]: _build}
