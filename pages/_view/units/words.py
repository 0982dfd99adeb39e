"""The null space in words: what varies in the part of a set that a head cannot see."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import commands, exports
from pages._view.tables import cells
from pages._view.units import word_asks
from pages._view.units.pick_class import PartAsked, pick_part

_PARTS = {
    "null": "what is hidden", "principal": "what decides", "random": "random directions, as many",
}  # fmt: skip
_COLUMNS: dict[str, Any] = {
    "subspace": "part",
    "rank": "place",
    "text": "text",
    "gain": st.column_config.TextColumn("carries"),
    "stability": st.column_config.TextColumn("returns in"),
}
_HOW = (
    "Texts that carry most of what varies in each part, one after the other, out of the general "
    "descriptions. “Carries” is the share of the part’s own variance that a text explains beyond "
    "those before it; “returns in” the share of random halves of the images that choose it again: "
    "below half, it is no name of that part. Random directions, as many, say what any part of "
    "that size would show."
)


def choose(answer: DeltaGenerator) -> PartAsked:
    """Draw the choices; return them."""
    return pick_part(answer)


def show(answer: DeltaGenerator, asked: PartAsked) -> None:
    """Compute and draw the words.

    Raises:
        SingError: see ``word_asks.words_of``.
    """
    with st.spinner("Looking for words; a class takes seconds, a whole set half a minute…"):
        found, said = word_asks.words_of(asked)
    answer.markdown(f"**{said}** {asked.variant.sentence}")
    rows = [row for part in found for row in part.as_rows()]
    shown = [row | {"subspace": _PARTS[row["subspace"]]} for row in rows]
    st.dataframe(
        cells.spoken_table(shown, numbers={"gain": ".1%", "stability": ".0%"}), hide_index=True,
        column_order=list(_COLUMNS), column_config=_COLUMNS, key="units.set_words",
    )  # fmt: skip
    st.caption(_HOW)
    options = [("--class", asked.class_name)]
    command = commands.of_set("null-words", [asked.model], asked.images, options)
    command = " ".join([command, *asked.variant.options])
    exports.offer_table("units.null_words", rows, command)
