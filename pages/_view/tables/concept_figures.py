"""Figures of concepts: arrows of angles, a network of meanings, a class amid its concepts."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from pages._view.tables.figures import plain, sized
from pages._view.tables.labels import label_positions
from sing_core.leakage.concept_map import ConceptMap
from sing_core.leakage.concepts import ConceptRow

_GREY, _TEAL = "#7f8a99", "#0f7b8a"
_ROW_PX = 28


def concept_arrows(rows: Sequence[ConceptRow], *, most: int = 40) -> go.Figure:
    """Return an arrow per concept from the original's angle to the equivalent's (Fig. 5).

    Shown are the ``most`` concepts nearest before removal; hollow where there is no verdict.
    """
    shown = sorted(rows, key=lambda row: row.angle_before)[:most][::-1]
    places = list(range(len(shown)))
    figure = go.Figure()
    for place, row in zip(places, shown, strict=True):
        figure.add_annotation(
            x=row.angle_after, y=place, ax=row.angle_before, ay=place, xref="x", yref="y",
            axref="x", ayref="y", showarrow=True, arrowhead=2, arrowwidth=1.5, arrowcolor=_GREY,
        )  # fmt: skip
    decided = ["circle" if row.decided else "circle-open" for row in shown]
    for name, attribute, symbols, colour in (
        ("original", "angle_before", "line-ns-open", _GREY),
        ("without its null part", "angle_after", decided, _TEAL),
    ):
        figure.add_scatter(
            x=[getattr(row, attribute) for row in shown], y=places, mode="markers", name=name,
            marker={"symbol": symbols, "size": 9, "color": colour},
            customdata=[[plain(row.concept), row.as_mean] for row in shown],
            hovertemplate="%{customdata[0]}<br>%{x:.2f}°, AS %{customdata[1]:+.3f}°<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title_text="angle to the concept, degrees")
    labels = [plain(row.concept) for row in shown]
    figure.update_yaxes(tickvals=places, ticktext=labels, automargin=True, showgrid=False)
    return sized(figure, 110 + _ROW_PX * len(shown))


def concept_network(rows: Sequence[ConceptRow], found: ConceptMap) -> go.Figure:
    """Return the concepts joined by meaning: colour says where null removal moved the images.

    The nearer the images were to a concept, the larger its point; diamonds have no verdict. A label
    that would lie on another is left to the pointer.
    """
    figure = _edges(found)
    most = max((abs(row.as_mean) for row in rows), default=0.0) or 1.0
    angles = [row.angle_before for row in rows]
    far, near = max(angles), min(angles)
    sizes = [10 + 16 * (far - angle) / max(far - near, 1e-9) for angle in angles]
    labels = [plain(row.concept, 22) for row in rows]
    sides = label_positions(found.places, labels, [size / 2 for size in sizes])
    figure.add_scatter(
        x=[x for x, _ in found.places], y=[y for _, y in found.places], mode="markers+text",
        text=[label if side else "" for label, side in zip(labels, sides, strict=True)],
        textposition=[side or "top center" for side in sides],
        textfont={"size": 11}, showlegend=False,
        marker={
            "size": sizes,
            "symbol": ["circle" if row.decided else "diamond" for row in rows],
            "color": [row.as_mean for row in rows], "colorscale": "RdBu", "cmin": -most,
            "cmax": most, "line": {"width": 1, "color": _GREY},
            "colorbar": {
                "title": "AS °", "thickness": 10, "orientation": "h", "y": -0.12, "nticks": 5,
            },
        },
        customdata=[[plain(r.concept), r.angle_before, r.as_mean, r.verdict] for r in rows],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]:.1f}° before, "
        "AS %{customdata[2]:+.3f}°, %{customdata[3]}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    return sized(figure, 560)


def concept_star(rows: Sequence[ConceptRow], found: ConceptMap, centre: str) -> go.Figure:
    """Return the images of a class amid the concepts, as far away as angles are (Figs. 15, 16).

    A spoke ends at the mean angle between the images and a concept, its ring where null removal
    leaves it; around the centre concepts stand in the order in which meaning joins them, and those
    of nearly the same meaning are joined.
    """
    turns = _around(found)
    before, after = [row.angle_before for row in rows], [row.angle_after for row in rows]
    low, high = min(*before, *after), max(*before, *after)
    start = low - max(1.0, 0.5 * (high - low))  # else the nearest would lie on the centre itself
    figure = go.Figure()
    edges = [(before[i], turns[i], before[j], turns[j]) for i, j, _ in found.edges]
    _add_lines(figure, edges, _GREY, 0.7)
    _add_lines(figure, [(start, t, r, t) for r, t in zip(before, turns, strict=True)], _TEAL, 1.2)
    said = [[plain(row.concept), row.angle_before, row.angle_after, row.verdict] for row in rows]
    for name, r, look in (
        ("original", before, {"size": 9, "color": _TEAL}),
        ("without its null part", after, {"size": 13, "color": _TEAL, "symbol": "circle-open"}),
    ):
        figure.add_scatterpolar(
            r=r, theta=turns, mode="markers", name=name, marker=look, customdata=said,
            hovertemplate="%{customdata[0]}<br>%{customdata[1]:.1f}° before, "
            "%{customdata[2]:.1f}° after, %{customdata[3]}<extra></extra>",
        )  # fmt: skip
    names = [plain(row.concept, 22) for row in rows]
    return _laid_out(figure, (start, high + 0.1 * (high - start)), turns, names, plain(centre))


def _add_lines(
    figure: go.Figure, ends: Sequence[tuple[float, float, float, float]], colour: str, width: float
) -> None:
    """Add lines from one radius and direction to another."""
    figure.add_scatterpolar(
        r=[r for a, _, b, _ in ends for r in (a, b, None)],
        theta=[t for _, a, _, b in ends for t in (a, b, None)], mode="lines",
        line={"color": colour, "width": width}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip


def _laid_out(
    figure: go.Figure,
    span: tuple[float, float],
    turns: list[float],
    names: list[str],
    centre: str,
) -> go.Figure:
    """Return a star with its names outside the circle, and room for them on a phone too."""
    figure.update_layout(
        polar={
            "radialaxis": {"range": list(span), "ticksuffix": "°", "nticks": 5, "angle": 90,
                           "tickangle": 90},
            "angularaxis": {"tickvals": turns, "ticktext": names, "showgrid": False},
            "bgcolor": "rgba(0,0,0,0)",
        },
        annotations=[{"text": centre, "x": 0.5, "y": 0.5, "xref": "paper", "yref": "paper",
                      "yshift": -16, "showarrow": False}],
    )  # fmt: skip
    sized(figure, 620)
    return figure.update_layout(margin={"l": 76, "r": 76, "t": 28, "b": 48})


def _around(found: ConceptMap) -> list[float]:
    """Return a direction of each concept, degrees: evenly, in the order of the map around it."""
    order = sorted(range(len(found.places)), key=lambda i: math.atan2(*found.places[i]))
    turns = [0.0] * len(order)
    for place, i in enumerate(order):
        turns[i] = 360 * place / len(order)
    return turns


def _edges(found: ConceptMap) -> go.Figure:
    lines: list[tuple[float | None, float | None]] = []
    for i, j, _ in found.edges:
        lines += [found.places[i], found.places[j], (None, None)]
    return go.Figure().add_scatter(
        x=[x for x, _ in lines], y=[y for _, y in lines], mode="lines", hoverinfo="skip",
        line={"color": _GREY, "width": 0.7}, showlegend=False,
    )  # fmt: skip
