"""Taking a table and its figure away: CSV, Parquet, stand-alone HTML, and the command."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

# The figure's own menu saves it as a vector graphic, in the browser.
FIGURE_CONFIG = {"displaylogo": False, "toImageButtonOptions": {"format": "svg"}}


def height_of(rows: int) -> int:
    """Return the pixels of a table: as many rows as there are, up to fourteen."""
    return 36 + 35 * min(14, max(1, rows)) + 2


# Label, suffix, MIME type, and what makes the bytes.
_File = tuple[str, str, str, Callable[[], bytes]]


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as a table; a value that is not there is empty."""
    return pd.DataFrame([dict(row) for row in rows])


def offer(page: str, rows: Sequence[Mapping[str, Any]], figure: go.Figure, command: str) -> None:
    """Draw the downloads of a table and a figure, and the command that prints the table."""
    drawn = ("Figure (HTML)", "html", "text/html", lambda: html_of(figure))
    _show_downloads(page, (*_files_of(rows), drawn))
    show_command(page, command)


def offer_table(panel: str, rows: Sequence[Mapping[str, Any]], command: str) -> None:
    """Draw the downloads of a panel's table alone, and the command that prints it."""
    _show_downloads(panel, _files_of(rows))
    show_command(panel, command)


def _files_of(rows: Sequence[Mapping[str, Any]]) -> tuple[_File, ...]:
    return (
        ("Table (CSV)", "csv", "text/csv", lambda: csv_of(rows)),
        ("Table (Parquet)", "parquet", "application/vnd.apache.parquet", lambda: parquet_of(rows)),
    )


def _show_downloads(panel: str, files: Sequence[_File]) -> None:
    """The files are made when somebody asks for them."""
    for column, (label, suffix, mime, make) in zip(st.columns(len(files)), files, strict=True):
        column.download_button(
            label, make, f"sing-{panel.replace('.', '-')}.{suffix}", mime,
            key=f"{panel}.{suffix}", on_click="ignore",
            icon=":material/download:", width="stretch",
        )  # fmt: skip


def show_command(page: str, command: str) -> None:
    """Draw the folded command; what colours its words costs the browser a third of a second.

    So it is sent to the browser only once somebody unfolds it.
    """
    folded = st.expander(
        "The same from the command line", icon=":material/terminal:", on_change="rerun",
        key=f"{page}.command",
    )  # fmt: skip
    if folded.open:
        folded.code(command, language="bash", wrap_lines=True)


def csv_of(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the table as CSV with every digit."""
    return frame_of(rows).to_csv(index=False).encode()


def parquet_of(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the table as Parquet."""
    payload = io.BytesIO()
    frame_of(rows).to_parquet(payload, index=False)
    return payload.getvalue()


def html_of(figure: go.Figure) -> bytes:
    """Return the figure as a page that needs no server and no network."""
    text: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return text.encode()
