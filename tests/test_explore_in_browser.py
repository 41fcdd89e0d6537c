"""The notebooks to explore, in JupyterLab in a real browser: they run, draw, and answer the keyboard and the mouse."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import lab
import pytest

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
ENVIRONMENT = {**OUTSIDE, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONHASHSEED": "0"}
# Two small trainings in one process, instead of the whole pipeline.
PREPARE = """
from pathlib import Path
from poselib.stages import evaluate, prepare, select, synthesise, train
root = Path.cwd()
select.run(root, "smoke", "synthetic", None, None)
path = root / "params.yaml"
path.write_text(path.read_text().replace("results: results/smoke-synthetic", "results: results"))
synthesise.run(root, "h36m")
prepare.run(root, "h36m", False)
for name in ("tmt_t243_gt", "mixste_t243_gt"):
    train.run(root, name)
    evaluate.run(root, name)
"""
# What a plot shows, and from where one looks at it.
DATA = "plot => JSON.stringify(plot.data) + JSON.stringify(plot.layout.scene && plot.layout.scene.camera)"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the checkout with the committed results and, at smoke size, two trained networks."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    lab.browser_path()
    folder = tmp_path_factory.mktemp("explore")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    environment = {**ENVIRONMENT, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, "-c", PREPARE], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def browser(checkout, tmp_path_factory):
    """A browser and JupyterLab's address and token."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with lab.server(checkout, tmp_path_factory.mktemp("lab"), ENVIRONMENT) as place, playwright.sync_playwright() as p:
        yield p.chromium.launch(executable_path=lab.browser_path(), args=lab.FLAGS), *place


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a notebook and runs it; gives the page. Whatever was not as it should be is told, and pictures taken."""
    chromium, address, token = browser
    page = chromium.new_page(viewport={"width": 1500, "height": 1200})

    def run(notebook):
        cells, outside = lab.run_and_stay(page, address, token, f"{notebook}.ipynb")
        outputs = [out for cell in cells if cell["cell_type"] == "code" for out in cell["outputs"]]
        wrong = [out for out in outputs if out["output_type"] == "error" or out.get("name") == "stderr"]
        assert (wrong, outside) == ([], [])
        assert all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code")
        return page, cells

    yield run
    page.screenshot(path=tmp_path / "after.png")
    lab.stop(page)
    page.close()


def in_sight(page, cells, text):
    """The part of the page under the cell with this text; JupyterLab draws only cells in sight."""
    number = next(i for i, cell in enumerate(cells) if text in cell["source"] and cell["cell_type"] == "code")
    page.evaluate("async cell => { await panel.content.scrollToItem(cell, 'start') }", number)
    return page.locator(f"[data-windowed-list-index='{number}'] .jp-Cell-outputWrapper")


def plotted(page, cell):
    plot = cell.locator(".js-plotly-plot .main-svg").first
    plot.wait_for(state="attached")
    page.wait_for_timeout(700)
    return cell.locator(".js-plotly-plot").evaluate(DATA)


def press(cell, label):
    """One arrow key, no mouse, for the control with this label, or for the slider beside a list with it."""
    control = cell.locator(f".widget-label:text-is('{label}')").locator("xpath=..")
    listed = "widget-dropdown" in control.get_attribute("class")
    (control.locator("xpath=following-sibling::*[1]") if listed else control).locator("[role=slider]").focus()
    cell.page.keyboard.press("ArrowRight")


def changed(page, cell, before):
    """Waits until the plot under the cell shows something else, and gives that."""
    for _ in range(300):
        page.wait_for_timeout(100)
        plot = cell.locator(".js-plotly-plot")
        if plot.count() == 1 and (now := plot.evaluate(DATA)) != before and now.startswith("[{"):
            page.wait_for_timeout(300)
            return now
    raise AssertionError("the plot did not change")


CONTROLS = {
    "01_skeletons_and_cameras": {
        "lesson_cameras.labelled": ["joint set", "turn (degrees)"],
        "lesson_cameras.screen": ["camera", "frame"],
    },
    "02_metrics_and_protocols": {"lesson_metrics.draw": ["mistake", "amount (mm)"]},
    "explore_data": {"explore_data.explore": ["recording", "source"]},
    "explore_attention": {"explore_attention.explore": ["head (0: mean)", "test video"]},
    "explore_velocity": {"explore_velocity.explore": ["point", "pose: nth largest error"]},
    "explore_predictions": {"explore_predictions.explore": ["test video", "turn (degrees)"]},
}


@pytest.mark.parametrize("notebook", CONTROLS)
def test_controls_change_what_is_drawn(opened, tmp_path, notebook):
    page, cells = opened(notebook)
    for text, labels in CONTROLS[notebook].items():
        cell = in_sight(page, cells, text)
        shown = plotted(page, cell)
        page.screenshot(path=tmp_path / f"{text}.png")
        for label in labels:
            press(cell, label)
            shown = changed(page, cell, shown)
            page.screenshot(path=tmp_path / f"{text}.{label.split()[0]}.png")
        if notebook == "explore_predictions":
            cell.get_by_text("Play").click()
            moved = changed(page, cell, shown)
            assert changed(page, cell, moved) not in (shown, moved)


def test_the_first_page_shows_another_table(opened):
    page, cells = opened("00_start_here")
    cell = in_sight(page, cells, "by_keyboard(")
    cell.locator(".jp-RenderedMarkdown").wait_for()
    before = cell.inner_text()
    press(cell, "table")
    page.wait_for_timeout(2000)
    assert cell.inner_text() != before
