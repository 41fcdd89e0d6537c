import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from poselib.data.filming import film
from poselib.data.h36m import cameras
from poselib.data.prepared import SPLITS, open_prepared, write_prepared
from poselib.data.sequences import Motion
from poselib.errors import InputError
from poselib.geometry import denormalise_screen, project
from poselib.skeleton import H36M_16, H36M_17, HUMANEVA_15, MPI_INF_3DHP_17, convert


def test_arrays_videos_and_splits(prepared):
    assert len(prepared.videos) == 12
    assert prepared.poses_3d.shape == (12 * 23, 17, 3)
    assert prepared.poses_2d("cpn").shape == (12 * 23, 17, 2)
    assert {video.subject for video in prepared.split("test")} == {"S9"}
    assert [video.start for video in prepared.videos] == [23 * i for i in range(12)]


def test_ground_truth_2d_is_the_projection_of_the_3d(prepared):
    for video in prepared.videos:
        camera = next(c for c in cameras()[video.subject] if c.id == video.camera)
        span = slice(video.start, video.start + video.frames)
        poses = np.array(prepared.poses_3d[span])
        root = poses[:, :1].copy()
        poses[:, 1:] += root
        pixels = denormalise_screen(project(poses, camera.intrinsics), camera.size)
        assert_allclose(pixels, denormalise_screen(prepared.poses_2d("gt")[span], camera.size), atol=0.01)


def test_fingerprint_follows_the_content(prepared, tmp_path):
    again = open_prepared(prepared.folder)
    assert again.fingerprint == prepared.fingerprint and len(again.fingerprint) == 64


def test_faults_are_named(prepared, tmp_path):
    with pytest.raises(InputError, match="no prepared set"):
        open_prepared(tmp_path / "nothing")
    with pytest.raises(InputError, match="'hrnet'"):
        prepared.poses_2d("hrnet")
    with pytest.raises(InputError, match="no recordings"):
        write_prepared([], tmp_path / "empty", role="h36m", source="cmu", split_of=str)
    with pytest.raises(InputError, match="leaves no test video"):
        few = film(Motion("S1", "Walking", H36M_17, 50.0, np.ones((2, 17, 3), np.float32)), cameras()["S1"][0])
        split = iter(["train", "validation"])
        write_prepared([few, few], tmp_path / "few", role="h36m", source="cmu", split_of=lambda _: next(split))
    (prepared.folder / "poses_3d.f32").write_bytes(b"1234")
    with pytest.raises(InputError, match="size does not fit"):
        _ = open_prepared(prepared.folder).poses_3d
    description = json.loads((prepared.folder / "set.json").read_text())
    del description["videos"][0]["frames"]
    (prepared.folder / "set.json").write_text(json.dumps(description))
    with pytest.raises(InputError, match="damaged description"):
        open_prepared(prepared.folder)


def test_a_failed_preparation_leaves_the_old_set(prepared):
    def broken():
        raise InputError("bad file")
        yield

    with pytest.raises(InputError, match="bad file"):
        write_prepared(broken(), prepared.folder, role="h36m", source="cmu", split_of=str)
    assert open_prepared(prepared.folder).fingerprint == prepared.fingerprint


def resident_mb():
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("RssFile"))


def test_what_was_read_is_let_go_of_and_still_there(prepared):
    size = 64 * 2**20
    path, frames = prepared.folder / "poses_3d.f32", size // (17 * 3 * 4)
    with path.open("wb") as file:
        file.truncate(frames * 17 * 3 * 4)
        file.write(np.float32(7).tobytes())
    description = json.loads((prepared.folder / "set.json").read_text())
    description["videos"] = [{**description["videos"][0], "start": 0, "frames": frames}]
    (prepared.folder / "set.json").write_text(json.dumps(description))
    large = open_prepared(prepared.folder)
    assert large.poses_3d.sum() == 7
    full = resident_mb()
    large.forget()
    assert full - resident_mb() > 50
    assert large.poses_3d[0, 0, 0] == 7


@pytest.mark.parametrize(("share", "expected"), [("0.0", "cpn"), ("1.0", "gt"), ("0.25", None)])
def test_detections_move_towards_the_ground_truth(prepared, share, expected):
    seen, true = (np.array(prepared.poses_2d(name)) for name in ("cpn", "gt"))
    blended = prepared.poses_2d(f"blend:{share}:cpn")
    target = np.array(prepared.poses_2d(expected)) if expected else 0.75 * seen + 0.25 * true
    assert blended.shape == seen.shape and blended[3:5].dtype == np.float32
    assert_allclose(np.array(blended), target, atol=1e-6)
    assert_allclose(blended[np.array([[7, 2]])], target[[[7, 2]]], atol=1e-6)
    with pytest.raises(InputError, match="'hrnet'"):
        prepared.poses_2d("blend:0.5:hrnet")


@pytest.mark.parametrize("skeleton", [H36M_16, HUMANEVA_15])
def test_a_set_is_seen_in_other_joints_by_their_names(prepared, skeleton):
    other = prepared.in_joints(skeleton)
    assert other.skeleton is skeleton and prepared.in_joints(H36M_17) is prepared
    frames = np.array([[4, 9], [20, 30]])
    assert other.poses_3d.shape == (12 * 23, len(skeleton), 3)
    assert_allclose(other.poses_3d[frames], convert(prepared.poses_3d[frames], H36M_17, skeleton))
    there, here = (found.poses_2d("blend:0.5:cpn")[5:9] for found in (other, prepared))
    assert_allclose(there[:, skeleton.index["left_wrist"]], here[:, H36M_17.index["left_wrist"]])
    assert other.fingerprint == prepared.fingerprint


def test_joints_that_a_set_does_not_have_are_named(prepared):
    with pytest.raises(InputError, match="no joint 'head_top'"):
        prepared.in_joints(MPI_INF_3DHP_17)


def test_splits_and_counted_frames_that_the_files_say_are_kept(tmp_path):
    motion = Motion("S1", "Walking", H36M_17, 50.0, np.ones((4, 17, 3), np.float32))
    views = [film(motion, camera) for camera in cameras()["S1"][:3]]
    valid = np.array([True, False, False, True])
    said = [replace(view, split=split, valid=valid) for view, split in zip(views, SPLITS, strict=True)]
    made = write_prepared(said, tmp_path / "set", role="mpi_inf_3dhp", source="synthetic")
    assert [video.split for video in made.videos] == list(SPLITS)
    assert made.valid.tolist() == valid.tolist() * 3
    splits = iter(SPLITS)
    unsaid = write_prepared(views, tmp_path / "set", role="h36m", source="cmu", split_of=lambda _: next(splits))
    assert unsaid.valid.all() and len(unsaid.valid) == 12
