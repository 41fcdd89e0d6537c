import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from poselib.data.npz import read_npz
from poselib.errors import InputError


class Malice:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


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


def test_nothing_is_executed(tmp_path):
    target = tmp_path / "made"
    np.savez(tmp_path / "evil.npz", positions_3d=np.array({"S1": Malice(str(target))}, dtype=object))
    with pytest.raises(InputError, match=r"evil\.npz, positions_3d: refused.*mkdir"):
        read_npz(tmp_path / "evil.npz", "positions_3d")
    assert not target.exists()


def test_missing_file_and_missing_entry(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_npz(tmp_path / "absent.npz", "x")
    np.savez(tmp_path / "a.npz", y=np.zeros(1))
    with pytest.raises(InputError, match="no entry 'x', only y"):
        read_npz(tmp_path / "a.npz", "x")


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


def test_a_bomb_is_refused_before_it_unpacks(tmp_path, monkeypatch):
    monkeypatch.setattr("poselib.data.npz.UNPACKED_LIMIT", 1 << 20)
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros(1 << 20))
    with pytest.raises(InputError, match="unpacks to more than"):
        read_npz(tmp_path / "bomb.npz", "x")
