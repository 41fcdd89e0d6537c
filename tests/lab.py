"""JupyterLab as `make lab` starts it, and a browser on it; playwright drives a browser that is already installed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pytest

FLAGS = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--disable-background-networking"]
PLOTLY = "application/vnd.plotly.v1+json"
WAIT = 60_000


def browser_path():
    """An installed Chromium or Chrome; skips the test where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    if found := next(filter(None, map(shutil.which, names)), None):
        return found
    pytest.skip(f"no browser: none of {', '.join(names)} is installed")


@contextmanager
def server(folder, scratch, environment):
    """`make lab` in a checkout, without a browser of its own; gives address and token."""
    places = {f"JUPYTER_{kind}_DIR": str(scratch / kind.lower()) for kind in ("RUNTIME", "CONFIG")}
    environment = {**environment, **places, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    prefix = sys.prefix
    command = ["make", "-o", f"{prefix}/installed", "lab", f"VENV={prefix}", "LAB=--no-browser --expose-app-in-browser"]
    with (scratch / "lab.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield _address(process, scratch)
        finally:
            _stop(process)


def _stop(process):
    """Ends make and the server below it, which first ends its kernels."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
            for _ in range(100):
                time.sleep(0.2)
                process.poll()
                os.killpg(process.pid, 0)


def _address(process, scratch):
    end = time.monotonic() + WAIT / 1000
    while process.poll() is None and time.monotonic() < end:
        if found := list(scratch.glob("runtime/jpserver-*.json")):
            told = json.loads(found[0].read_text())
            return f"http://127.0.0.1:{told['port']}/lab/tree", told["token"]
        time.sleep(0.2)
    raise AssertionError((scratch / "lab.log").read_text()[-2000:])


def run_all_cells(page, address, token, notebook):
    """Opens a notebook, runs it to its end, stops its kernel; gives its cells and the addresses asked for outside."""
    found = run_and_stay(page, address, token, notebook)
    stop(page)
    return found


def run_and_stay(page, address, token, notebook):
    """`run_all_cells` with a kernel that goes on, for widgets."""
    outside = []
    page.on("request", lambda request: outside.append(request.url) if _leaves(request.url) else None)
    page.set_default_timeout(WAIT)
    # Without what another page left open.
    page.goto(f"{address}/{notebook}?reset&token={token}")
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status='idle']")
    page.evaluate("() => { window.panel = window.jupyterapp.shell.currentWidget }")
    page.evaluate("async () => { await panel.sessionContext.ready; await panel.sessionContext.session.kernel.info }")
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
    return page.evaluate("() => panel.content.model.toJSON().cells"), outside


def stop(page):
    """Stops the kernel; a server with a running one takes long to stop."""
    page.evaluate("() => panel.sessionContext.shutdown()")


def _leaves(url):
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:"))


def colours(page, cell):
    """How many colours the plot under a cell shows, a blank one one or two; JupyterLab draws only cells in sight."""
    page.evaluate("cell => panel.content.scrollToItem(cell)", cell)
    plot = page.locator(f"[data-windowed-list-index='{cell}'] .js-plotly-plot")
    plot.wait_for()
    page.wait_for_timeout(1000)
    image = plt.imread(BytesIO(plot.screenshot()))
    return len(np.unique((image.reshape(-1, image.shape[-1]) * 255).astype(np.uint8), axis=0))
