"""What is written is what was lifted; pages need no network; films have every frame."""

import csv
import errno
import json
import re
import sys

import numpy as np
import pytest
from PIL import Image

import poselib
from poselib.errors import InputError
from poselib.lifting import saving
from poselib.lifting.saving import KINDS, save
from poselib.skeleton import H36M_17


@pytest.fixture
def lifted(clip, network):
    """Forty frames of one person, two joints of it filled in, with a root path that is not known in one frame."""
    points = np.dstack([clip.pixels, np.full((40, 17), 0.5)])
    points[3, 5:7] = np.nan
    points[9, 3:] = np.nan
    given = {"checkpoint": network(), "focal": clip.focal[0]}
    return poselib.lift(points, "h36m", clip.size, 25, **given)


def test_npz_holds_everything_as_it_is(lifted, tmp_path):
    (path,) = save(lifted, tmp_path)
    with np.load(path, allow_pickle=False) as found:
        assert found["joints"].tolist() == list(H36M_17.names) and found["people"].tolist() == ["1"]
        assert found["fps"] == 25 and "metres" in str(found["units"]) and found["limits"] == "untrained"
        for key in ("frames", "poses_3d", "filled", "confidence", "root_path_estimate"):
            np.testing.assert_array_equal(found[f"{key}_1"], getattr(lifted.person, key))
    assert path == tmp_path / "lifted.npz" and list(tmp_path.iterdir()) == [path]


def test_csv_and_json_come_back_to_a_micrometre(lifted, tmp_path):
    table, text = save(lifted, tmp_path, ["csv", "json"], stem="walk")
    with table.open() as file:
        rows = list(csv.DictReader(file))
    points = np.array([[float(row[f"{axis}_m"]) for axis in "xyz"] for row in rows]).reshape(40, 17, 3)
    filled = np.array([row["filled"] == "1" for row in rows]).reshape(40, 17)
    path = np.array([[float(row[f"root_{axis}_m_estimate"] or "nan") for axis in "xyz"] for row in rows])
    content = json.loads(text.read_text())
    (one,) = content["people"]
    for found in (points, np.array(one["poses_3d"])):
        np.testing.assert_allclose(found, lifted.poses_3d, atol=1e-6)
    for found in (filled, np.array(one["filled"], bool)):
        np.testing.assert_array_equal(found, lifted.person.filled)
    seen = np.array([float(row["confidence"]) for row in rows]).reshape(40, 17)
    np.testing.assert_allclose(seen, lifted.person.confidence, atol=1e-4)
    assert [row["joint"] for row in rows[:17]] == content["joints"] == list(H36M_17.names)
    assert (rows[17]["time_s"], rows[17]["frame"], content["fps"]) == ("0.0400", "1", 25)
    assert content["parents"][:3] == [None, "pelvis", "right_hip"]
    assert one["root_path_estimate"][9] is None and np.isnan(path.reshape(40, 17, 3)[9]).all()
    expected = np.delete(lifted.person.root_path_estimate, 9, axis=0)
    np.testing.assert_allclose(np.delete(path.reshape(40, 17, 3)[:, 0], 9, axis=0), expected, atol=1e-6)
    np.testing.assert_allclose([p for p in one["root_path_estimate"] if p], expected, atol=1e-6)
    assert "estimate" in content["units"]["root_path_estimate"]


def test_a_page_names_no_address_outside_of_plotlys_own_code(lifted, tmp_path):
    from plotly.offline import get_plotlyjs

    (path,) = save(lifted, tmp_path, ["html"])
    text = path.read_text()
    assert get_plotlyjs() in text
    rest = text.replace(get_plotlyjs(), "")
    assert not re.search(r"https?:|//[a-z]|@import|<link|\bsrc=", rest.replace("// ", ""))
    assert (
        len(re.findall(r'"name":"\d+\.\d\d"', rest)) == 40
        and "<title>person 1, lifted by small mixste (untrained)<" in rest
    )
    assert all(key in rest for key in ("keydown", "ArrowLeft", "aria-label"))


def test_a_page_moves_by_keys(lifted, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    from lab import FLAGS, browser_path

    (page_file,) = save(lifted, tmp_path, ["html"])
    place = "() => document.querySelector('.js-plotly-plot').layout.sliders[0].active || 0"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=browser_path(), args=FLAGS)
        page, asked = browser.new_page(), []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        page.wait_for_selector(".js-plotly-plot .gl-container canvas")
        page.wait_for_timeout(1500)
        for key, expected in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 39), ("Home", 0)):
            page.keyboard.press(key)
            page.wait_for_function(f"({place})() == {expected}", timeout=20_000)
        page.keyboard.press(" ")
        page.wait_for_function(f"({place})() > 2", timeout=20_000)
        browser.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_a_gif_has_every_frame_in_real_time_and_a_fast_one_every_second(lifted, tmp_path, clip, network):
    (path,) = save(lifted, tmp_path, ["gif"])
    with Image.open(path) as film:
        assert film.n_frames == 40 and film.info["duration"] == 40
        first = np.asarray(film.convert("RGB"))
        film.seek(30)
        assert np.abs(np.asarray(film.convert("RGB")).astype(int) - first).max() > 100
    fast = poselib.lift(clip.pixels[:9], "h36m", clip.size, 50, checkpoint=network())
    with Image.open(save(fast, tmp_path, ["gif"], stem="fast")[0]) as film:
        assert film.n_frames == 5 and film.info["duration"] == 40
    # 30 frames a second are no whole hundredths: some frames are left out, and the film is as long as the clip.
    usual = poselib.lift(clip.pixels[:30], "h36m", clip.size, 30, checkpoint=network())
    with Image.open(save(usual, tmp_path, ["gif"], stem="usual")[0]) as film:
        assert film.n_frames == 25 and film.info["duration"] == 40


def test_an_mp4_has_every_frame(lifted, tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="the extra video is not installed")
    (path,) = save(lifted, tmp_path, ["mp4"])
    frames, seconds = ffmpeg.count_frames_and_secs(str(path))
    assert frames == 40 and seconds == pytest.approx(1.6, abs=0.05)


def test_every_person_gets_a_picture_whatever_the_name(lifted, tmp_path):
    from dataclasses import replace

    people = [replace(lifted.person, person=name) for name in ("../<b>", "b")]
    paths = save(replace(lifted, people=tuple(people)), tmp_path / "out", ["html", "npz"])
    assert [path.name for path in paths] == ["lifted_1.html", "lifted_2.html", "lifted.npz"]
    assert "<b>" not in paths[0].read_text().split("<title>")[1][:40]
    with np.load(paths[2]) as found:
        assert found["people"].tolist() == ["../<b>", "b"] and found["poses_3d_2"].shape == (40, 17, 3)


@pytest.mark.parametrize(
    ("kind", "module", "extra"),
    [
        ("html", "plotly.graph_objects", "workbook"),
        ("gif", "matplotlib", "workbook"),
        ("mp4", "imageio_ffmpeg", "video"),
    ],
)
def test_a_missing_extra_is_named_before_anything_is_written(kind, module, extra, lifted, tmp_path, monkeypatch):
    for loaded in [name for name in sys.modules if name.startswith(("poselib.figures", module))]:
        monkeypatch.delitem(sys.modules, loaded)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError, match=rf"{kind}: needs {module.split('.')[0]}.*; pip install '\.\[{extra}\]'"):
        save(lifted, tmp_path / "out", ["npz", kind])
    assert not (tmp_path / "out").exists()


def test_unknown_kinds_are_refused_and_a_failure_leaves_the_old_file(lifted, tmp_path, monkeypatch):
    with pytest.raises(InputError, match="no kind 'avi'; choose from npz, csv, json, html, gif, mp4"):
        save(lifted, tmp_path, ["npz", "avi"])
    assert set(KINDS) == {"npz", "csv", "json", "html", "gif", "mp4"}
    (path,) = save(lifted, tmp_path, ["json"])
    with pytest.raises(InputError, match="lifted.json: cannot be made .*; name another folder"):
        save(lifted, path)
    before = path.read_bytes()

    def fails(*_):
        raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(saving, "_rounded", fails)
    with pytest.raises(InputError, match="lifted.json: cannot be written .the disk is broken.; name another place"):
        save(lifted, tmp_path, ["json"])
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
