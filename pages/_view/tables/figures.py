"""Figures of the leakage pages: pure functions from rows to Plotly, degrees on the axes."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from scipy import stats

from sing_core.leakage.classes import ClassRow
from sing_core.leakage.comparison import ModelRow
from sing_core.maths.split_halves import FEWEST_IMAGES
from sing_core.maths.statistics import Interval

COLOURS = ("#2f6299", "#b5541f", "#3d7a4a", "#7b4a9a", "#8a6d1f")
_GREY = "#7f8a99"
_TEAL = "#0f7b8a"
_RUST = "#b5541f"
_VIOLIN_FROM = 10
# What a null space is held against: name, interval of the difference, mark, thickness of the bar.
_CONTROLS = (
    ("random, equal dimension", "above_dim", "square-open", 1.5),
    ("random, equal energy", "above_energy", "diamond-open", 5.0),
    ("read, equal energy", "above_principal", "triangle-up-open", 1.5),
)
Titles = Mapping[str, str]  # of models, for a person


def plain(text: str, length: int = 34) -> str:
    """Return a label; Plotly reads some HTML, and a concept is data."""
    short = text if len(text) <= length else text[: length - 1] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def class_violins(
    images: Mapping[str, Sequence[Mapping[str, Any]]],
    other: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    names: Sequence[str] = ("", ""),
) -> go.Figure:
    """Return AS of every image, class by class: a violin from ten images on, else points.

    Of two models, called ``names``, each has its half of every violin, the first the upper one.
    """
    figure = go.Figure()
    if other is None:
        _add_violins(figure, images, _TEAL, "both", "")
    else:
        _add_violins(figure, images, _TEAL, "negative", plain(names[0]))  # y runs downward
        _add_violins(figure, other, _RUST, "positive", plain(names[1]))
        figure.update_layout(violinmode="overlay")
    figure.add_vline(x=0, line={"color": _GREY, "dash": "dot", "width": 1})
    figure.update_xaxes(title_text="AS of each image, degrees")
    figure.update_yaxes(autorange="reversed", automargin=True)
    return sized(figure, 110 + (34 if other is None else 60) * len(images))


def _add_violins(
    figure: go.Figure,
    images: Mapping[str, Sequence[Mapping[str, Any]]],
    colour: str,
    side: str,
    model: str,
) -> None:
    """Add a violin a class; one entry of the legend stands for all of a named model."""
    clear, away = "rgba(0,0,0,0)", {"both": 0.0, "positive": 0.4, "negative": -0.4}[side]
    for place, (name, rows) in enumerate(images.items()):
        scores = [row["attribute_score_deg"] for row in rows]
        many = len(scores) >= _VIOLIN_FROM
        figure.add_violin(
            x=scores, y=[plain(name)] * len(scores), orientation="h", name=model or plain(name),
            points="all", pointpos=away, jitter=0.6 if side == "both" else 0.3, side=side,
            showlegend=bool(model) and place == 0, legendgroup=model, meanline_visible=True,
            line_color=colour if many else clear, fillcolor=_faint(colour) if many else clear,
            marker={"size": 5, "color": colour}, spanmode="hard",
            customdata=[row["name"] for row in rows],
            hovertemplate=f"%{{customdata}}<br>AS %{{x:+.2f}}°<extra>{model}</extra>",
        )  # fmt: skip


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.15)"


def two_models(
    first: Sequence[ClassRow], second: Sequence[ClassRow], names: Sequence[str]
) -> go.Figure:
    """Return mean AS of every class under two models; faint where a class has too few images.

    Only the others, of ``FEWEST_IMAGES`` or more, take part in the rank correlation.
    """
    other = {row.index: row for row in second}
    both = [(row, other[row.index]) for row in first if row.index in other]
    enough = [min(a.n, b.n) >= FEWEST_IMAGES for a, b in both]
    figure = go.Figure()
    for counted, name, look in (
        (False, "fewer images, not in ρ", {"size": 4, "color": _GREY, "opacity": 0.35}),
        (True, f"at least {FEWEST_IMAGES} images", {"size": 6, "color": _TEAL}),
    ):
        part = [pair for pair, is_enough in zip(both, enough, strict=True) if is_enough == counted]
        figure.add_scattergl(
            x=[a.as_mean for a, _ in part], y=[b.as_mean for _, b in part], mode="markers",
            customdata=[plain(a.label) for a, _ in part], marker=look, name=name,
            hovertemplate="%{customdata}<br>%{x:+.2f}°, %{y:+.2f}°<extra></extra>",
            showlegend=not all(enough),
        )  # fmt: skip
    figure.update_xaxes(title_text=f"mean AS under {plain(names[0])}, degrees")
    figure.update_yaxes(title_text=f"mean AS under {plain(names[1])}, degrees")
    return sized(figure, 420)


def joint(
    classes: Mapping[str, Sequence[ClassRow]], rows: Sequence[ModelRow], titles: Titles
) -> go.Figure:
    """Return AS × IS: a point per class, an ellipse over 95 % of them, the mean's intervals."""
    figure = go.Figure()
    for colour, row in zip(_cycle(len(rows)), rows, strict=True):
        own, name = classes[row.model], plain(titles[row.model])
        x, y = [c.as_mean for c in own], [c.is_mean for c in own]
        figure.add_scattergl(
            x=x, y=y, mode="markers", name=name, legendgroup=row.model, opacity=0.35,
            showlegend=False, marker={"size": 4, "color": colour},
            customdata=[plain(c.label) for c in own],
            hovertemplate="%{customdata}<br>AS %{x:+.2f}°, IS %{y:.2f}°<extra></extra>",
        )  # fmt: skip
        if len(own) > 2:
            ellipse = confidence_ellipse(x, y)
            figure.add_scatter(
                x=ellipse[0], y=ellipse[1], mode="lines", line={"color": colour, "width": 2},
                legendgroup=row.model, showlegend=False, hoverinfo="skip",
            )  # fmt: skip
        figure.add_scatter(
            x=[row.attribute_score.estimate], y=[row.image_score.estimate], mode="markers",
            marker={"size": 11, "symbol": "x", "color": colour}, legendgroup=row.model,
            error_x=_bars([row.attribute_score]), error_y=_bars([row.image_score]),
            name=name, hovertemplate="mean AS %{x:+.3f}°, mean IS %{y:.3f}°",
        )  # fmt: skip
    figure.update_xaxes(title_text="mean AS to the own class, degrees")
    figure.update_yaxes(title_text="mean IS, degrees")
    return sized(figure, 460)


def confidence_ellipse(
    x: Sequence[float], y: Sequence[float], level: float = 0.95
) -> tuple[list[float], list[float]]:
    """Return the outline that holds ``level`` of a normal cloud with these points' covariance."""
    values, vectors = np.linalg.eigh(np.cov(x, y))
    radius = np.sqrt(np.clip(values, 0, None) * stats.chi2.isf(1 - level, 2))
    turn = np.linspace(0, 2 * math.pi, 73)
    points = vectors @ (radius[:, None] * np.stack([np.cos(turn), np.sin(turn)]))
    return (points[0] + np.mean(x)).tolist(), (points[1] + np.mean(y)).tolist()


def ratios(rows: Sequence[ModelRow], titles: Titles) -> go.Figure:
    """Return mean IS over mean |AS| of null removal and of its controls, as bars (Fig. 3b)."""
    kinds = (
        ("null space", "ratio", _TEAL, 1.0),
        ("random, equal dimension", "dim_ratio", _GREY, 0.75),
        ("random, equal energy", "energy_ratio", _GREY, 0.45),
    )
    figure = go.Figure()
    for name, attribute, colour, opacity in kinds:
        intervals = [getattr(row, attribute) for row in rows]
        figure.add_bar(
            x=[plain(titles[row.model]) for row in rows],
            y=[interval.estimate for interval in intervals],
            error_y=_bars(intervals), name=name, marker_color=colour, opacity=opacity,
            hovertemplate="%{x}: %{y:.1f}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_yaxes(title_text="mean IS / mean |AS|", rangemode="tozero")
    figure.update_xaxes(type="category")
    return sized(figure, 320)


def against_controls(rows: Sequence[ModelRow], titles: Titles) -> go.Figure:
    """Return mean |AS| of null removal as a line across what its verdicts hold it against.

    A bar is the interval of one difference, laid around the mean of that control's draws: a null
    space whose line lies outside it is decided. The thick one decides on the page.
    """
    places = list(range(len(rows)))
    own = [row.abs_attribute_score.estimate for row in rows]
    figure = go.Figure()
    figure.add_scatter(
        x=own, y=places, mode="markers", name="null space",
        marker={"symbol": "line-ns-open", "size": 34, "color": _TEAL, "line": {"width": 4}},
        hovertemplate="%{x:.3f}°<extra>null space</extra>",
    )  # fmt: skip
    ends = [0.0, *own]
    for shift, (name, gap, symbol, thick) in zip((0.25, 0.0, -0.25), _CONTROLS, strict=True):
        found = [expected(row, gap) for row in rows]
        figure.add_scatter(
            x=[one.estimate for one in found], y=[place + shift for place in places],
            mode="markers", name=name, error_x=_bars(found) | {"thickness": thick},
            marker={"size": 9, "symbol": symbol, "color": _GREY},
            hovertemplate="%{x:.3f}°<extra>" + name + "</extra>",
        )  # fmt: skip
        known = (end for one in found for end in (one.low, one.estimate, one.high))
        ends += [end for end in known if end is not None]
    least, most = min(ends), max(ends) or 1.0
    # From below 0: a head without a null space has all its marks there, and half of each was cut.
    room = 0.04 * (most - least)
    figure.update_xaxes(title_text="mean |AS|, degrees", range=[least - room, most + room])
    labels = [
        f"{plain(titles[row.model], 24)}<br>({row.nullity} / {row.feature_dim})" for row in rows
    ]
    figure.update_yaxes(tickvals=places, ticktext=labels, automargin=True)
    return sized(figure, 150 + 70 * len(rows))


def expected(row: ModelRow, gap: str) -> Interval:
    """Return where |AS| would lie, were the null space one more of a control's subspaces.

    ``gap`` names the interval of the difference from that control.
    """
    own, found = row.abs_attribute_score.estimate, getattr(row, gap)
    low, high = (None if end is None else own - end for end in (found.high, found.low))
    return Interval(own - found.estimate, low, high, found.clusters)


def _bars(intervals: Sequence[Interval]) -> dict[str, Any]:
    """Return asymmetric error bars; none where there is no interval."""
    above = [(i.high - i.estimate) if i.high is not None else 0.0 for i in intervals]
    below = [(i.estimate - i.low) if i.low is not None else 0.0 for i in intervals]
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below}


def _cycle(count: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(count)]


def sized(figure: go.Figure, height: int) -> go.Figure:
    """Return a figure of so many pixels, its legend below it."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={
            "orientation": "h",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",  # above the figure its own buttons would lie upon it
            "x": 0,
            "itemsizing": "constant",
        },
    )
    return figure
