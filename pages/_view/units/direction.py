"""What is one hidden direction? Its signed texts, the curve beside chance, and its two ends."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import commands, exports, loaders, state
from pages._view.tables import cells
from pages._view.units import direction_asks, direction_ends
from pages._view.units.figures import unexplained_curve
from pages._view.units.pick_class import FIRST, SHIPPED, PartAsked, pick_part
from pages._view.words.units import UNIT_HELP
from sing_core.errors import SingError
from sing_core.units.component_table import LOOKED_AT, ComponentTable
from sing_core.units.set_directions import AskedDirection

_SIZES = ("4", "8", "16", "32", "64", "128")
_SIZE = "8"
_LOOKED = ("10", "20", "40", "80")
_FIRST = ""  # the first component that has words
_MOST = 9999
_COLUMNS: dict[str, Any] = {
    "rank": "place",
    "text": "text",
    "coefficient": st.column_config.TextColumn("how much"),
    "unexplained": st.column_config.TextColumn("still unexplained"),
    "random_median": st.column_config.TextColumn(
        "of random directions [5 %, 95 %]", width="medium"
    ),
}
_COMPONENTS: dict[str, Any] = {
    "component": "component",
    "has_words": "words",
    "share": st.column_config.TextColumn("of what varies"),
    "elsewhere": st.column_config.TextColumn("in the other images"),
    "unexplained": st.column_config.TextColumn("unexplained"),
    "random_below": "of 99 random, as little or less",
}
_SHARES = dict.fromkeys(("share", "elsewhere", "unexplained"), ".1%")
_PRESSED = "units.look_wanted"
_LISTED = (
    "In the order of how much of the hidden part varies along them in the images that made them. "
    "Words has a component of which all texts leave less than of 95 of 99 random directions. "
    "A click on a row describes that one."
)
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
_EXAMPLE = (
    "The page opens on this class because texts describe its first component best of all classes "
    "with sixteen images: it is an example and no finding. Most classes have no words for theirs."
)
_NONE = (
    "So none is described here. Choose a component, by a click too, to see how much texts leave of "
    "it; another class, or all images of the set, may have some with words."
)


class Asked(NamedTuple):
    """A direction, by how many texts it shall be described, and out of how many it is picked.

    ``is_first``: the component is to be the first that has words; ``there``: how many there can be.
    """

    direction: AskedDirection
    size: int
    looked_at: int
    is_first: bool
    there: int


def choose(answer: DeltaGenerator) -> Asked:
    """Draw the choices; return them."""
    part = pick_part(answer)
    there = _there(part)
    columns = st.columns(4, vertical_alignment="bottom")
    with columns[0]:
        other = _pick_other(bool(part.class_name))
    with columns[1]:
        component = _pick_component(there, is_difference=bool(other))
    with columns[2]:
        looked = _pick_looked(there)
    with columns[3]:
        size = _pick_of("texts", "Texts", _SIZES, _SIZE)
    asked = AskedDirection(
        part.images, part.model, loaders.reference(), part.variant, part.class_name, other,
        int(component or 1),
    )  # fmt: skip
    return Asked(asked, size, looked, component == _FIRST and not other, there)


def _there(part: PartAsked) -> int:
    """Return how many components there can be, the most that are offered where nobody knows."""
    try:
        there = direction_asks.most_components(part)
    except SingError:  # said where the direction would be
        there = 0
    return there or int(_LOOKED[-1])


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


def _pick_component(there: int, *, is_difference: bool) -> str:
    """Draw the choice of a component; return it, "" for the first that has words."""
    state.receive("component", "units.component", _FIRST, _is_component, "a principal component")
    now = str(st.session_state["units.component"])
    offered = [_FIRST, *map(str, range(1, min(there, int(_LOOKED[-1])) + 1))]
    chosen = st.selectbox(
        "Principal component", offered if now in offered else [*offered, now],
        format_func=lambda place: place or "the first with words", key="units.component",
        persist_state="session", disabled=is_difference, help=UNIT_HELP["component"],
    )  # fmt: skip
    state.publish("component", chosen or _FIRST, _FIRST)
    return chosen or _FIRST


def _is_component(text: str) -> bool:
    return text == _FIRST or (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST)


def _pick_looked(there: int) -> int:
    """Draw how many components are looked at, no more than there are; return it."""
    sizes = [size for size in _LOOKED if int(size) < there]
    sizes += [str(there)] if there <= int(_LOOKED[-1]) else []
    default, key, what = str(min(LOOKED_AT, there)), "units.looked", "Components looked at"
    known = {*_LOOKED, *sizes}.__contains__
    state.receive("looked", key, default, known, f"a number of {what.casefold()}")
    if st.session_state[key] not in sizes:  # of another class there are more, or fewer
        st.session_state[key] = default
    if len(sizes) == 1:
        st.selectbox(
            what, sizes, format_func=lambda size: f"all {size} that there are", disabled=True,
            key="units.all_looked", help=UNIT_HELP["looked"],
        )  # fmt: skip
        chosen = default
    else:
        chosen = st.select_slider(
            what, sizes, key=key, persist_state="session", help=UNIT_HELP["looked"]
        )
    state.publish("looked", chosen, default)
    return int(chosen)


def _pick_of(name: str, title: str, sizes: Sequence[str], default: str) -> int:
    """Draw the choice of one of several numbers; return it."""
    key = f"units.{name}"
    state.receive(name, key, default, sizes.__contains__, f"a number of {title.casefold()}")
    chosen = st.select_slider(title, sizes, key=key, persist_state="session", help=UNIT_HELP[name])
    state.publish(name, chosen, default)
    return int(chosen)


def show(answer: DeltaGenerator, asked: Asked) -> None:
    """Compute and draw the card of a direction, or the components where none has words.

    Raises:
        SingError: see ``direction_asks.direction_of``.
    """
    with st.spinner("Trying texts on the components, and the first time on 99 random directions…"):
        table = _looked_through(asked)
    if table is None or not asked.is_first:
        _show_card(answer, asked, asked.direction, table)
    elif table.with_words:
        _show_card(answer, asked, replace(asked.direction, component=table.first), table)
    else:
        _show_none(answer, asked, table)


def _show_card(
    answer: DeltaGenerator, asked: Asked, direction: AskedDirection, table: ComponentTable | None
) -> None:
    with st.spinner("Describing the direction, and the first time 99 random ones beside it…"):
        found, many = direction_asks.direction_of(direction, asked.size)
    answer.markdown(f"**{found.sentence}** {direction.variant.sentence}")
    if table is not None:
        answer.markdown(f"{table.sentence} {table.picked(direction.component)}")
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
    if (direction.images, direction.class_name) == (SHIPPED, FIRST):
        st.caption(_EXAMPLE)
    direction_ends.show_ends(direction.images, found)
    if not direction.against:
        _show_components(table)
    exports.offer("units.direction", rows, figure, _command(direction, asked))


def _show_none(answer: DeltaGenerator, asked: Asked, table: ComponentTable) -> None:
    """Draw the components of which none has words, and no card of one."""
    answer.markdown(f"**{table.sentence}**")
    answer.markdown(_NONE)
    _show_components(table)
    _, listed = _commands(asked.direction, asked)
    exports.offer_table("units.direction", table.as_rows(), listed)


def _looked_through(asked: Asked) -> ComponentTable | None:
    """Return which components have words, where that is asked for or known."""
    direction, count = asked.direction, asked.looked_at
    if direction.against:
        return None
    wanted = asked.is_first or st.session_state.pop(_PRESSED, False)
    if not (wanted or direction_asks.were_looked_at(direction, count)):
        return None
    return direction_asks.components_of(direction, count)


def _show_components(table: ComponentTable | None) -> None:
    """Draw which components have words, or the button that has them looked at."""
    st.subheader("Which components have words?", anchor=False)
    if table is None:
        st.button(
            "Look at the first ones", icon=":material/manage_search:", key="units.look",
            on_click=lambda: st.session_state.update({_PRESSED: True}),
        )  # fmt: skip
        return
    rows = table.as_rows()
    shown = [row | {"has_words": "words" if row["has_words"] else "none"} for row in rows]
    st.dataframe(
        cells.spoken_table(shown, numbers=_SHARES), hide_index=True,
        column_order=list(_COMPONENTS), column_config=_COMPONENTS, key="units.components",
        on_select=_follow_click, selection_mode="single-row",
        height=exports.height_of(len(rows)),
    )  # fmt: skip
    st.caption(_LISTED)


def _follow_click() -> None:
    """Choose the component of the row that was clicked."""
    if rows := st.session_state["units.components"].selection.rows:
        st.session_state["units.component"] = str(rows[0] + 1)


def _show_texts(rows: Sequence[dict[str, Any]]) -> None:
    numbers = {"coefficient": "+.2f", "unexplained": ".1%"}
    spans = {"random_median": ("random_low", "random_high", ".1%")}
    st.dataframe(
        cells.spoken_table(rows, spans=spans, numbers=numbers), hide_index=True,
        column_order=list(_COLUMNS), column_config=_COLUMNS, key="units.direction_texts",
        height=exports.height_of(len(rows)),
    )  # fmt: skip


def _command(direction: AskedDirection, asked: Asked) -> str:
    card, listed = _commands(direction, asked)
    return card if direction.against else f"{card}\n{listed}"


def _commands(direction: AskedDirection, asked: Asked) -> tuple[str, str]:
    """Return the command that prints the card, and the one that lists the components."""
    options = [
        ("--class", direction.class_name),
        ("--against", direction.against),
        ("--component", "" if direction.against else str(direction.component)),
        ("--size", "" if asked.size == int(_SIZE) else str(asked.size)),
    ]
    card = _asks(direction, options)
    usual = asked.looked_at == min(LOOKED_AT, asked.there)
    looked = "" if usual else str(asked.looked_at)
    listed = _asks(direction, [("--class", direction.class_name), ("--look", looked)])
    return card, f"{listed} --list"


def _asks(direction: AskedDirection, options: Sequence[tuple[str, str]]) -> str:
    """Return the command about a direction, with what of the head decides."""
    command = commands.of_set("direction-words", [direction.model], direction.images, options)
    return " ".join([command, *direction.variant.options])
