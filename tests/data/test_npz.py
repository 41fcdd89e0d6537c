import io
import pickle
import zipfile

import numpy as np
import pytest

from poselib.data.npz import read_npz
from poselib.data.unpickling import ArrayUnpickler, RefusedError
from poselib.errors import InputError


def test_nested_dictionaries_of_arrays(tmp_path):
    path = tmp_path / "poses.npz"
    content = {"S1": {"Walking 1": [np.ones((3, 17, 2), np.float32)], "n": np.float32(3)}}
    np.savez_compressed(path, positions_2d=np.array(content, dtype=object), plain=np.arange(3))
    found = read_npz(path, "positions_2d", "plain")
    assert found["positions_2d"]["S1"]["Walking 1"][0].shape == (3, 17, 2)
    assert found["plain"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_pickles_of_any_protocol_as_old_numpy_wrote_them(tmp_path, protocol):
    member = io.BytesIO()
    np.lib.format.write_array_header_1_0(member, {"descr": "|O", "fortran_order": False, "shape": ()})
    array = np.empty((), dtype=object)
    array[()] = {"S1": np.arange(6.0).reshape(2, 3)}
    pickle.dump(array, member, protocol=protocol)
    with zipfile.ZipFile(tmp_path / "old.npz", "w") as archive:
        archive.writestr("positions_3d.npy", member.getvalue())
    assert read_npz(tmp_path / "old.npz", "positions_3d")["positions_3d"]["S1"].shape == (2, 3)


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.7, 0.95, -1])
def test_truncated_files(tmp_path, kept):
    path = tmp_path / "cut.npz"
    np.savez_compressed(path, x=np.array({"a": np.random.default_rng(0).normal(size=500)}, dtype=object))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content)) if isinstance(kept, float) else kept])
    with pytest.raises(InputError, match=r"cut\.npz"):
        read_npz(path, "x")


def test_flipped_bytes_never_end_in_anything_but_a_sentence(tmp_path):
    path = tmp_path / "noise.npz"
    np.savez(path, x=np.array({"a": np.arange(20.0), "b": ["text", 3]}, dtype=object))
    content = bytearray(path.read_bytes())
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), 4):
            damaged[place] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            read_npz(path, "x")
        except InputError as error:
            assert "noise.npz" in str(error) and "\n" not in str(error)


def unpickled(content):
    return ArrayUnpickler(io.BytesIO(content), encoding="latin1").load()


@pytest.mark.parametrize("protocol", range(6))
def test_whatever_numpy_pickles_comes_back(protocol):
    arrays = [np.arange(3, dtype=code) for code in (">f8", ">f8", "<i2", "u1", "f4")] + [np.array(["x", "yz"])]
    content = {"arrays": arrays, "objects": np.array([None, {"n": 1}], object), "number": np.float32(2.5)}
    found = unpickled(pickle.dumps(content, protocol))
    for array, other in zip(arrays, found["arrays"], strict=True):
        assert np.array_equal(array, other)
    assert found["objects"].tolist() == [None, {"n": 1}] and found["number"] == 2.5


def test_a_dtype_cannot_claim_that_numbers_are_objects():
    honest = pickle.dumps(np.arange(2, dtype="f8"), protocol=0)
    forged = honest.replace(b"NNNI-1\nI-1\nI0\n", b"NNNI8\nI8\nI63\n")
    assert forged != honest
    assert unpickled(forged).tolist() == [0, 1]


@pytest.mark.parametrize("codec", ["hex", "rot13", "idna"])
def test_text_is_turned_into_bytes_in_one_way_only(codec):
    with pytest.raises(RefusedError, match=codec):
        unpickled(b"c_codecs\nencode\n(Vx\nV" + codec.encode() + b"\ntR.")
