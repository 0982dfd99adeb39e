"""The map of a network's units: layers by heads, and the MLPs beside them."""

from collections.abc import Sequence

import plotly.graph_objects as go

_ROW_PX, _REST_PX = 30, 110
_SIGNED, _PLAIN = "RdBu_r", "Viridis"


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
