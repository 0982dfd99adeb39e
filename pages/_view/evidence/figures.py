"""The one figure of the Evidence page: shares with intervals, one a line, and that of chance."""

from collections.abc import Sequence

import plotly.graph_objects as go

from sing_core.maths.statistics import Interval


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
    ends = [(found.low or found.estimate, found.high or found.estimate) for _, found in points]
    spread = {
        "type": "data",
        "symmetric": False,
        "array": [high - value for value, (_, high) in zip(values, ends, strict=True)],
        "arrayminus": [value - low for value, (low, _) in zip(values, ends, strict=True)],
    }
    figure = go.Figure(
        go.Scatter(
            x=values, y=[name for name, _ in points], error_x=spread, mode="markers",
            marker_size=11, hovertemplate="%{y}: %{x:" + form + "}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_vline(x=chance, line_dash="dot", annotation_text="chance")
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
            error_y={
                "type": "data", "symmetric": False, "thickness": 1, "width": 0,
                "array": [high - middle for _, _, (middle, _, high) in part],
                "arrayminus": [middle - low for _, _, (middle, low, _) in part],
            },
            mode="markers", marker_size=6, marker_color=colour, name=name,
            marker_symbol="circle" if kept else "x", text=[words for _, words, _ in part],
            hovertemplate="%{text}: %{y:.3f}°<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=0, line_dash="dot")
    figure.update_xaxes(title="choices, in the order of what they say")
    figure.update_yaxes(title=title)
    figure.update_layout(height=360, margin={"l": 10, "r": 10, "t": 20, "b": 40},
                         legend={"orientation": "h", "y": 1.1})  # fmt: skip
    return figure
