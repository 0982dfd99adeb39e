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
