"""Does it matter? Whether the null part warns of wrong decisions, or of other images."""

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import commands, state
from pages._view.evidence import asks, panel
from pages._view.evidence.figures import with_intervals
from pages._view.tables import asks as tables
from sing_core.errors import SingError
from sing_core.leakage.alarms import NAMES, SCORES, AlarmRow, sentence

_ERRORS = "wrong decisions"
_HOW = (
    "AUROC: how often the score of one that is looked for is above that of another; 50 % is "
    "chance, and below it the score says the opposite. Wrong decisions are compared with right "
    "ones of the same class only. FPR95 is the share of false alarms where 95 % are found. The "
    "last two need nothing but the logits. The null energy has the same ranks as NuSA’s score."
)


def _title(score: str) -> str:
    """Return what a score is called where it is held against chance: as an alarm."""
    return NAMES[score] if SCORES[score] > 0 else f"{NAMES[score]}, reversed"


_SHOWN = panel.Shown(
    columns={
        "score": "score",
        "auroc": st.column_config.TextColumn("AUROC [95 %]"),
        "fpr95": st.column_config.TextColumn("FPR95"),
        "n": "usual images",
        "looked_for": "looked for",
    },
    spans={"auroc": ("low", "high", ".3f")},
    numbers={"fpr95": ".1%"},
    words={"score": _title},
)


def choose(model: str, images: str) -> str:
    """Draw what is to be told apart; return its name, "" for wrong decisions."""
    try:
        others = [name for name in tables.set_names() if name != images]
        kinds = [*tables.strata_of(model, images), *others]
    except SingError:  # said where the numbers would be
        kinds = []
    state.receive("against", "evidence.against", "", ["", *kinds].__contains__, "images to compare")
    against = st.selectbox(
        "What is looked for", ["", *kinds], format_func=lambda name: name or _ERRORS, width=360,
        key="evidence.against", persist_state="session",
    )  # fmt: skip
    state.publish("against", against, "")
    return against


def show(answer: DeltaGenerator, model: str, images: str, against: str) -> None:
    """Compute and draw how well each score tells apart.

    Raises:
        SingError: see ``asks.alarm_rows``.
    """
    with st.spinner("Scoring every image…"):
        found = asks.alarm_rows(model, images, against)
    answer.markdown(f"**{sentence(found, against or _ERRORS)}**")
    panel.show(
        "alarms",
        [row.as_row() for row in found],
        _SHOWN,
        (bars(found), "AUROC of each score with its interval; half is chance."),
        how=_HOW,
        command=commands.of_set("alarms", [model], images, [("--against", against)]),
    )


def bars(found: tuple[AlarmRow, ...]) -> go.Figure:
    """Return the AUROCs as points with intervals, and the line of chance."""
    points = [(_title(row.score), row.auroc) for row in found]
    return with_intervals(points, chance=0.5, title="AUROC", form=".2f", span=(0, 1))
