"""Is it in there at all? What a linear probe reads from the parts of a feature."""

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import commands, exports, state
from pages._view.tables import asks, cells
from sing_core.leakage.probes import CLASSES, GROUPS, ProbeTable

_READ = {CLASSES: "classes", GROUPS: "groups of classes (dogs, vehicles, food …)"}
_TITLES = {
    "null": "the null part",
    "random": "random directions, as many",
    "read": "directions that decide, as many",
    "principal": "all directions that decide",
    "full": "the whole feature",
}
_HOW = (
    "A linear probe is trained on four fifths of the photographs and judged on the fifth that it "
    "never saw, five times; its ridge penalty is chosen without that fifth too. For groups whole "
    "classes are kept from it. Every class counts once. That something can be read does not say "
    "that anything uses it, and a probe that fails does not say that nothing is there."
)


def choose() -> str:
    """Draw what is to be read; return it."""
    state.receive("read", "evidence.read", CLASSES, _READ.__contains__, "a list to read")
    read = st.radio(
        "What is read", list(_READ), format_func=_READ.__getitem__, key="evidence.read",
        horizontal=True, persist_state="session",
    )  # fmt: skip
    state.publish("read", read, CLASSES)
    return read


def show(answer: DeltaGenerator, model: str, images: str, read: str) -> None:
    """Compute and draw the probes of a set.

    Raises:
        SingError: see ``asks.probed``.
    """
    with st.spinner("Training probes on 22 subspaces; the first time takes about half a minute…"):
        found = asks.probed(model, images, read)
    answer.markdown(f"**{found.sentence}**")
    figure = bars(found)
    st.plotly_chart(
        figure,
        key="evidence.probe_figure",
        config=exports.FIGURE_CONFIG,
        alt="Share of images that a probe reads rightly, by subspace, with intervals.",
    )
    rows = [row.as_row() for row in found.rows]
    st.dataframe(
        cells.spoken_table(rows, spans={"accuracy": ("low", "high", ".1%")}),
        hide_index=True,
        column_order=["subspace", "dim", "accuracy", "draws"],
        column_config={"accuracy": st.column_config.TextColumn("read rightly [95 %]")},
        key="evidence.probe_table",
    )
    st.caption(_HOW)
    options = [("--read", "" if read == CLASSES else read)]
    exports.offer("evidence", rows, figure, commands.of_set("probe", [model], images, options))


def bars(found: ProbeTable) -> go.Figure:
    """Return the accuracies as points with intervals, and the line of who guesses."""
    names = [f"{_TITLES[row.subspace]} ({row.dim:,})" for row in found.rows]
    values = [row.accuracy.estimate for row in found.rows]
    above = [(row.accuracy.high or row.accuracy.estimate) - row.accuracy.estimate
             for row in found.rows]  # fmt: skip
    below = [row.accuracy.estimate - (row.accuracy.low or row.accuracy.estimate)
             for row in found.rows]  # fmt: skip
    spans = {"type": "data", "symmetric": False, "array": above, "arrayminus": below}
    figure = go.Figure(
        go.Scatter(
            x=values, y=names, error_x=spans, mode="markers", marker_size=11,
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_vline(x=found.chance, line_dash="dot", annotation_text="chance")
    figure.update_xaxes(tickformat=".0%", title="images read rightly", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", automargin=True)
    figure.update_layout(height=320, margin={"l": 10, "r": 10, "t": 20, "b": 40})
    return figure
