"""What most panels of the Evidence page are made of: figure, table, how it was done, files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages._view import exports
from pages._view.tables import cells
from pages._view.words.phrases import NOTHING


@dataclass(frozen=True, slots=True)
class Shown:
    """How rows are shown as a table.

    Attributes:
        columns: which of them, in order; by name what the head says, or a whole column.
        spans: see ``cells.spoken_table``; ``numbers`` and ``words`` likewise.
    """

    columns: Mapping[str, Any]
    spans: Mapping[str, tuple[str, str, str]] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Callable[[str], str]] = field(default_factory=dict)


def show(
    name: str,
    rows: Sequence[Mapping[str, Any]],
    shown: Shown,
    drawn: tuple[go.Figure, str],
    *,
    how: str,
    command: str,
    files: str = "",
    page: str = "evidence",
) -> None:
    """Draw a panel: a figure with what it shows in words, the table of ``rows``, the files.

    ``name`` is that of the panel in the keys of its widgets, ``files`` that of its files where it
    is another; ``page`` where it stands.
    """
    figure, alt = drawn
    st.plotly_chart(figure, key=f"{page}.{name}_figure", config=exports.FIGURE_CONFIG, alt=alt)
    st.dataframe(
        cells.spoken_table(rows, spans=shown.spans, numbers=shown.numbers, words=shown.words),
        hide_index=True,
        column_order=list(shown.columns),
        column_config=dict(shown.columns),
        placeholder=NOTHING,
        key=f"{page}.{name}_table",
    )
    st.caption(how)
    exports.offer(files or f"{page}.{name}", rows, figure, command)
