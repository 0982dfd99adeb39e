"""What is one hidden direction? Its signed texts, the curve beside chance, and its two ends."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import commands, exports, loaders, pickers, state
from pages._view.linked_number import LinkedNumber
from pages._view.tables import cells, originals, pick_images
from pages._view.tables.browse import rows_of_one_file
from pages._view.units import direction_asks, pictures
from pages._view.units.figures import unexplained_curve
from pages._view.units.pick_class import pick_class
from pages._view.words.phrases import in_words, number
from pages._view.words.units import UNIT_HELP
from sing_core.units.set_directions import AskedDirection, EndImage, SetDirection

_SIZES = ("4", "8", "16", "32", "64", "128")
_SIZE = "8"
_THUMB_PX = 132
_COMPONENT = LinkedNumber(
    "component", "units.component", 1, (1, 9999), "a principal component", whole=True
)
_COLUMNS: dict[str, Any] = {
    "rank": "place",
    "text": "text",
    "coefficient": st.column_config.TextColumn("how much"),
    "unexplained": st.column_config.TextColumn("still unexplained"),
    "random_median": st.column_config.TextColumn(
        "of random directions [5 %, 95 %]", width="medium"
    ),
}
_ENDS: dict[str, Any] = {
    "end": "end",
    "name": st.column_config.TextColumn("image"),
    "label": "class",
    "score": st.column_config.TextColumn("along it"),
}
_HOW = (
    "A signed sum of texts out of {many:,} general descriptions, less what all of them share. "
    "With a plus the direction leads towards a text, with a minus away from it; turned round, "
    "every sign turns. Each text is the nearest to what those before it leave. Enough texts "
    "describe any direction, so the same was done with 99 random ones of the same null space: "
    "words are given only where all texts of the figure leave less than they do of 95 of those. "
    "No step along it moves a logit."
)
_REFUSED = (
    "Another component, another class or all images of the set may have words: each direction is "
    "judged by itself, and of those drawn at random one in twenty would get some."
)
_ELSEWHERE = (
    "The photographs of the set {images} are not on this machine, only their features: the table "
    "names those at the two ends."
)


class Asked(NamedTuple):
    """A direction, and by how many texts it shall be described."""

    direction: AskedDirection
    size: int


def choose(_: DeltaGenerator) -> Asked:
    """Draw the choices; return them."""
    left, middle, right = st.columns(3)
    with left:
        images = pick_images.pick_set("units")
    with middle:
        model = pickers.pick_model("units")
    with right:
        name = pick_class(images)
    left, middle, right = st.columns(3)
    with left:
        other = _pick_other(bool(name))
    with middle:
        component = _pick_component(bool(other))
    with right:
        size = _pick_size()
    reference = loaders.reference()
    asked = AskedDirection(
        images, model, reference, class_name=name, against=other, component=component
    )
    return Asked(asked, size)


def _pick_other(has_first: bool) -> str:
    labels = loaders.class_labels()
    state.receive("other", "units.other", "", labels.__contains__, "a second class")
    chosen = st.selectbox(
        "Difference from a second class", ["", *labels], key="units.other",
        format_func=lambda label: label or "none: a component", persist_state="session",
        disabled=not has_first, help=UNIT_HELP["second_class"],
    )  # fmt: skip
    other = chosen if chosen and has_first else ""
    state.publish("other", other, "")
    return other


def _pick_component(is_difference: bool) -> int:
    linked = int(_COMPONENT.receive())
    low, high = (int(bound) for bound in _COMPONENT.bounds)
    chosen = st.number_input(
        "Principal component", value=None, placeholder=str(linked), min_value=low, max_value=high,
        step=1, key=_COMPONENT.key, disabled=is_difference, help=UNIT_HELP["component"],
    )  # fmt: skip
    return int(_COMPONENT.publish(chosen))


def _pick_size() -> int:
    state.receive("texts", "units.texts", _SIZE, _SIZES.__contains__, "a number of texts")
    chosen = st.select_slider(
        "Texts", _SIZES, key="units.texts", persist_state="session", help=UNIT_HELP["texts"]
    )
    state.publish("texts", chosen, _SIZE)
    return int(chosen)


def show(answer: DeltaGenerator, asked: Asked) -> None:
    """Compute and draw the card of a direction.

    Raises:
        SingError: see ``direction_asks.direction_of``.
    """
    with st.spinner("Describing the direction, and the first time 99 random ones beside it…"):
        found, many = direction_asks.direction_of(asked.direction, asked.size)
    answer.markdown(f"**{found.sentence}**")
    rows = found.card.as_rows(asked.size)
    if found.card.is_refused:
        answer.markdown(_REFUSED)
    else:
        answer.markdown(found.agreement(many))
        _show_texts(rows)
    figure = unexplained_curve(found.card, len(found.card.words))
    st.plotly_chart(
        figure, key="units.direction_figure", config=exports.FIGURE_CONFIG,
        alt=f"What texts leave unexplained, beside random directions. {found.sentence}",
    )  # fmt: skip
    st.caption(_HOW.format(many=many))
    _show_ends(asked.direction.images, found)
    exports.offer("units.direction", rows, figure, _command(asked))


def _show_texts(rows: Sequence[dict[str, Any]]) -> None:
    numbers = {"coefficient": "+.2f", "unexplained": ".1%"}
    spans = {"random_median": ("random_low", "random_high", ".1%")}
    st.dataframe(
        cells.spoken_table(rows, spans=spans, numbers=numbers), hide_index=True,
        column_order=list(_COLUMNS), column_config=_COLUMNS, key="units.direction_texts",
        height=exports.height_of(len(rows)),
    )  # fmt: skip


def _show_ends(images: str, found: SetDirection) -> None:
    """Draw the images at both ends: photographs where they are here, else their names."""
    both = {"Farthest along it": found.top, "Farthest against it": found.bottom}
    if originals.are_here(images):
        wanted = [
            {"row": end.image.row, "digest": end.image.digest}
            for ends in both.values()
            for end in ends
        ]
        copies = originals.small_copies(images, wanted)
        for title, ends in both.items():
            st.markdown(f"**{title}**")
            _show_pictures(ends, copies)
        return
    st.caption(_ELSEWHERE.format(images=in_words(images, 64)))
    listed = [(title, end) for title, own in both.items() for end in own]
    file, names = rows_of_one_file([end.image.name for _, end in listed])
    if file:
        st.caption(f"The images are rows of {in_words(file, 64)}.")
    rows = [
        {"end": title, "name": name, "label": end.label, "score": end.score}
        for (title, end), name in zip(listed, names, strict=True)
    ]
    st.dataframe(
        cells.spoken_table(rows, numbers={"score": "+.2f"}), hide_index=True,
        column_order=list(_ENDS), column_config=_ENDS, key="units.direction_ends",
    )  # fmt: skip


def _show_pictures(ends: Sequence[EndImage], copies: dict[int, str]) -> None:
    with st.container(horizontal=True):
        for end in ends:
            said = f"{in_words(end.label or end.image.name)}: {number(end.score, '+.2f')}"
            with st.container(width=_THUMB_PX):
                if end.image.row in copies:
                    pictures.show(st.container(), copies[end.image.row], said, _THUMB_PX)
                else:
                    st.caption(f"{said}. The photograph is no longer there.")


def _command(asked: Asked) -> str:
    direction, size = asked
    of_component = "" if direction.against or direction.component == 1 else direction.component
    options = [
        ("--class", direction.class_name),
        ("--against", direction.against),
        ("--component", str(of_component)),
        ("--size", "" if size == int(_SIZE) else str(size)),
    ]
    return commands.of_set("direction-words", [direction.model], direction.images, options)
