"""What the notebooks to explore draw: numbers one can say in advance, and one sentence where something is missing."""

import nbformat
import numpy as np
import plotly.graph_objects as go
import pytest

from poselib.data.camera_table import cameras
from poselib.data.filming import film
from poselib.errors import InputError
from poselib.experiments import load_experiments
from poselib.figures import (
    explore_attention,
    explore_data,
    explore_predictions,
    explore_velocity,
    lesson_cameras,
    lesson_metrics,
    live,
    predicted,
)
from poselib.figures.player import Body, lines, player, upright
from poselib.papermill_run import _strip
from poselib.project import root
from poselib.skeleton import H36M_17, SKELETONS


@pytest.fixture
def found(prepared):
    """Predictions 10 mm off in depth, and 90 mm in one frame of the right wrist."""
    frames = np.concatenate([np.arange(v.start, v.start + v.frames) for v in prepared.split("test")])
    poses = np.array(prepared.poses_3d[frames])
    poses[:, 0] = 0
    poses[:, 1:, 2] += 0.01
    poses[7, H36M_17.index["right_wrist"], 2] += 0.08
    return predicted.Predicted(prepared, poses, frames)


def test_mistakes_cost_what_one_says_in_advance():
    table = lesson_metrics.table(100)
    expected = {
        "one wrist off": {"MPJPE (mm)": 25, "WMPJPE (mm)": 100, "MPJVE (mm per frame)": 0},
        "whole body moved": {"MPJPE (mm)": 100, "P-MPJPE (mm)": 0, "MPJVE (mm per frame)": 0},
        "too large": {"MPJPE (mm)": 62.5, "P-MPJPE (mm)": 0, "N-MPJPE (mm)": 0, "PCK at 150 mm (%)": 100},
        "turned": {"P-MPJPE (mm)": 0, "PCK at 150 mm (%)": 25},
        "trembling": {"MPJPE (mm)": 40, "MPJVE (mm per frame)": 100},
    }
    for mistake, values in expected.items():
        for metric, value in values.items():
            assert table.loc[mistake, metric] == pytest.approx(value, abs=1e-4), (mistake, metric)
    shown = lesson_metrics.draw("too large", 100).data[-1].cells["values"]
    assert dict(zip(*shown, strict=True))["MPJPE (mm)"] == "62.5"


def test_only_distortion_is_lost_on_the_way_back(motions):
    camera = cameras()["S1"][0]
    poses = film(motions[0], camera).poses_3d.astype(float)
    off = [
        np.abs(lesson_cameras.there_and_back(poses, camera, distortion=distortion) - poses).max()
        for distortion in (False, True)
    ]
    assert off[0] < 1e-12 and 0.001 < off[1] < 0.1
    figure = lesson_cameras.screen(poses[0], camera, 1)
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    for skeleton in SKELETONS.values():
        if skeleton.name != "h36m_32":
            names = lesson_cameras.labelled(lesson_cameras.in_joints(poses[0], skeleton), skeleton, 0).data[1].text
            assert [name.split(" ", 1)[1] for name in names] == [name.replace("_", " ") for name in skeleton.names]


def test_a_player_holds_every_frame_and_every_bone(motions):
    body = Body("one", motions[0].positions, H36M_17, captions=[str(i) for i in range(23)])
    figure = player([body, Body("two", body.poses, H36M_17, faint=True)], 50, "title")
    assert len(figure.frames) == 23 == len(figure.layout.sliders[0].steps)
    assert figure.frames[5].data[1].text == ("5",)
    points = np.stack([figure.frames[5].data[0][axis] for axis in "xyz"], axis=-1)
    child, parent = H36M_17.bones[3]
    np.testing.assert_allclose(points[9:11], body.poses[5, [parent, child]], atol=1e-3)
    assert np.isnan(points[11]).all() and len(set(figure.data[0].line.color)) == 3
    assert set(figure.data[2].line.color) == {"#A6A6A6"}
    np.testing.assert_allclose(upright(np.array([1, 2, 3])), [1, 3, -2])


def test_videos_of_one_movement_are_one_recording_with_its_cameras(motions):
    rig = cameras()["S1"][:2]
    films = [film(motion, camera) for motion in motions[:2] for camera in rig]
    both = explore_data.recordings(films, 5)
    assert {name: len(one.cameras) for name, one in both.items()} == {"S1 Walking": 2, "S1 Sitting 1": 2}
    np.testing.assert_allclose(both["S1 Walking"].motion.positions, motions[0].positions, atol=1e-5)
    assert len(explore_data.recordings(films, 1)) == 1
    apex = explore_data.frustum(rig[0])
    np.testing.assert_allclose([apex.x[0], apex.y[0], apex.z[0]], rig[0].position, atol=1e-3)
    room = explore_data.draw(both["S1 Walking"], with_cameras=True)
    assert [trace.name for trace in room.data if trace.name and "camera" in trace.name] == [
        f"camera {camera.id}" for camera in rig
    ]


def test_the_worst_frame_is_found_and_shown(found):
    row = explore_velocity.worst(found, "joint", "right_wrist", 1)
    assert row == 7 and found.errors_mm[7, H36M_17.index["right_wrist"]] == pytest.approx(90, abs=0.01)
    assert found.video_at(row) != found.video_at(explore_velocity.worst(found, "joint", "right_wrist", 2))
    assert set(explore_velocity.actions(found)) == {"Walking", "Sitting"}
    sitting = explore_velocity.worst(found, "action", "Sitting", 1)
    assert "Sitting" in found.video_at(sitting)
    table = explore_velocity.points(found, "joint").set_index("name")
    assert table.loc["left_knee", "error"] == pytest.approx(10, abs=1e-3)
    assert table.loc["pelvis", "speed"] == 0
    for by, name in (("joint", "right_wrist"), ("action", "Sitting"), ("frame", "all frames")):
        figure = explore_velocity.draw(found, model="model", by=by, name=name, rank=1)
        assert len(figure.data[0].x) == {"joint": 17, "action": 2}.get(by, len(found.frames) - len(found.videos))


def test_bodies_stand_apart_under_their_errors(found):
    video = next(iter(found.videos))
    figure = explore_predictions.draw({"one": found, "two": found}, video, apart=1.0, start=7)
    assert figure.data[3].text == ("one<br>14 mm",) and figure.data[5].text == ("two<br>14 mm",)
    assert np.nanmin(figure.data[4].x) - np.nanmin(figure.data[2].x) == pytest.approx(1, abs=1e-3)
    assert len(figure.frames) == 23 and figure.frames[4].data[-1].x[0] == pytest.approx(4 / 50)


def test_a_map_is_picked_by_what_it_is_over():
    maps = {"spatial": np.zeros((2, 5, 3, 17, 17)), "temporal": np.zeros((2, 17, 3, 5, 5))}
    maps["spatial"][1, 4, 2], maps["temporal"][0, 16, 1] = 1, 3
    assert explore_attention.pick(maps, "joints", 2, 3, 4, 0).min() == 1
    assert explore_attention.pick(maps, "frames", 1, 0, 0, 16).min() == 1
    mixed = {"temporal": maps["temporal"][:, 16]}
    assert explore_attention.pick(mixed, "frames", 1, 2, 0, 3).min() == 3
    with pytest.raises(InputError, match="no attention over joints; choose the other kind"):
        explore_attention.pick(mixed, "joints", 1, 1, 0, 0)
    with pytest.raises(InputError, match="mixtures of frames"):
        explore_attention.pick({"temporal": np.zeros((2, 17, 3, 5, 2))}, "frames", 1, 1, 0, 0)


def test_controls_redraw_and_wrong_input_is_told(capsys):
    size, listed = live.number("size", 5), live.choice("list", ["a", "b"])
    seen = []

    def draw(size, listed):
        seen.append((size, listed))
        if size == 3:
            raise InputError("three is too many; take fewer")
        return go.Figure().update_layout(title=f"{size} {listed}")

    live.show(draw, size=size, listed=listed)
    size.value, listed.value = 2, "b"
    assert seen == [(0, "a"), (2, "a"), (2, "b")]
    size.value = 3
    slider = live.by_keyboard(listed).children[1]
    listed.options = ("c", "d", "e")
    slider.index = 2
    assert listed.value == "e" and seen[-1] == (3, "e")


def test_what_is_missing_is_told_in_one_sentence(tmp_path, monkeypatch, capsys):
    experiments = load_experiments(root())
    for module in (explore_attention, predicted):
        monkeypatch.setattr(module, "load_experiments", lambda _: experiments)
    explore_attention.explore(tmp_path, "tmt_t243_gt")
    explore_velocity.explore(tmp_path, "h36m", "tmt_t243_gt")
    explore_predictions.explore(tmp_path, "h36m", "tmt_t243_gt", "mixste_t243_gt")
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 3 and all("run 'make repro' once" in line for line in told)


def test_an_executed_copy_keeps_the_figure_and_not_the_widget():
    data = {"application/vnd.jupyter.widget-view+json": {"model_id": "random"}, live.PLOTLY: {"data": []}}
    cell = nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", data)])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    _strip(notebook)
    assert list(notebook.cells[0].outputs[0].data) == [live.PLOTLY]


def test_a_body_has_a_line_for_every_bone():
    assert len(lines(Body("one", np.zeros((1, 17, 3)), H36M_17)).x) == 3 * 16
