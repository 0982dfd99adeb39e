"""Where is it? What each token of the photo adds along a text: all, hidden, and what decides."""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import exports, state
from pages._view.tables import cells
from pages._view.units import asks, pictures, scene
from pages._view.units.scene import Asked
from pages._view.words.phrases import in_words, number
from pages._view.words.units import UNIT_HELP
from sing_core.units.places import place_of
from sing_core.units.tokens import TokenMap

_TITLES = {"full": "all of it", "null": "what is hidden", "principal": "what decides"}
_COLUMNS: dict[str, Any] = {
    "part": "part",
    "photo": st.column_config.TextColumn("on the photo"),
    "class_token": st.column_config.TextColumn("class token"),
    "others": st.column_config.TextColumn("embedding, MLPs"),
    "total": st.column_config.TextColumn("together"),
}
_NUMBERS = dict.fromkeys(("photo", "class_token", "others", "total"), "+.4f")
_NOTHING = 1e-3
_HOW = (
    "Each token’s share of the cosine to the text, summed over all heads: orange adds, blue takes "
    "away, and all three pictures have one scale. What is hidden and what decides add up to all of "
    "it, token by token. How much of a map lies in a part of the photo is told by the sizes of its "
    "patches, adding or taking away. The class token, the embedding and the MLPs have no place on "
    "the photo. The rest of the cosine is the translator’s offset."
)

choose = scene.pick_deciding


def show(answer: DeltaGenerator, asked: Asked) -> None:
    """Compute and draw the token maps of a photo.

    Raises:
        SingError: see ``asks.maps_of``.
    """
    state.receive("against", "units.against", "", state.fits, "a second text")
    against = st.text_input(
        "Against a second text", key="units.against", persist_state="session", width=360,
        placeholder="such as: an image of a dog",
        help=UNIT_HELP["against"],
    )  # fmt: skip
    state.publish("against", against, "")
    with st.spinner("Taking the photo apart…"):
        found, said, other = asks.maps_of(asked, against.strip())
        note = asks.deciding(asked)[1]
    _say(answer, found, said, other)
    if note:
        answer.markdown(note)
    _show_pictures(asked, found)
    _show_sums(asked, against.strip(), found)


def _say(answer: DeltaGenerator, found: Mapping[str, TokenMap], said: str, other: str) -> None:
    text = f"“{in_words(said, 300)}”" + (f" against “{in_words(other, 300)}”" if other else "")
    answer.markdown(sentence(found, text))


def sentence(found: Mapping[str, TokenMap], text: str) -> str:
    """Return where on the photo lies what is hidden along a text, then how much it adds."""
    whole, null, read = found["full"], found["null"], found["principal"]
    if float(null.heat.abs().max()) < _NOTHING * float(whole.heat.abs().max()):
        lead = (
            f"**Nothing along {text} is hidden**: these words lie in the directions that the head "
            f"reads. What decides lies {place_of(read.heat).words}."
        )
    else:
        place = place_of(null.heat)
        does = "adds to" if place.total > 0 else "takes away from"
        lead = f"**What is hidden along {text} lies {place.words}.** It {does} the cosine there."
    hidden, decides, together = (float(one.heat.sum()) for one in (null, read, whole))
    cancel = "; they partly cancel" if hidden * decides < 0 else ""
    return (
        f"{lead} Over the whole photo what is hidden comes to {_signed(hidden)} and what decides "
        f"to {_signed(decides)}{cancel}: {_signed(together)} together. With what has no place on "
        f"the photo they come to {_signed(null.total)} and {_signed(read.total)}, "
        f"{_signed(whole.total)} together."
    )


def _signed(value: float) -> str:
    return number(value, "+.3f")


def _show_pictures(asked: Asked, found: Mapping[str, TokenMap]) -> None:
    pixels = asks.seen_by(asks.inside_of(asked), asked.photo.image)
    most = max(float(one.heat.abs().max()) for one in found.values())
    for column, (part, one) in zip(st.columns(3), found.items(), strict=True):
        words = f"{_TITLES[part].capitalize()}: {number(float(one.heat.sum()), '+.3f')}"
        pictures.show(column, pictures.overlay(pixels, one.heat, most), f"{words} on the photo")


def _show_sums(asked: Asked, against: str, found: Mapping[str, TokenMap]) -> None:
    rows = [
        {"part": _TITLES[part], "photo": float(one.heat.sum()), "class_token": one.prefix,
         "others": one.others, "total": one.total}
        for part, one in found.items()
    ]  # fmt: skip
    st.dataframe(
        cells.spoken_table(rows, numbers=_NUMBERS), hide_index=True, column_order=list(_COLUMNS),
        column_config=_COLUMNS, key="units.sums",
    )  # fmt: skip
    st.caption(f"{_HOW} In the command, {scene.FILE} stands for the photo’s file.")
    tokens = [
        {"part": part, "row": y, "column": x, "score": float(value)}
        for part, one in found.items()
        for y, line in enumerate(one.heat)
        for x, value in enumerate(line)
    ]
    options = [asked.prompt_option, ("--against", against), ("--part", "null")]
    exports.offer_table("units.where", tokens, asked.deciding_command("token-map", options))
