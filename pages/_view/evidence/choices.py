"""Does it survive other choices? Every combination of defensible ones, as a specification curve."""

from dataclasses import replace
from typing import NamedTuple

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import commands, loaders, state
from pages._view.evidence import asks, networks, panel
from pages._view.evidence.figures import curve
from pages._view.tables import asks as tables
from pages._view.words.varied import VARIED_FITS
from sing_core.errors import SingError
from sing_core.leakage.claims import Claim

_ALONE = ""
_HOW = (
    "A claim is what the usual choices say: all kinds of images, the chosen reading and reference, "
    "the translator as it was fitted. Every other combination measures it anew: each "
    "kind of images, raw and centred angles, each reference that this machine has a translator "
    f"into, {VARIED_FITS}. What is claimed of two classifiers is what Compare says: of each kind "
    "of images where kinds differ, with intervals as wide as the correction over all pairs and "
    "measures asks. Of one, it is the directed part of AS towards the own name, less its mean over "
    "a hundred classes’ names. Whatever is taken away turns images from their own names, and no "
    "random part is held beside it here: Classes does that, for the usual choices. Compare’s "
    "controls hold |AS| only. A claim survives a choice that says the same beyond its own interval "
    "over classes. "
    "Choices depend on each other: their share is no probability."
)

_SHOWN = panel.Shown(
    columns={  # the result first: a phone shows no more than three
        "survives": "survives",
        "estimate": st.column_config.TextColumn("degrees [interval]"),
        "images": "images",
        "reading": "reading",
        "reference": "reference",
        "fit": "fit",
    },
    spans={"estimate": ("low", "high", "+.3f")},
    words={"reference": loaders.reference_title},
)


class Chosen(NamedTuple):
    """What the model is compared with, "" for nothing, and which translators are choices."""

    versus: str
    translators: str


def choose(model: str, images: str) -> Chosen:
    """Draw what the model is compared with, and by which translators."""
    try:
        others = [name for name in tables.scored_models(images) if name != model]
    except SingError:  # said where the numbers would be
        others = []
    state.receive("versus", "evidence.versus", _ALONE, [_ALONE, *others].__contains__, "a model")
    versus = st.selectbox(
        "Compared with", [_ALONE, *others], key="evidence.versus", persist_state="session",
        format_func=lambda name: loaders.titles().get(name, name) or "nothing", width=360,
    )  # fmt: skip
    state.publish("versus", versus, _ALONE)
    offered, key = networks.OFFERED, "evidence.translators"
    state.receive("translators", key, networks.LINEAR, offered.__contains__, "translators")
    translators = networks.pick(key, _models(model, versus), images)
    state.publish("translators", translators, networks.LINEAR)
    return Chosen(versus, translators)


def _models(model: str, versus: str) -> list[str]:
    return [name for name in (model, versus) if name]


def show(answer: DeltaGenerator, model: str, images: str, chosen: Chosen) -> None:
    """Compute and draw which claims survive.

    Raises:
        SingError: see ``asks.claims``.
    """
    models = _models(model, chosen.versus)
    if chosen.translators:
        networks.train(models, images)
    with st.spinner("Measuring under every choice; a set of thousands takes some seconds…"):
        found = [*asks.claims(models, images, bool(chosen.translators))]
    place = next((place for place, claim in enumerate(found) if claim.second), 0)
    main = found.pop(place)  # of two models, what tells them apart
    first, *others = (for_people(claim) for claim in (main, *found))
    if why := asks.barred(models, images):
        for name in models:
            why = why.replace(name, loaders.titles().get(name, name))
        answer.info(f"The two are not compared: {why}.", icon=":material/block:")
    answer.markdown(f"**{first.sentence}**")
    answer.markdown(" ".join(claim.sentence for claim in others))
    by_text = {for_people(claim).text: claim for claim in (main, *found)}
    claim = by_text[st.selectbox("Claim", list(by_text), key="evidence.claim") or first.text]
    command = commands.of_set("multiverse", models, images) + networks.option(chosen.translators)
    draw(claim, how=_HOW, command=command)


def draw(claim: Claim, *, how: str, command: str, page: str = "evidence") -> None:
    """Draw the specification curve of a claim, its table, how it was done, and the files."""
    alt = "The claim’s estimate under every choice, in order, with intervals and the line of 0."
    drawn = (bars(for_people(claim)), alt)
    panel.show("choices", claim.as_rows(), _SHOWN, drawn, how=how, command=command, page=page)


def for_people(claim: Claim) -> Claim:
    """Return a claim whose classifiers and references are called as the pickers call them."""
    titles = loaders.titles()
    first, second = (titles.get(name, name) for name in (claim.first, claim.second))
    choices = tuple(
        replace(choice, reference=loaders.reference_title(choice.reference))
        for choice in claim.choices
    )
    return replace(claim, first=first, second=second, choices=choices)


def bars(claim: Claim) -> go.Figure:
    """Return the specification curve of a claim."""
    points = [
        (", ".join(choice.names), (choice.estimate, choice.low, choice.high), choice.survives)
        for choice in sorted(claim.choices, key=lambda choice: choice.estimate)
    ]
    quantity = f"{claim.quantity}, " if claim.quantity else ""
    return curve(points, title=f"{quantity}degrees")
