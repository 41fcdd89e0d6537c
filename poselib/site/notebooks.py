"""The body of an executed notebook as HTML: figures as files, plots drawn by a script that all pages share."""

import re
from collections.abc import Mapping
from html import escape, unescape
from pathlib import Path

import nbformat
import plotly.io
from jinja2 import FileSystemLoader
from nbconvert import HTMLExporter
from nbconvert.preprocessors import ExtractOutputPreprocessor
from nbformat import NotebookNode

PLOTLY = "application/vnd.plotly.v1+json"


def body_of(path: Path, links: Mapping[str, str]) -> tuple[str, dict[str, bytes]]:
    """A notebook's cells below its title, with their outputs, as HTML, and the images shown, by file name.

    Args:
        links: words -> address, for cells of tables that hold nothing else.
    """
    notebook = nbformat.read(path, as_version=4)
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", ()):
            if figure := output.get("data", {}).pop(PLOTLY, None):
                output.data["text/html"] = _drawn(figure, f"plot-{number}")
    _describe_images(notebook)
    first = notebook.cells[0]
    first.source = first.source.partition("\n")[2]
    exporter = HTMLExporter(
        template_name="basic",
        template_file="notebook.html",
        extra_loaders=[FileSystemLoader(Path(__file__).parent)],
        preprocessors=[ExtractOutputPreprocessor],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    body, resources = exporter.from_notebook_node(notebook, {"unique_key": path.stem})
    body = re.sub(r"(<td[^>]*>)([^<]+)(</td>)", lambda cell: cell[1] + _link(cell[2], links) + cell[3], body)
    body = body.replace("<table", '<div class="wide" tabindex="0" role="region" aria-label="Table"><table')
    return body.replace("</table>", "</table></div>"), resources["outputs"]


def _drawn(figure: Mapping, name: str) -> str:
    return plotly.io.to_html(
        figure, include_plotlyjs=False, full_html=False, div_id=name, default_height="450px", validate=False
    )


def _describe_images(notebook: NotebookNode) -> None:
    """An image is called after the notebook and the heading it stands under; its numbers stand in the tables."""
    headings, shown = [], 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            headings += re.findall(r"^#+ +(.+)$", cell.source, re.MULTILINE)
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                shown += 1
                output.metadata["image/png"] = {"alt": f"{headings[0]}; {headings[-1]}, image {shown}"}


def _link(text: str, links: Mapping[str, str]) -> str:
    address = links.get(unescape(text).strip())
    return f'<a href="{escape(address)}">{text}</a>' if address else text
