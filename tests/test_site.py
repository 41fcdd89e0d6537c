"""The pages for a browser: complete, linked, and without a network."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import lab
import pytest

from poselib.ledger import divergences
from poselib.project import notebooks
from poselib.scoreboard import scoreboard
from poselib.site.build import build

ROOT = Path(__file__).resolve().parent.parent
# The results that are committed, by the README.
RESULTS = re.findall(r"<!-- scoreboard of (\S+) -->", (ROOT / "README.md").read_text())


class Page(HTMLParser):
    """What a page refers to, its anchors, its images and its words."""

    def __init__(self, path):
        super().__init__()
        self.path, self.targets, self.loaded, self.ids, self.images, self.words = path, [], [], set(), [], ""
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found["id"]} if "id" in found else set()
        self.images += [found] if tag == "img" else []
        for key in ("src", "href", "srcset", "data", "poster"):
            if key in found and not found[key].startswith("data:"):
                (self.targets if tag == "a" else self.loaded).append(found[key])

    def handle_data(self, data):
        self.words += data

    def leads_to(self):
        """Local pages that links lead to, each with its anchor."""
        for target in self.targets:
            address, anchor = urldefrag(target)
            yield (self.path.parent / unquote(address)).resolve() if address else self.path, anchor


@pytest.fixture(scope="module", params=RESULTS)
def site(request, tmp_path_factory):
    """The pages of a results folder, built beside a copy of it."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ("experiments", "notebooks", "data", "params.yaml"):
        (root / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / request.param, root / request.param, ignore=shutil.ignore_patterns("site"))
    build(root, request.param)
    folder = root / request.param / "site"
    return request.param, {path: Page(path) for path in sorted(folder.rglob("*.html"))}, folder


def test_nothing_is_loaded_from_elsewhere(site):
    _, pages, folder = site
    for path, page in pages.items():
        assert not [target for target in page.loaded if re.match(r"(\w+:)?//", target)], path.name
        assert not re.search(r"url\(|@import", "".join(re.findall(r"<style.*?</style>", path.read_text(), re.DOTALL)))
        for target in page.loaded:
            assert (path.parent / target).is_file(), f"{path.name}: {target}"
    assert not re.search(r"url\(|@import", (folder / "style.css").read_text())


def test_every_link_has_a_target_on_a_page(site):
    _, pages, _ = site
    for path, page in pages.items():
        for target, anchor in page.leads_to():
            assert target in pages, f"{path.name}: {target}"
            assert not anchor or anchor in pages[target].ids, f"{path.name}: {target.name}#{anchor}"


def test_every_table_is_two_clicks_from_the_index_at_most_and_leads_back(site):
    results, pages, folder = site
    index = folder / "index.html"
    first = {target for target, _ in pages[index].leads_to()}
    reached = first | {target for path in first for target, _ in pages[path].leads_to()}
    names = [name for name in notebooks(ROOT) if (ROOT / results / f"{name}.ipynb").is_file()]
    executed = {folder / f"{name}.html" for name in names}
    assert executed and executed <= set(pages) and executed <= reached
    assert all(index in {target for target, _ in page.leads_to()} for page in pages.values())


def test_pages_say_their_verdicts_and_their_data(site):
    results, pages, folder = site
    for row in scoreboard(ROOT, results).itertuples():
        for path in (folder / f"{row.table}.html", folder / "claims.html"):
            assert row.claim in pages[path].words and row.verdict in pages[path].words, (path.name, row.claim)
    source = "synthetic (stand-in)" if results == "results" else "mocap.cs.cmu.edu"
    assert all(source in page.words for page in pages.values())


def test_tables_and_the_ledger_lead_to_each_other(site):
    _, pages, folder = site
    ledger, table = folder / "ledger.html", folder / "tmt/table07.html"
    linked = {anchor for target, anchor in pages[table].leads_to() if target == ledger} - {""}
    assert len(linked) > 5 and linked == set(re.findall(r">\s*(D-\d+)\s*<", table.read_text()))
    assert pages[ledger].ids >= set(divergences(ROOT)["id"])
    assert table in {target for target, _ in pages[ledger].leads_to()}


def test_a_measured_row_leads_to_its_training(site):
    _, pages, folder = site
    named = {anchor for target, anchor in pages[folder / "tmt/table07.html"].leads_to() if target.stem == "trainings"}
    assert "tmt_step1_d4_w64_t27_gt" in named


def test_images_have_words_and_the_pages_a_language_and_one_title(site):
    _, pages, _ = site
    texts = [image["alt"] for page in pages.values() for image in page.images]
    assert len(texts) > 5 and len(set(texts)) == len(texts) and all("image" in text for text in texts)
    for path in pages:
        text = path.read_text()
        assert '<html lang="en">' in text and text.count("<h1") == 1 and 'href="#content"' in text, path.name


def test_a_browser_without_a_network_shows_every_page(site):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    _, pages, _ = site
    path = lab.browser_path()
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=lab.FLAGS)
        page = browser.new_context(offline=True).new_page()
        faults, drawn = [], 0
        page.on("requestfailed", lambda request: faults.append(f"{page.url}: {request.url} failed"))
        page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
        page.on("console", lambda told: faults.append(f"{page.url}: {told.text}") if told.type == "error" else None)
        for address in pages:
            page.goto(address.as_uri())
            broken = page.evaluate("[...document.images].filter(image => !image.naturalWidth).map(image => image.src)")
            faults += [f"{address.name}: {image} is broken" for image in broken]
            plots = page.locator(".plotly-graph-div")
            for number in range(plots.count()):
                plots.nth(number).locator(".main-svg").first.wait_for(state="attached", timeout=lab.WAIT)
                drawn += 1
        # What keyboards reach first leads past the menu.
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
    assert not faults and drawn >= 2
