"""From one question about a head to another about the same one, at a click."""

from typing import NamedTuple

import streamlit as st

from pages._view import state


class _Way(NamedTuple):
    """A question: its title on a button, and the parameter and widget that say which head."""

    title: str
    icon: str
    name: str
    key: str


_WAYS = {
    "found": _Way(
        "What does this head find?", ":material/image_search:", "head", "units.head"
    ),
    "wrote": _Way(
        "What did it write here, and in which words?", ":material/translate:", "unit", "units.unit"
    ),
}  # fmt: skip


def offer(question: str, head: str) -> None:
    """Draw the button that asks ``question`` about ``head`` (``L11.H3``).

    Photo, network and prompt stay what they are.
    """
    way = _WAYS[question]
    st.button(
        way.title, icon=way.icon, key=f"units.to_{question}", on_click=_go, args=(question, head)
    )


def _go(question: str, head: str) -> None:
    way = _WAYS[question]
    state.follow("ask", "units.ask", question)
    state.follow("subject", "units.subject", "")  # it would choose another head
    state.follow(way.name, way.key, head)
