"""The row of a table that is looked at more closely: chosen by its name, or by a click."""

from collections.abc import Callable, Sequence

import streamlit as st

from pages._view import state


def pick(page: str, name: str, labels: Sequence[str]) -> str:
    """Draw the picker of one of ``labels``, which the link carries as ``name``; return it."""
    key, default = f"{page}.{name}", labels[0]
    state.receive(name, key, default, labels.__contains__, f"a {name}")
    if st.session_state[key] not in labels:
        st.session_state[key] = default
    st.session_state[f"{page}.order"] = list(labels)
    label = st.selectbox(name.capitalize(), labels, key=key, persist_state="session") or default
    state.publish(name, label, default)
    return label


def follow_click(page: str, name: str) -> Callable[[], None]:
    """Return what a click in the page's table does: it moves the picker."""

    def clicked() -> None:
        rows = st.session_state[f"{page}.table"].selection.rows
        if rows:
            st.session_state[f"{page}.{name}"] = st.session_state[f"{page}.order"][rows[0]]

    return clicked
