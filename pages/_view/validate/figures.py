"""Figures of the Validate page: pure functions from a result to a figure."""

import math
from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pages._view.tables.figures import plain
from sing_core.maths.head_transfer import Transfer
from sing_core.maths.translator_quality import Comparison
from sing_core.studies.validation import KINDS, Perturbations, Spectrum

_COLOURS = {"null": "#0f7b8a", "random": "#7f8a99", "class_row": "#b5552b"}
_LINES = (("#0f7b8a", "solid"), ("#b5552b", "dash"), ("#8e5bc0", "dot"), ("#a67c00", "dashdot"))
AXES = {
    "relative": "change of the logits, of their length",
    "absolute": "change of the logits, absolute",
    "degrees": "turn of the meaning, degrees",
}
# A logarithmic axis has no zero: an exact one is drawn at the smallest step of float64.
_FLOOR = 1e-17
_MOST_POINTS = 500  # of more images the box alone is drawn


def spectrum(found: Spectrum) -> go.Figure:
    """Return singular values by rank on a logarithmic axis, the cut and the null space marked."""
    largest = found.singular_values[0]
    figure = go.Figure()
    figure.add_scatter(
        x=list(range(1, len(found.singular_values) + 1)),
        y=[max(value, _FLOOR * largest) for value in found.singular_values],
        mode="lines", line={"color": _COLOURS["class_row"]},
        hovertemplate="number %{x}<br>%{y:.3g}<extra></extra>", showlegend=False,
    )  # fmt: skip
    figure.add_hline(y=found.threshold, line={"dash": "dot", "color": _COLOURS["random"]})
    # A line's own annotation takes the value itself for its logarithm.
    figure.add_annotation(
        x=0, xref="paper", xanchor="left", y=math.log10(found.threshold), yanchor="bottom",
        text="counts as zero", showarrow=False,
    )  # fmt: skip
    if found.nullity:
        figure.add_vrect(
            x0=found.rank, x1=found.feature_dim, fillcolor=_COLOURS["null"], opacity=0.15,
            line_width=0, annotation_text=f"null space: {found.nullity}",
            annotation_position="top right",  # a band too narrow for it: it runs inward, not out
        )  # fmt: skip
    figure.update_xaxes(title_text="feature direction", range=[0, found.feature_dim])
    figure.update_yaxes(title_text="singular value", type="log", exponentformat="power")
    return _sized(figure)


def changes(found: Perturbations, measure: str = "relative") -> go.Figure:
    """Return what the three kinds of steps do to every image, by one of ``MEASURES`` (Fig. 9)."""
    axis, of_logits = AXES[measure], measure != "degrees"
    figure = go.Figure()
    for kind in KINDS:
        values = getattr(found.of(kind), measure)
        look = {
            "name": kind.replace("_", " "), "showlegend": False,
            "marker": {"color": _COLOURS[kind], "size": 5},
        }  # fmt: skip
        if len(values) > _MOST_POINTS:
            figure.add_box(x=[look["name"]], **_ends(values), **look)
            continue
        figure.add_box(
            y=[max(value, _FLOOR) for value in values] if of_logits else values,
            customdata=list(found.names), boxpoints="all", jitter=0.4, pointpos=0, **look,
            hovertemplate="%{customdata}<br>%{y:.2e}<extra></extra>" if of_logits
            else "%{customdata}<br>%{y:.1f}°<extra></extra>",
        )  # fmt: skip
    if of_logits:
        figure.update_yaxes(title_text=axis, type="log", exponentformat="power")
    else:
        figure.update_yaxes(title_text=axis, rangemode="tozero")
    return _sized(figure)


def _ends(values: Sequence[float]) -> dict[str, list[float]]:
    """Return a box without its points: quartiles, and 95 % of the images between the whiskers."""
    low, quarter, middle, three, high = np.quantile(values, (0.025, 0.25, 0.5, 0.75, 0.975))
    return {
        "lowerfence": [max(low, _FLOOR)], "q1": [max(quarter, _FLOOR)],
        "median": [max(middle, _FLOOR)], "q3": [max(three, _FLOOR)],
        "upperfence": [max(high, _FLOOR)],
    }  # fmt: skip


def transfers(titles: Sequence[str], rows: Sequence[Transfer]) -> go.Figure:
    """Return the accuracy of each classifier's two heads against each other (Fig. 12)."""
    before, after = [row.before for row in rows], [row.after for row in rows]
    low, high = min(*before, *after), max(*before, *after)
    room = max(0.02, 0.15 * (high - low))
    ends = [max(0.0, low - room), min(1.0, high + room)]
    figure = go.Figure().add_scatter(
        x=ends, y=ends, mode="lines", hoverinfo="skip", showlegend=False,
        line={"color": _COLOURS["random"], "dash": "dot", "width": 1},
    )  # fmt: skip
    figure.add_scatter(
        x=before, y=after, mode="markers+text", text=[plain(title) for title in titles],
        # On the side that leads away from the diagonal, which then runs through no label.
        textposition=["bottom right" if row.after < row.before else "top left" for row in rows],
        showlegend=False, cliponaxis=False,
        marker={"size": 10, "color": _COLOURS["null"]},
        hovertemplate="%{text}<br>%{x:.1%} before, %{y:.1%} after<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(
        title_text="accuracy before translation", tickformat=".0%", range=ends, constrain="domain"
    )
    figure.update_yaxes(
        title_text="accuracy after translation", tickformat=".0%", range=ends,
        scaleanchor="x", constrain="domain",
    )  # fmt: skip
    return _sized(figure)


def histograms(found: Comparison) -> go.Figure:
    """Return the cosine distribution of the best translator of each architecture (Fig. 8)."""
    figure = go.Figure()
    seen: list[str] = []
    for row in found.rows:
        if row.architecture in seen:
            continue
        colour, dash = _LINES[len(seen) % len(_LINES)]
        seen.append(row.architecture)
        figure.add_scatter(
            x=found.edges[:-1], y=row.histogram, mode="lines", name=row.architecture,
            line={"shape": "hv", "color": colour, "dash": dash},
            hovertemplate="from %{x:.2f}: %{y:.1%}<extra>" + row.architecture + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="cosine to the reference’s own embedding")
    figure.update_yaxes(title_text="share of images", tickformat=".0%")
    below = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0}
    figure.update_layout(legend=below)  # above it the figure's own buttons would lie upon it
    return _sized(figure)


def _sized(figure: go.Figure) -> go.Figure:
    figure.update_layout(height=360, margin={"l": 8, "r": 8, "t": 24, "b": 8})
    return figure
