"""Figures of the Units page: the map of a network's units, and what texts leave unexplained."""

from collections.abc import Sequence

import plotly.graph_objects as go

from sing_core.units.directions import Card

_ROW_PX, _REST_PX = 30, 110
_PLAIN = "Viridis"
# A tint of the page itself, light or dark, for 0: white would be what shines most on a dark page.
_SIGNED = ((0.0, "rgb(38,120,190)"), (0.5, "rgba(127,138,153,0.12)"), (1.0, "rgb(205,70,45)"))
_TEAL, _GREY = "#0f7b8a", "#7f8a99"


def unit_cells(layers: int, heads: int) -> list[tuple[int, int, int]]:
    """Return (layer, column, place among the units) of all but the embedding."""
    found = [(la, he, 1 + la * heads + he) for la in range(layers) for he in range(heads)]
    return found + [(la, heads, 1 + layers * heads + la) for la in range(layers)]


def unit_map(
    values: Sequence[float],
    names: Sequence[str],
    shape: tuple[int, int],
    chosen: str,
    *,
    title: str,
    form: str,
    signed: bool,
) -> go.Figure:
    """Return the map of ``values``, one a unit, with a frame around the ``chosen`` one.

    ``shape`` is the number of layers and heads. Points that nobody sees take the clicks, since a
    heat map takes none.
    """
    layers, heads = shape
    cells = unit_cells(layers, heads)
    grid = [[0.0] * (heads + 1) for _ in range(layers)]
    for layer, column, place in cells:
        grid[layer][column] = values[place]
    columns = [*(f"H{head}" for head in range(heads)), "MLP"]
    figure = go.Figure(
        go.Heatmap(
            z=grid, colorscale=_SIGNED if signed else _PLAIN, zmid=0 if signed else None,
            xgap=2, ygap=2, hoverinfo="skip", colorbar={"title": title, "tickformat": form},
        )
    )  # fmt: skip
    figure.add_scatter(
        x=[column for _, column, _ in cells], y=[layer for layer, _, _ in cells], mode="markers",
        marker={"symbol": "square", "size": _ROW_PX - 4, "opacity": 0},
        selected={"marker": {"opacity": 0}}, unselected={"marker": {"opacity": 0}},
        text=[names[place] for *_, place in cells],
        customdata=[values[place] for *_, place in cells], showlegend=False,
        hovertemplate="%{text}: %{customdata:" + form + "}<extra></extra>",
    )  # fmt: skip
    for layer, column, place in cells:
        if names[place] == chosen:
            _frame(figure, layer, column)
    _set_axes(figure, layers, columns)
    return figure


def _frame(figure: go.Figure, layer: int, column: int) -> None:
    figure.add_shape(
        type="rect", x0=column - 0.5, x1=column + 0.5, y0=layer - 0.5, y1=layer + 0.5,
        line={"width": 3, "color": "#D55E00"},
    )  # fmt: skip


def _set_axes(figure: go.Figure, layers: int, columns: Sequence[str]) -> None:
    figure.update_xaxes(tickvals=list(range(len(columns))), ticktext=columns, side="top",
                        showgrid=False, zeroline=False,
                        range=[-0.5, len(columns) - 0.5])  # fmt: skip
    figure.update_yaxes(tickvals=list(range(layers)), ticktext=[f"L{la}" for la in range(layers)],
                        range=[layers - 0.5, -0.5], showgrid=False, zeroline=False)  # fmt: skip
    figure.update_layout(height=_REST_PX + _ROW_PX * layers, hoverdistance=80, dragmode=False,
                         clickmode="event+select", margin={"l": 10, "r": 10, "t": 40, "b": 10},
    )  # fmt: skip


def unexplained_curve(card: Card, words: int) -> go.Figure:
    """Return what 0, 1, 2 … texts leave of a direction, over the band of random directions.

    The point after the last of its ``words`` is marked; with none there is no mark.
    """
    texts, band = list(range(len(card.unexplained))), card.band
    figure = go.Figure()
    figure.add_scatter(x=texts, y=band.low, mode="lines", line={"width": 0}, showlegend=False,
                       hoverinfo="skip")  # fmt: skip
    figure.add_scatter(
        x=texts, y=band.high, mode="lines", line={"width": 0}, fill="tonexty",
        fillcolor="rgba(127,138,153,0.35)", name="random directions, 5 % to 95 %",
        hoverinfo="skip",
    )  # fmt: skip
    for values, name, colour, dash in (
        (band.median, "their median", _GREY, "dot"),
        (card.unexplained, "this direction", _TEAL, "solid"),
    ):
        figure.add_scatter(
            x=texts, y=values, mode="lines", name=name, line={"color": colour, "dash": dash},
            hovertemplate="%{x} texts leave %{y:.1%}<extra>" + name + "</extra>",
        )  # fmt: skip
    if words:
        figure.add_scatter(
            x=[words], y=[card.unexplained[words]], mode="markers", showlegend=False,
            marker={"size": 9, "color": _TEAL}, hoverinfo="skip",
        )  # fmt: skip
    figure.update_xaxes(title_text="texts")
    figure.update_yaxes(title_text="unexplained share of its length", tickformat=".0%",
                        rangemode="tozero")  # fmt: skip
    below = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0}
    figure.update_layout(height=380, margin={"l": 8, "r": 8, "t": 24, "b": 8}, legend=below)
    return figure
