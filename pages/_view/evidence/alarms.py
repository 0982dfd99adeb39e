"""Does it matter? Whether the null part warns of wrong decisions, or of other images."""

from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import commands, state
from pages._view.evidence import asks, kinds, panel, planted
from pages._view.evidence.figures import with_intervals
from pages._view.tables import asks as tables
from pages._view.tables.opened import Part
from sing_core.errors import SingError
from sing_core.leakage.alarm_rows import NAMES, AlarmRow, sentence
from sing_core.leakage.planted_alarms import looked_for
from sing_core.leakage.planting import NUISANCES

Chosen = tuple[Part, str]  # of which images, and what is looked for
_ERRORS = "wrong decisions"
_PLANTED = "planted: "
_HOW = (
    "AUROC: in what share of pairs the score is on the side named for the one that is looked for; "
    "50 % is chance. The side is read off these images, so no share is below 50 %; its interval "
    "turns with it, and is of its row alone. The sentence names the best score of several, so its "
    "tests are corrected: p for the null part’s three scores, or the two of the logits (Holm), and "
    "the lead over the better one of the logits, on the same images, for the six pairs of scores. "
    "Wrong decisions are compared with right ones of the same class only.{fpr95} The last two "
    "scores need nothing but the logits. The null energy has the same ranks as NuSA’s score."
)
_FPR95 = " FPR95 is the share of false alarms where 95 % are found."


_SHOWN = panel.Shown(
    columns={
        "score": "score",
        "side": "of what is looked for it is",
        "auroc": st.column_config.TextColumn("AUROC [95 %]"),
        "over_logits": st.column_config.TextColumn("minus the logits’ best"),
        "p_adjusted": st.column_config.TextColumn("p, corrected"),
        "fpr95": st.column_config.TextColumn("FPR95"),
        "n": "usual images",
        "looked_for": "looked for",
    },
    spans={
        "auroc": ("low", "high", ".3f"),
        "over_logits": ("over_logits_low", "over_logits_high", "+.3f"),
    },
    numbers={"fpr95": ".1%", "p_adjusted": ".2g"},
    words={"score": NAMES.__getitem__},
)


def choose(model: str, images: str) -> Chosen:
    """Draw of which kind of images, and what is to be told apart; return both.

    What is looked for is a name, "" for wrong decisions. Kinds are told apart where all are looked
    at.
    """
    part = kinds.pick(model, images)
    try:
        others = [name for name in tables.set_names() if name != images]
        offered = [*(() if part.stratum else tables.strata_of(model, images)), *others]
    except SingError:  # said where the numbers would be
        offered = []
    offered += [_PLANTED + one.name for one in NUISANCES]
    key = "evidence.against"
    state.receive("against", key, "", ["", *offered].__contains__, "images to compare")
    if st.session_state[key] not in ("", *offered):
        st.session_state[key] = ""  # the set or the kind was changed meanwhile
    against = st.selectbox(
        "What is looked for", ["", *offered], format_func=lambda name: name or _ERRORS, width=360,
        key=key, persist_state="session",
    )  # fmt: skip
    state.publish("against", against, "")
    return part, against


def show(answer: DeltaGenerator, model: str, images: str, chosen: Chosen) -> None:
    """Compute and draw how well each score tells apart.

    Raises:
        SingError: see ``asks.alarm_rows`` and ``asks.planted_alarms``.
    """
    part, against = chosen
    if against.startswith(_PLANTED):
        _show_planted(answer, model, images, part, against.removeprefix(_PLANTED))
        return
    with st.spinner("Scoring every image…"):
        found = asks.alarm_rows(model, images, against, part)
    answer.markdown(f"**{sentence(found, against or _ERRORS)}**")
    kinds.show_note(model, images, part, found[0].stratum)
    options = [("--against", against), ("--stratum", part.stratum)]
    _show_table(found, commands.of_set("alarms", [model], images, options))


def _show_planted(
    answer: DeltaGenerator, model: str, images: str, part: Part, nuisance: str
) -> None:
    """Tell photographs with a nuisance from the same ones without: of the set, or the samples."""
    of_set = planted.are_here(images)
    photos = asks.photographs_of(model, images, part if of_set else None, planted.MOST)
    with planted.planting(len(photos)) as report:
        found = asks.planted_alarms(model, nuisance, photos, report)
    answer.markdown(f"**{sentence(found, looked_for(nuisance))}**")
    whose = (
        f"Planted in {len(photos)} photographs of the set."
        if of_set
        else f"Planted in the {len(photos)} sample photos: those of this set are not on this "
        "machine. So few decide little; a set that is prepared here is planted in itself."
    )
    st.caption(whose)
    options = [("--planted", nuisance)]
    options += [("--limit", str(planted.MOST)), ("--stratum", part.stratum)] if of_set else []
    _show_table(found, commands.of_set("alarms", [model], images if of_set else "", options))


def _show_table(found: tuple[AlarmRow, ...], command: str) -> None:
    has_rate = any(row.fpr95 is not None for row in found)
    columns = {name: head for name, head in _SHOWN.columns.items() if has_rate or name != "fpr95"}
    panel.show(
        "alarms",
        [row.as_row() for row in found],
        replace(_SHOWN, columns=columns),
        (bars(found), "AUROC of each score on its side with its interval; half is chance."),
        how=_HOW.format(fpr95=_FPR95 if has_rate else ""),
        command=command,
    )


def bars(found: tuple[AlarmRow, ...]) -> go.Figure:
    """Return the AUROCs, each on its side, as points with intervals, and the line of chance."""
    points = [(f"{NAMES[row.score]}: {row.side}", row.told_apart) for row in found]
    return with_intervals(points, chance=0.5, title="AUROC", form=".2f", span=(0, 1))
