"""Taking away what a page shows, as files that are made when asked for, and as a command."""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

# The figure's own menu saves it as a vector graphic, in the browser.
FIGURE_CONFIG = {"displaylogo": False, "toImageButtonOptions": {"format": "svg"}}


def height_of(rows: int) -> int:
    """Return the pixels of a table: as many rows as there are, up to fourteen."""
    return 36 + 35 * min(14, max(1, rows)) + 2


@dataclass(frozen=True, slots=True)
class File:
    """A file that a page offers.

    Attributes:
        label: what its button says.
        suffix: of its name, without a dot; ``mime`` its type.
        make: returns what is in it. It is called outside of any run, when somebody clicks: it
            must know all that it needs.
    """

    label: str
    suffix: str
    mime: str
    make: Callable[[], str | bytes]


def show_files(page: str, stem: str, files: Sequence[File]) -> None:
    """Draw a button for each file, side by side; a run of the page makes none of them."""
    for column, file in zip(st.columns(len(files)), files, strict=True):
        with column:
            show_file(page, stem, file, width="stretch")


def show_file(page: str, stem: str, file: File, width: Literal["content", "stretch"]) -> None:
    """Draw the button of one file, named ``stem`` and its suffix."""
    st.download_button(
        file.label, file.make, f"{stem}.{file.suffix}", file.mime, key=f"{page}.{file.suffix}",
        on_click="ignore", icon=":material/download:", width=width,
    )  # fmt: skip


def frame_of(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows as a table; a value that is not there is empty."""
    return pd.DataFrame([dict(row) for row in rows])


def offer(page: str, rows: Sequence[Mapping[str, Any]], figure: go.Figure, command: str) -> None:
    """Draw the downloads of a table and a figure, and the command that prints the table."""
    drawn = File("Figure (HTML)", "html", "text/html", lambda: html_of(figure))
    show_files(page, f"sing-{page}", (*_files_of(rows), drawn))
    show_command(page, command)


def offer_table(panel: str, rows: Sequence[Mapping[str, Any]], command: str) -> None:
    """Draw the downloads of a panel's table alone, and the command that prints it."""
    show_files(panel, f"sing-{panel.replace('.', '-')}", _files_of(rows))
    show_command(panel, command)


def _files_of(rows: Sequence[Mapping[str, Any]]) -> tuple[File, ...]:
    parquet = "application/vnd.apache.parquet"
    return (
        File("Table (CSV)", "csv", "text/csv", lambda: csv_of(rows)),
        File("Table (Parquet)", "parquet", parquet, lambda: parquet_of(rows)),
    )


def show_command(page: str, command: str) -> None:
    """Draw the folded command, sent to the browser only once somebody unfolds it.

    Its words are not coloured: those colours have 2.6 to 2.9 : 1 on the light page.
    """
    folded = st.expander(
        "The same from the command line", icon=":material/terminal:", on_change="rerun",
        key=f"{page}.command",
    )  # fmt: skip
    if folded.open:
        folded.code(command, language=None, wrap_lines=True)


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
