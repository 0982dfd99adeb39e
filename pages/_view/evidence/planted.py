"""Does it find what was planted? Nuisances in real photographs, dose by dose."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import commands, state
from pages._view.evidence import asks, kinds, panel
from pages._view.evidence.figures import dose_response
from pages._view.tables import originals
from pages._view.tables.opened import Part
from sing_core.errors import SingError
from sing_core.leakage.nuisance_words import how_few, meaning, others, sentence
from sing_core.leakage.nuisances import NuisanceRow

MOST = 40
_SAMPLES, _OF_THE_SET = "samples", "set"
_WHOSE = {_SAMPLES: "Sample photos", _OF_THE_SET: "Photographs of the set"}
_HOW = (
    "Each photograph is changed in steps: without colour, blurred, tinted red, darker, closer, "
    "noisier; turned upside down, and mirrored, which classifiers are trained to overlook: the "
    "control. The null movement is the part of the feature’s movement that moves no logit. AS of "
    "that alone towards the nuisance’s own words minus the mean over the words of all others is "
    "the contrast; its interval is over photographs, those of one class counting as one. “Found” "
    "is a contrast above 0 in full dose, “not found” one shown to be smaller than a fifth of what "
    "AS differs by between concepts, both corrected for all nuisances (Holm). The contrast of the "
    "whole movement says what translator and reference show at best. What is found has its name "
    "only where of the words of all nuisances its own rise most: place 1."
)
_SHOWN = panel.Shown(
    columns={
        "nuisance": "planted",
        "dose": "dose",
        "null_share": st.column_config.TextColumn("in the null space"),
        "logit_change": st.column_config.TextColumn("largest logit change"),
        "top1_changed": st.column_config.TextColumn("other class"),
        "attribute_score_deg": st.column_config.TextColumn("AS °"),
        "contrast_deg": st.column_config.TextColumn("contrast ° [95 %]"),
        "rank": "place of its words",
        "whole_contrast_deg": st.column_config.TextColumn("whole movement ° [95 %]"),
        "n": "photographs",
        "verdict": "verdict",
    },
    spans={
        "contrast_deg": ("low", "high", "+.2f"),
        "whole_contrast_deg": ("whole_low", "whole_high", "+.2f"),
    },
    numbers={
        "null_share": ".1%", "logit_change": ".1%", "top1_changed": ".0%",
        "attribute_score_deg": "+.2f", "p_adjusted": ".2g",
    },
)  # fmt: skip


def choose(model: str, images: str) -> Part | None:
    """Draw in whose photographs nuisances are planted; return a part of the set, None: samples."""
    offered = [_SAMPLES, *([_OF_THE_SET] if are_here(images) else [])]
    state.receive(
        "photos", "evidence.photos", _SAMPLES, offered.__contains__, "photographs to plant in"
    )
    whose = st.radio(
        "Planted in", offered, format_func=_WHOSE.__getitem__, key="evidence.photos",
        horizontal=True, persist_state="session",
    )  # fmt: skip
    state.publish("photos", whose, _SAMPLES)
    return kinds.pick(model, images) if whose == _OF_THE_SET else None


def are_here(images: str) -> bool:
    """Return whether the photographs of a set are on this machine."""
    try:
        return originals.are_here(images)
    except SingError:  # said where the numbers would be
        return False


def show(answer: DeltaGenerator, model: str, images: str, part: Part | None) -> None:
    """Plant, compute and draw what is found.

    Raises:
        SingError: see ``asks.photographs_of`` and ``asks.planted``.
    """
    chosen = asks.photographs_of(model, images, part, MOST)
    with planting(len(chosen)) as report:
        found, usual = asks.planted(model, chosen, report)
    answer.markdown(f"**{sentence(found)}**")
    answer.markdown(f"{how_few(len(chosen))} {others(found)} {meaning(found, usual)}")
    of = "photographs of the set" if part is not None else "sample photos, not in the set"
    st.caption(f"Planted in the {len(chosen)} {of}.")
    options = [("--limit", str(MOST)), ("--stratum", part.stratum)] if part is not None else []
    panel.show(
        "planted",
        [row.as_row() for row in found],
        _SHOWN,
        (curves(found), "Contrast and null share of each nuisance by dose, with intervals."),
        how=_HOW,
        command=commands.of_set("nuisances", [model], images if part is not None else "", options),
    )


@contextmanager
def planting(count: int) -> Iterator[Callable[[int], object]]:
    """Draw a bar while ``count`` photographs are planted in; yield what is told how many are."""
    bar = st.progress(0.0, "Planting…")
    try:
        yield lambda done: bar.progress(done / count, f"Planting: {done} of {count} photographs…")
    finally:
        bar.empty()


def curves(found: Sequence[NuisanceRow]) -> go.Figure:
    """Return the dose-response curves: contrasts with intervals, and shares in the null space."""
    return dose_response(
        [
            (row.nuisance, row.dose, (row.contrast.estimate, row.contrast.low, row.contrast.high),
             row.null_share)
            for row in found
        ],
        chance=found[0].null_share_random,
    )  # fmt: skip
