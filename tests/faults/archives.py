"""What can be done to any `.npz` file: damage, pickles that want to run code, bombs, names that are paths."""

import io
import pickle
import struct
import zipfile
import zlib

import numpy as np
import torch

from faults.catalogue import Malice, as_object


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def halved(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("subject,frame,x,y,z\n")


def flipped(path):
    """One byte in the middle of the content, so that the checksum does not fit."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)


def members(path, **added):
    """Rewrites the archive with members added, or taken out where None."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**content, **added}.items():
            if data is not None:
                archive.writestr(name, data)


def member(pickled, shape=()):
    """A `.npy` member that holds this pickle in place of an object array."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "|O", "fortran_order": False, "shape": shape})
    return stream.getvalue() + pickled


def hostile(key, pickled=None):
    """An entry that calls a function when it is unpickled."""
    pickled = pickled or pickle.dumps(as_object({"S1": Malice()}))
    return lambda path: members(path, **{f"{key}.npy": member(pickled)})


# Calls numpy.ndarray itself, which would read an object at an address that the file chooses.
FORGED_ARRAY = b"cnumpy\nndarray\n(I1\ntS'O'\nNNNtR."
# An array of three objects that brings two: the third would be whatever lies behind them.
FEW_OBJECTS = pickle.dumps(as_object([1, 2]), protocol=0).replace(b"(I2\n", b"(I3\n")
ATTRIBUTES = b"cnumpy\ndtype\n}S'__code__'\nI1\nsb."
IMPORTED = b"cthis\nd\n."


def bomb(key, gibibytes=9):
    """An entry of nothing but zeros, 9 GiB of them in some megabytes: one deflated block again and again."""

    def harm(path):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        block = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
        count, name = gibibytes << 6, f"{key}.npy".encode()
        size, packed = count << 24, count * len(block) + 2
        extra = struct.pack("<HHQQ", 1, 16, size, packed)
        fields = (45, 0, 8, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra))
        with path.open("wb") as file:
            file.write(struct.pack("<4sHHHHHIIIHH", b"PK\3\4", *fields) + name + extra)
            for _ in range(count):
                file.write(block)
            file.write(b"\3\0")
            start = file.tell()
            file.write(struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", 45, *fields, 0, 0, 0, 0, 0) + name + extra)
            file.write(struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, 1, 1, file.tell() - start, start, 0))

    return harm


def understated(key):
    """A bomb whose directory says that it is small: no more than it says is unpacked, and the checksum does not fit."""

    def harm(path):
        bomb(key, gibibytes=1)(path)
        content = path.read_bytes()
        for start in (30, content.rindex(b"PK\1\2") + 46):
            place = start + len(f"{key}.npy") + 4
            content = content[:place] + struct.pack("<Q", 128) + content[place + 8 :]
        path.write_bytes(content)

    return harm


def malicious_weights(path):
    """A PyTorch file beside whose weights stands something that calls a function."""
    torch.save({"model_pos": {"head.weight": torch.zeros(1)}, "extra": Malice()}, path)


def bare_pickle(path):
    """A pickle that calls a function, in place of weights."""
    path.write_bytes(pickle.dumps(Malice()))
