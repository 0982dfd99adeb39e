"""One unit of a photo's ledger more closely: its shares, where it looks, its words."""

from typing import Any

import streamlit as st

from pages._view.tables import cells
from pages._view.units import asks, head_links, pictures, word_asks
from pages._view.units.scene import Asked
from pages._view.words.phrases import in_words, number
from sing_core.errors import SingError, UnitsError
from sing_core.units.heads import PhotoText
from sing_core.units.ledger import Ledger

_WORDS: dict[str, Any] = {
    "rank": "place",
    "text": "text",
    "gain": st.column_config.TextColumn("carries"),
    "stability": st.column_config.TextColumn("returns in"),
    "unstable": "as a name",
}
_FIRM = {True: "unstable", False: "firm"}
_CHANCE = "no more than chance"
_ENDS = {"most": "Most", "least": "Least"}


def show(asked: Asked, found: Ledger, unit: str, shape: tuple[int, int]) -> None:
    """Draw one unit of a network with ``shape`` layers and heads."""
    place, (layers, heads) = found.names.index(unit), shape
    share, hidden = (
        float(values[place]) for values in (found.shares.share, found.shares.null_fraction)
    )
    st.markdown(
        f"**{unit} wrote {number(100 * share, '.1f')} % of what is hidden; {100 * hidden:.0f} % of "
        "what it writes is hidden.**"
    )
    if not 1 <= place <= layers * heads:
        st.caption("Only heads have words and tokens of their own: choose one, such as L11.H0.")
        return
    head = divmod(place - 1, heads)
    heat = asks.map_of_head(asked, head)
    pixels = asks.seen_by(asks.inside_of(asked), asked.photo.image)
    pictures.show(
        st.container(),
        pictures.overlay(pixels, heat.heat, float(heat.heat.abs().max())),
        f"Where {unit} adds to the prompt (orange) and takes away (blue): "
        f"{number(float(heat.heat.sum()), '+.4f')} of the cosine on the photo, "
        f"{number(heat.prefix, '+.4f')} elsewhere",
    )
    head_links.offer("found", unit)
    _show_words(asked, head)


def _wants_words() -> bool:
    """Draw the button that has the texts read; return whether it was pressed."""
    wanted = st.button("Put this head into words", icon=":material/translate:", key="units.read")
    if not wanted:
        st.caption("The first time all general texts are read for it; a bar shows how far it is.")
    return wanted


def _show_words(asked: Asked, head: tuple[int, int]) -> None:
    options = [("--layer", str(head[0])), ("--head", str(head[1]))]
    words = " ".join(f"{name} {text}" for name, text in options)
    try:
        word_asks.recorded_in(asked)  # without images no text helps: said before any is read
        if not (word_asks.texts_were_read(asked.reference) or _wants_words()):
            return
        with st.spinner("Looking for words…"):
            found = word_asks.words_of_head(asked, head)
            shown = word_asks.texts_on_photo(asked, head)
            kinds = word_asks.pooled_in(asked)
    except UnitsError:
        network = f" --model {asked.model}" if asked.model else ""
        st.info(
            f"No images were recorded inside this network, so its heads have no words yet. "
            f"`python -m sing_core text-span {words}{network} --reference {asked.reference} "
            "--images FOLDER` records them and prints the words of this head.",
            icon=":material/inventory_2:",
        )
        return
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.markdown(f"{found.sentence} Over {found.images:,} images{kinds}.")
    rows = [w.as_row() for w in found.words]
    said = [_FIRM[row["unstable"]] if found.beyond_chance else _CHANCE for row in rows]
    rows = [row | {"unstable": own} for row, own in zip(rows, said, strict=True)]
    st.dataframe(
        cells.spoken_table(rows,
                           numbers={"gain": ".1%", "stability": ".0%"}),
        hide_index=True, column_order=list(_WORDS), column_config=_WORDS, key="units.words",
    )  # fmt: skip
    _show_ends(asked, shown)


def _show_ends(asked: Asked, shown: tuple[PhotoText, ...]) -> None:
    """Draw the texts that the photo shows most and least through this head, with their maps."""
    if not shown:
        return
    st.markdown("**Of this head’s texts, the photo on screen shows**")
    pixels = asks.seen_by(asks.inside_of(asked), asked.photo.image)
    most = max(float(one.tokens.heat.abs().max()) for one in shown)
    for column, one in zip(st.columns(2), shown, strict=True):
        pictures.show(
            column,
            pictures.overlay(pixels, one.tokens.heat, most),
            f"{_ENDS[one.end]}: “{in_words(one.text, 80)}” ({number(one.coefficient, '+.3f')})",
        )
    st.caption(
        "Out of 60 texts: how far what the head writes here lies from what it usually writes, "
        "along what a text adds to those before it. Maps are the tokens’ part in the text through "
        "this head alone, less that in the average class, on one scale."
    )
