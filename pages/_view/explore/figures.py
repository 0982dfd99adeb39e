"""Plotly figures: pure functions from a report to a figure; colours come from the app's theme."""

import plotly.graph_objects as go

from sing_core.studies.reports import Sweep

_ROW_PX = 30


def concept_arrows(sweep: Sweep, index: int, *, count: int = 14) -> go.Figure:
    """Return the angle of concepts before and after the step (after the paper's Fig. 5).

    Shown are the prompt and the ``count`` concepts nearest to the original or to the equivalent
    at ``sweep.epsilon[index]``; an arrow to the left is a positive AS.
    """
    own, rest = sweep.concepts[0], sweep.concepts[1:]
    nearest = sorted(rest, key=lambda c: min(c.angle_deg[0], c.angle_deg[index]))[:count]
    shown = sorted([own, *nearest], key=lambda c: c.angle_deg[index], reverse=True)
    labels = [_label(c.label, is_prompt=c is own) for c in shown]
    rows = list(range(len(shown)))
    before = [c.angle_deg[0] for c in shown]
    after = [c.angle_deg[index] for c in shown]
    figure = go.Figure()
    for row, start, end in zip(rows, before, after, strict=True):
        figure.add_annotation(
            x=end, y=row, ax=start, ay=row, xref="x", yref="y", axref="x", ayref="y",
            showarrow=True, arrowhead=2, arrowsize=1, arrowwidth=1.5, arrowcolor="#7f8a99",
        )  # fmt: skip
    hover = "%{customdata}<br>%{x:.1f}°<extra></extra>"
    for name, x, symbol, colour in (
        ("before (ε = 0)", before, "circle-open", "#7f8a99"),
        ("after", after, "circle", "#0f7b8a"),
    ):
        figure.add_scatter(
            x=x, y=rows, mode="markers", name=name, customdata=labels, hovertemplate=hover,
            marker={"symbol": symbol, "size": 9, "color": colour},
        )  # fmt: skip
    figure.update_xaxes(title_text="angle in degrees (smaller is nearer)")
    figure.update_yaxes(tickvals=rows, ticktext=labels, automargin=True, showgrid=False)
    figure.update_layout(
        height=110 + _ROW_PX * len(rows),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def _label(text: str, *, is_prompt: bool) -> str:
    """Return a tick label; Plotly reads some HTML, and a prompt is data."""
    short = text if len(text) <= 34 else text[:33] + "…"
    plain = short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"“{plain}”" if is_prompt else plain
