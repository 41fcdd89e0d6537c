"""Measured numbers in README.md stand in the blocks that the stage report writes, and nowhere else."""

import re
from pathlib import Path

import pytest
import yaml

from poselib.pipeline import dvc_yaml
from poselib.stages.report import block, gallery

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()
GENERATED = re.compile(r"<!-- scoreboard of (\S+) -->\n(.*?)<!-- end of scoreboard -->", re.DOTALL)
GALLERY = re.compile(r"<!-- gallery of (\S+) -->\n(.*?)<!-- end of gallery -->", re.DOTALL)
# What prose may hold: generated blocks, code, and tables of sizes.
ALLOWED = (GENERATED, GALLERY, re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE), re.compile(r"`[^`\n]+`"))
SIZES = re.compile(r"^\|[^\n]*\bsizes?\b[^\n]*\n(?:\|[^\n]*\n)+", re.MULTILINE)
UNITS = (
    r"mm|cm|%|percent|points|ms|s|min|h|seconds?|minutes?|hours?|days?|fps|FPS|(?:frames|poses|clips) (?:a|per) second"
    r"|M|G|[kMG]?(?:FLOPs?|MACs?)|million|(?:million |M )?parameters|times|x|×|claims?|verdicts?"
)
MEASURED = re.compile(
    rf"(?<![\w.-])[-+]?\d[\d.,]*(?:\s|-)?(?:{UNITS})(?!\w)|\b(?:MPJPE|MPJVE|PCK|AUC)\b[^\d.;|]{{0,20}}(?<![\w-])\d[\d.]*(?![\w-])"
)
RULE = (
    "a number with a unit (mm, %, s, minutes, fps, M, FLOPs, parameters, times, claims ...) or after the name of a "
    "metric counts as measured; let it come from the block that `python -m poselib report` writes, say it in words, "
    "or, if it is a setting, write it as `code` or in a table whose heading says 'size'"
)


def measured(text):
    for allowed in (*ALLOWED, SIZES):
        text = allowed.sub(" ", text)
    return [found[0] for found in MEASURED.finditer(text)]


def test_the_default_results_are_shown():
    assert "results" in [found[1] for found in GENERATED.finditer(README)]


def test_prose_holds_no_measured_number():
    assert not measured(README), f"README.md: {measured(README)}: {RULE}"


@pytest.mark.parametrize(
    "text",
    [
        "an error of 41.2 mm on this data",
        "MPJPE falls to 35.2, as printed",
        "PCK is 98.7 here",
        "1.5 times as fast",
        "a 2.4x speed-up",
        "it takes 25 minutes on two cores",
        "in 0.3 s",
        "33.7 M parameters",
        "lowers the error by 12%",
        "25 claims hold",
        "| MixSTE | 80.86 mm |\n",
    ],
)
def test_the_rule_finds_measured_numbers(text):
    assert measured(text)


@pytest.mark.parametrize(
    "text",
    [
        "Python 3.11 and 2 GB of disk",
        "Tables 4 and 7, Figures 2b and 10; CVPR 2022",
        "17 joints, 243 frames, T = 81, 2D to 3D",
        "write `--max 40 mm`",
        "```\n40 mm\n```\n",
        "| command | size |\n|---|---|\n| `make` | 40 s |\n",
        "<!-- scoreboard of results -->\nholds: 25 claims, 40 mm\n<!-- end of scoreboard -->",
    ],
)
def test_the_rule_leaves_settings_and_generated_blocks_alone(text):
    assert not measured(text)


@pytest.mark.parametrize("results", [found[1] for found in GENERATED.finditer(README)])
def test_generated_blocks_are_what_the_results_say(results):
    (text,) = [found[2] for found in GENERATED.finditer(README) if found[1] == results]
    assert text == block(ROOT, results), "run 'python -m poselib report' where params.yaml names these results"


def test_the_gallery_is_what_the_results_say():
    ((results, text),) = GALLERY.findall(README)
    assert text == gallery(ROOT, results), "run 'python -m poselib report' where params.yaml names these results"


def test_every_picture_of_the_gallery_is_small_and_has_an_alternative_and_a_caption_that_names_its_data():
    ((results, text),) = GALLERY.findall(README)
    shown = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", text)
    captions = re.findall(r"(?<!!)\[[^\]]+\]\(([^)]+)\): ([^*|]+) \*([^*|]+)\*", text)
    assert len(shown) == len(captions) == 11
    assert all(len(alternative) > 40 for alternative, _ in shown)
    assert all((ROOT / path).is_file() for path, _, _ in captions)
    assert all("synthetic (stand-in)" in data and "profile demo" in data for _, _, data in captions)
    drawn = {f"${{results}}{path.removeprefix(results)}" for _, path in shown}
    outs = yaml.safe_load(dvc_yaml(ROOT))["stages"]["table-gallery"]["outs"]
    assert drawn | {"${results}/gallery.ipynb"} == {name for out in outs for name in out}
    sizes = [(ROOT / path).stat().st_size for _, path in shown]
    assert max(sizes) <= 120_000 and sum(sizes) <= 1_000_000
