"""The figures of the Evidence page: estimates with their intervals, and the line of chance."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from sing_core.maths.statistics import Interval

_LINE = {"color": "#7f8a99", "dash": "dot", "width": 1}  # seen on light and on dark pages
Ends = tuple[float, float | None, float | None]  # an estimate, lower and upper end


def _error_bars(found: Sequence[Ends], **look: float) -> dict[str, Any]:
    """Return the bars of estimates with their ends; one without an interval has none."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [0 if high is None else high - middle for middle, _, high in found],
        "arrayminus": [0 if low is None else middle - low for middle, low, _ in found],
        **look,
    }


def with_intervals(
    points: Sequence[tuple[str, Interval]],
    *,
    chance: float,
    title: str,
    form: str,
    span: tuple[float, float] | None = None,
) -> go.Figure:
    """Return named shares as points with intervals, the first one on top.

    ``form`` is how the axis writes a number; ``span`` what it covers, from 0 without it.
    """
    values = [found.estimate for _, found in points]
    spread = _error_bars([(found.estimate, found.low, found.high) for _, found in points])
    figure = go.Figure(
        go.Scatter(
            x=values, y=[name for name, _ in points], error_x=spread, mode="markers",
            marker_size=11, hovertemplate="%{y}: %{x:" + form + "}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_vline(x=chance, line=_LINE, annotation_text="chance")
    figure.update_xaxes(tickformat=form, title=title, rangemode="tozero", range=span)
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_layout(height=320, margin={"l": 10, "r": 10, "t": 20, "b": 40})
    return figure


def curve(
    points: Sequence[tuple[str, tuple[float, float, float], bool]], *, title: str
) -> go.Figure:
    """Return estimates with their intervals in the order given, and the line of 0.

    ``points`` are a name, estimate with lower and upper end, and whether it says the same.
    """
    figure = go.Figure()
    for kept, name, colour in ((True, "survives", "#2f6299"), (False, "does not", "#b5541f")):
        part = [(i, *point[:2]) for i, point in enumerate(points, start=1) if point[2] == kept]
        figure.add_scatter(
            x=[place for place, _, _ in part], y=[value[0] for _, _, value in part],
            error_y=_error_bars([value for _, _, value in part], thickness=1, width=0),
            mode="markers", marker_size=6, marker_color=colour, name=name,
            marker_symbol="circle" if kept else "x", text=[words for _, words, _ in part],
            hovertemplate="%{text}: %{y:.3f}°<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=0, line=_LINE)
    figure.update_xaxes(title="choices, in the order of what they say")
    figure.update_yaxes(title=title)
    figure.update_layout(height=360, margin={"l": 10, "r": 10, "t": 20, "b": 40},
                         legend={"orientation": "h", "y": 1.1})  # fmt: skip
    return figure


_SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon")
_COLOURS = (
    "#2f6299", "#b5541f", "#2b7a4b", "#8a3f8f", "#a3262b", "#5c5c00", "#00707a", "#6b4a3a",
)  # fmt: skip


def dose_response(
    points: Sequence[tuple[str, float, Ends, float | None]],
    *,
    chance: float,
) -> go.Figure:
    """Return a curve for each name: contrast in degrees above, null share below.

    ``points`` are a name, dose, contrast with its ends, and null share; ``chance`` is the share of
    a random direction.
    """
    figure = make_subplots(  # one above the other: beside each other the titles meet on a phone
        rows=2, vertical_spacing=0.2,
        subplot_titles=["what AS of the null movement shows", "what lies in the null space"],
    )  # fmt: skip
    for place, name in enumerate(dict.fromkeys(point[0] for point in points)):
        own = [point[1:] for point in points if point[0] == name]
        look = {
            "mode": "lines+markers", "name": name, "legendgroup": name,
            "line_color": _COLOURS[place % len(_COLOURS)],
            "marker": {"symbol": _SYMBOLS[place % len(_SYMBOLS)], "size": 9},
        }  # fmt: skip
        figure.add_scatter(
            x=[dose for dose, _, _ in own], y=[middle for _, (middle, _, _), _ in own],
            error_y=_error_bars([contrast for _, contrast, _ in own], thickness=1, width=3),
            hovertemplate="dose %{x}: %{y:+.2f}°", row=1, col=1, **look,
        )  # fmt: skip
        figure.add_scatter(
            x=[dose for dose, _, _ in own], y=[share for _, _, share in own], showlegend=False,
            hovertemplate="dose %{x}: %{y:.1%}", row=2, col=1, **look,
        )  # fmt: skip
    figure.add_hline(y=0, line=_LINE, row=1, col=1)
    figure.add_hline(y=chance, line=_LINE, annotation_text="a random direction", row=2, col=1)
    figure.update_xaxes(title="dose", range=[0, 1.1])
    figure.update_yaxes(title="contrast, degrees", row=1, col=1)
    figure.update_yaxes(title="share", tickformat=".0%", rangemode="tozero", row=2, col=1)
    figure.update_layout(height=640, margin={"l": 10, "r": 10, "t": 40, "b": 40},
                         legend={"orientation": "h", "y": -0.12})  # fmt: skip
    return figure
