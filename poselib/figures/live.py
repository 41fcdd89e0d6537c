"""Controls above a figure that is drawn anew when one of them changes; by mouse and by keyboard alike."""

import json
from collections.abc import Callable, Mapping

import plotly.graph_objects as go
from IPython.display import display
from ipywidgets import Dropdown, HBox, IntSlider, Output, SelectionSlider, ToggleButtons, VBox, Widget, dlink, link

from poselib.errors import InputError

PLOTLY = "application/vnd.plotly.v1+json"
_LABELS = {"style": {"description_width": "initial"}}


def choice(label: str, options: Mapping | list, value: object = None) -> Dropdown:
    """A list to choose from; `options` may name its values."""
    values = list(options.values() if isinstance(options, Mapping) else options)
    chosen = value if value in values else values[0]
    return Dropdown(options=options, description=label, value=chosen, layout={"width": "max-content"}, **_LABELS)


def switch(label: str, options: list[str]) -> ToggleButtons:
    """A row of buttons of which one is down."""
    style = {"button_width": "auto", "description_width": "initial"}
    return ToggleButtons(options=options, description=label, style=style, layout={"width": "max-content"})


def number(label: str, most: int, *, least: int = 0, value: int | None = None, step: int = 1) -> IntSlider:
    """A slider over whole numbers; arrow keys move it."""
    start = least if value is None else value
    return IntSlider(start, least, most, step, description=label, continuous_update=False, **_LABELS)


def show(draw: Callable[..., go.Figure], height: int = 640, **controls: Widget) -> None:
    """Shows the controls and below them what `draw` makes of their values, which it gets by their names.

    What `draw` finds wrong with its input, an InputError, is shown as its sentence, and the controls stay. An executed
    copy, where nobody answers controls, keeps the first figure.
    """
    # The place keeps its height while a figure is exchanged, so that the page does not jump.
    place = Output(layout={"min_height": f"{height + 20}px", "overflow": "hidden"})

    def redraw(_: object = None) -> None:
        try:
            content = _bundle(draw(**{name: control.value for name, control in controls.items()}))
        except InputError as error:
            content = {"text/plain": str(error)}
        place.outputs = ({"output_type": "display_data", "data": content, "metadata": {}},)

    redraw()
    first = place.outputs[0]["data"]
    for control in controls.values():
        control.observe(redraw, "value")
    rows = HBox([by_keyboard(control) for control in controls.values()], layout={"flex_flow": "row wrap"})
    display(first | VBox([rows, place])._repr_mimebundle_(), raw=True)


def by_keyboard(control: Widget) -> Widget:
    """A list with a small slider through it: JupyterLab takes the arrow keys from a list, but not from a slider."""
    if not isinstance(control, Dropdown):
        return control
    layout = {"width": "70px", "margin": "2px 12px 2px 0"}
    slider = SelectionSlider(options=control.options, readout=False, continuous_update=False, layout=layout)
    dlink((control, "options"), (slider, "options"))
    link((control, "index"), (slider, "index"))
    return HBox([control, slider])


def _bundle(figure: go.Figure) -> dict:
    figure.update_layout(template="plotly_white")
    content = json.loads(figure.to_json()) | {"config": {"displaylogo": False, "responsive": True}}
    return {PLOTLY: content, "text/plain": figure.layout.title.text or ""}
