"""Does the translator decide what is seen? Networks beside the linear map, by real images."""

from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import commands, exports, loaders
from pages._view.evidence import asks, networks
from pages._view.tables import originals
from pages._view.tables.cells import spoken_table
from pages._view.words.phrases import NOTHING, in_words
from sing_core.leakage.translations import NEAREST, Translations

_SHOWN = 4  # photographs, each with its neighbours by every translator
_HOW = (
    "Each image’s feature is translated by a fit that never saw the image, and the real images "
    f"are looked up whose own embeddings are nearest to it, {NEAREST} of them. Of a translator "
    "stand: its mean cosine to what the reference sees in the image itself; how much that is above "
    "the linear map’s that was fitted on this set in the same five parts; how many of the nearest "
    "images this map finds, too; how many are of the image’s own class, where it has others. "
    "Intervals are over classes. A network is stopped by one of the parts and trained on three of "
    "them, a linear map fitted on four; all from one start."
)
_COLUMNS: dict[str, Any] = {
    "translator": "translator",
    "cosine": st.column_config.TextColumn("cosine [interval]"),
    "apart": st.column_config.TextColumn("above the linear map"),
    "shared": "the same images",
    "same_class": "of the own class",
}


def choose(_model: str, _images: str) -> None:
    """Nothing is to be chosen here."""


def show(answer: DeltaGenerator, model: str, images: str, _: None) -> None:
    """Compare the translators that are trained, or offer to train them.

    Raises:
        SingError: see ``asks.translations`` and ``networks.train``.
    """
    if not networks.are_trained([model], images):
        label = "Train three networks on this set (minutes)"
        if not st.button(label, icon=":material/model_training:", key="evidence.train"):
            answer.markdown("**Only the linear translator is at hand: no network is trained yet.**")
            return
        networks.train([model], images)
    with st.spinner("Looking for the nearest images…"):
        found = asks.translations(model, images)
    answer.markdown(f"**{found.sentence}**")
    rows = [row.as_row() for row in found.rows]
    st.dataframe(
        spoken_table(
            rows, spans={
                "cosine": ("low", "high", ".3f"),
                "apart": ("apart_low", "apart_high", "+.3f"),
            },
            numbers={"shared": ".0%", "same_class": ".0%"},
        ),
        hide_index=True, column_order=list(_COLUMNS), column_config=_COLUMNS,
        placeholder=NOTHING, key="evidence.translators_table",
    )  # fmt: skip
    st.caption(_HOW)
    exports.offer_table(
        "evidence.translators", rows, commands.of_set("translations", [model], images)
    )
    _show_pictures(images, found, loaders.bench().vocabulary(loaders.reference()).labels)


def _show_pictures(images: str, found: Translations, labels: Sequence[str]) -> None:
    """Draw some photographs and their nearest by each translator, where they are here."""
    if not originals.are_here(images):
        st.caption(
            f"The photographs of the set {in_words(images, 64)} are not on this machine: of the "
            "nearest images there are no pictures."
        )
        return
    step = max(1, len(found.images) // _SHOWN)
    asked = list(range(0, len(found.images), step))[:_SHOWN]
    wanted = {*asked}.union(*(places[asked].flatten().tolist() for places in found.places.values()))
    rows = [{"row": found.images[i].row, "digest": found.images[i].digest} for i in sorted(wanted)]
    copies = originals.small_copies(images, rows)

    def draw(place: int) -> None:
        row, label = found.images[place].row, labels[found.labels[place]]
        if row in copies:
            st.image(copies[row], caption=label)
        else:
            st.caption(f"{in_words(label)}: the photograph is not there.")

    for place in asked:
        with st.container(border=True):
            st.markdown(f"**{in_words(labels[found.labels[place]])}**, and what is nearest by")
            for name, places in found.places.items():
                columns = st.columns(NEAREST + 1)
                with columns[0]:
                    st.caption(name)
                    draw(place)
                for column, other in zip(columns[1:], places[place].tolist(), strict=True):
                    with column:
                        draw(other)
