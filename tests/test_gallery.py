"""The pictures of the front page: what they show, and the same bytes on every run."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from poselib.figures import gallery, style
from poselib.skeleton import SKELETONS

BODY = SKELETONS["h36m_17"]
RANDOM = np.random.default_rng(0)
POSES = RANDOM.normal(size=(4, 17, 3)) * 0.3
ERRORS = {name: 10.0 + i for i, name in enumerate(BODY.names)}
CLAIMS = pd.DataFrame(
    {
        "table": ["tmt/table01", "tmt/table02", "mixste/table01"],
        "claim": ["A", "B", "C"],
        "sentence": ["One < two.", "Two < one.", "Both."],
        "verdict": ["holds (one seed)", "fails", "holds"],
    }
)
ROWS = pd.DataFrame({"mpjpe_mm reported": [48.1, 47.4], "mpjpe_mm measured": [96.44, 83.9]})


@pytest.fixture(autouse=True)
def look():
    style.use()


def drawn(kind):
    points = {"method": ["Ours", "Pose Former"], "s_in": 1, "pretrain": [0, 1], "mpjpe_mm measured": [80.0, 70.0]}
    points |= {"lifter (GFLOPs per frame)": [0.5, 1.0], "detector (GFLOPs per frame)": [0.5, 13.0]}
    log = pd.DataFrame({"seed": [0, 1], "updates": [10, 10], "validation_mpjpe_mm": [50.0, 70.0]})
    alike = np.eye(17)
    return {
        "scoreboard": lambda: gallery.scoreboard(CLAIMS, {"tmt": "TMT", "mixste": "MixSTE"}, "note"),
        "table": lambda: gallery.table(ROWS, ["first", "second"], CLAIMS[:2], "note"),
        "cost": lambda: gallery.cost(pd.DataFrame(points), "note"),
        "velocity": lambda: gallery.velocity(ERRORS, ERRORS, 0.5, "note"),
        "joints": lambda: gallery.joints({"one": ERRORS, "two": ERRORS}, "note"),
        "training": lambda: gallery.training({"one": log}, "note"),
        "attention": lambda: gallery.attention(alike, POSES[0], BODY, "left_wrist", "note"),
        "similarity": lambda: gallery.similarity({"one": alike, "two": alike / 2}, BODY, "note"),
    }[kind]()


@pytest.mark.parametrize(
    "kind", ["scoreboard", "table", "cost", "velocity", "joints", "training", "attention", "similarity"]
)
def test_a_picture_has_the_one_size_its_note_and_the_same_bytes_twice(tmp_path, kind):
    for stem in ("once", "twice"):
        figure = drawn(kind)
        gallery.save(figure, tmp_path, stem)
        assert figure.get_supxlabel() == "note"
        style.plt.close(figure)
    once, twice = (tmp_path / f"{stem}.png" for stem in ("once", "twice"))
    assert once.read_bytes() == twice.read_bytes()
    with Image.open(once) as picture:
        assert picture.size == (792, 558) and picture.getpixel((0, 0))[:3] == (255, 255, 255)
        assert set(picture.info) <= {"dpi"}


def test_a_film_goes_there_and_back_with_the_same_bytes_twice(tmp_path):
    for stem in ("once", "twice"):
        gallery.film([POSES[..., :2], POSES + 0.1, POSES], tmp_path, stem, BODY, "note")
    once, twice = (tmp_path / f"{stem}.gif" for stem in ("once", "twice"))
    assert once.read_bytes() == twice.read_bytes()
    with Image.open(once) as film:
        assert film.n_frames == 6 and film.info["loop"] == 0


def test_the_scoreboard_counts_and_the_table_colours_its_verdicts():
    (axes,) = drawn("scoreboard").axes
    widths = {bars.get_label(): [bar.get_width() for bar in bars] for bars in axes.containers}
    assert widths == {"holds": [1, 1], "within noise": [0, 0], "fails": [0, 1], "not testable here": [0, 0]}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["MixSTE", "TMT"]
    upper, lower = drawn("table").axes[0].tables
    assert upper[1, 1].get_text().get_text() == "48.1" and upper[2, 2].get_text().get_text() == "83.9"
    colours = [to_hex(lower[row, 1].get_facecolor()).upper() for row in (0, 1)]
    assert colours == [style.GREEN, style.VERMILLION]


def test_joints_and_seeds_are_averaged_and_every_joint_stands_in_one_group():
    (axes,) = drawn("joints").axes
    line = axes.lines[0]
    shown = dict(zip(line.get_ydata(), line.get_xdata(), strict=True))
    assert len(shown) == 11
    assert shown["wrist"] == pytest.approx((ERRORS["left_wrist"] + ERRORS["right_wrist"]) / 2)
    assert drawn("training").axes[0].lines[0].get_ydata() == pytest.approx([60.0])
    groups = {dots.get_label(): len(dots.get_offsets()) for dots in drawn("velocity").axes[0].collections}
    assert groups == {"ends of limbs": 4, "elbows, knees": 4, "the others": 9}


def test_the_joint_that_asks_is_framed_and_limbs_are_named_in_order():
    left, right = drawn("attention").axes[:2]
    names = ["pelvis", "right leg", "left leg", "trunk", "left arm", "right arm"]
    assert [label.get_text() for label in left.get_yticklabels()] == names
    row = BODY.index["left_wrist"]
    assert [line.get_ydata()[0] for line in left.lines] == [row - 0.5, row + 0.5]
    assert right.get_title() == "left wrist attends to"
