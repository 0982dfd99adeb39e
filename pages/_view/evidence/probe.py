"""Is it in there at all? What a linear probe reads from the parts of a feature."""

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import commands, state
from pages._view.evidence import asks, kinds, panel
from pages._view.evidence.figures import with_intervals
from pages._view.tables.opened import Part
from sing_core.leakage.probes import CLASSES, GROUPS, ProbeRow, ProbeTable
from sing_core.maths.probing import DRAWS, READ_DRAWS

_READ = {CLASSES: "classes", GROUPS: "groups of classes (dogs, vehicles, food …)"}
_TITLES = {
    "null": "the null part",
    "random": "random directions, as many",
    "read": "directions that decide, as many",
    "principal": "all directions that decide",
    "full": "the whole feature",
}
Chosen = tuple[Part, str]  # of which images, and what is read
_HOW = (
    "A linear probe is trained on four fifths of the photographs and judged on the fifth that it "
    "never saw, five times; its ridge penalty is chosen without that fifth too. For groups whole "
    "classes are kept from it. Every class counts once. That something can be read does not say "
    "that anything uses it, and a probe that fails does not say that nothing is there."
)

_SHOWN = panel.Shown(
    columns={
        "part": "read from (dimensions)",
        "accuracy": st.column_config.TextColumn("read rightly [95 %]"),
        "draws": "draws",
    },
    spans={"accuracy": ("low", "high", ".1%")},
)


def choose(model: str, images: str) -> Chosen:
    """Draw of which kind of images, and what is to be read; return both."""
    part = kinds.pick(model, images)
    state.receive("read", "evidence.read", CLASSES, _READ.__contains__, "a list to read")
    read = st.radio(
        "What is read", list(_READ), format_func=_READ.__getitem__, key="evidence.read",
        horizontal=True, persist_state="session",
    )  # fmt: skip
    state.publish("read", read, CLASSES)
    return part, read


def show(answer: DeltaGenerator, model: str, images: str, chosen: Chosen) -> None:
    """Compute and draw the probes of a set.

    Raises:
        SingError: see ``asks.probed``.
    """
    part, read = chosen
    subspaces = 3 + DRAWS + READ_DRAWS
    said = f"Training probes on {subspaces} subspaces; the first time takes a while…"
    with st.spinner(said, show_time=True):
        found = asks.probed(model, images, read, part)
    answer.markdown(f"**{found.sentence}**")
    kinds.show_note(model, images, part, found.stratum, translated=False)
    options = [("--read", "" if read == CLASSES else read), ("--stratum", part.stratum)]
    panel.show(
        "probe",
        [row.as_row() | {"part": _part(row)} for row in found.rows],
        _SHOWN,
        (bars(found), "Share of images that a probe reads rightly, by subspace, with intervals."),
        how=_HOW,
        command=commands.of_set("probe", [model], images, options),
        files="evidence",
    )


def bars(found: ProbeTable) -> go.Figure:
    """Return the accuracies as points with intervals, and the line of who guesses."""
    points = [(_part(row), row.accuracy) for row in found.rows]
    return with_intervals(points, chance=found.chance, title="images read rightly", form=".0%")


def _part(row: ProbeRow) -> str:
    """Return what a probe read from and its dimensions, in the words of figure and table."""
    return f"{_TITLES[row.subspace]} ({row.dim:,})"
