"""Prepared sets of motions that no camera filmed."""

import weakref

import numpy as np
import pytest
from numpy.testing import assert_allclose

from poselib.data.camera_table import camera_pool, cameras
from poselib.data.cmu import cmu_motions
from poselib.data.prepared import WorldSet, open_prepared, write_prepared
from poselib.errors import InputError
from poselib.geometry import camera_to_world, denormalise_screen, project


def test_the_motions_are_kept_and_nothing_else(world, motions):
    assert isinstance(world, WorldSet) and isinstance(open_prepared(world.folder), WorldSet)
    assert sorted(path.name for path in world.folder.iterdir()) == ["poses_world.f32", "set.json"]
    assert np.array_equal(world.poses_world, np.concatenate([motion.positions for motion in motions]))
    assert [video.start for video in world.videos] == [23 * i for i in range(6)]


def test_cameras_make_a_round_trip_within_a_hundredth_of_a_pixel(world, motions):
    assert len({video.camera for video in world.videos}) > 1
    for video, motion in zip(world.videos, motions, strict=True):
        rig, identity = video.camera.split("/")
        camera = next(camera for camera in cameras()[rig] if camera.id == identity)
        span = slice(video.start, video.start + video.frames)
        poses = world.poses_3d[span].astype(float)
        poses[:, 1:] += poses[:, :1]
        pixels = project(poses, (*camera.focal, *camera.centre, *camera.radial, *camera.tangential))
        assert_allclose(pixels, denormalise_screen(world.poses_2d("gt")[span].astype(float), camera.size), atol=0.01)
        assert_allclose(camera_to_world(poses, camera), motion.positions, atol=2e-6)


def test_frames_are_filmed_by_the_camera_of_their_motion_however_they_are_asked_for(world):
    points, poses = world.poses_2d("gt"), world.poses_3d
    assert points.shape == (138, 17, 2) and poses.shape == (138, 17, 3)
    frames = np.array([[5, 40], [137, 22]])
    assert_allclose(points[frames][1, 0], points[:][137], atol=1e-6)
    assert_allclose(poses[frames][0, 1], poses[30:50][10], atol=1e-6)


def test_amass_has_no_test_set_of_its_own(world):
    assert world.split("test") == world.split("validation") != ()
    assert {video.subject for video in world.split("train")} == {"S1"}


def test_faults_are_named(world, motions, tmp_path):
    with pytest.raises(InputError, match="no 2D of detector 'cpn', motions have exact 2D"):
        world.poses_2d("cpn")
    with pytest.raises(InputError, match="leaves no validation video"):
        write_prepared(motions, tmp_path / "few", role="amass", source="amass", split_of=lambda _: "train")
    (world.folder / "poses_world.f32").write_bytes(b"1234")
    with pytest.raises(InputError, match="size does not fit"):
        _ = open_prepared(world.folder).poses_world


def test_the_camera_of_a_motion_depends_on_its_name_alone(world, motions, tmp_path):
    split = {"S1": "train"}
    other = write_prepared(
        motions[::-1], tmp_path / "o", role="amass", source="cmu", split_of=lambda s: split.get(s, "validation")
    )
    chosen = [{(video.subject, video.action): video.camera for video in made.videos} for made in (world, other)]
    assert chosen[0] == chosen[1]
    assert set(chosen[0].values()) <= set(camera_pool("training").names)


def test_recorded_motion_is_prepared_one_clip_at_a_time(mocap_folder, tmp_path):
    folder, read = mocap_folder / "cmu_bvh", []

    def watched():
        for motion in cmu_motions(folder if folder.is_dir() else mocap_folder):
            read.append((len(motion.positions), weakref.ref(motion)))
            yield motion
            assert sum(reference() is not None for _, reference in read) <= 2

    splits = iter(["validation"])
    world = write_prepared(
        watched(), tmp_path / "cmu", role="amass", source="cmu", split_of=lambda _: next(splits, "train")
    )
    assert [video.frames for video in world.videos] == [frames for frames, _ in read]
    frames = np.linspace(0, len(world.poses_world) - 1, 500).astype(int)
    outside = np.abs(world.poses_2d("gt")[frames]) > 1
    assert outside.any(axis=(1, 2)).mean() < 0.05
