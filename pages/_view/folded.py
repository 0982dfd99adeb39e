"""A folded question: nothing is asked before somebody unfolds it."""

from collections.abc import Callable

import streamlit as st


def folded(label: str, *, icon: str, key: str, show: Callable[[], None]) -> None:
    """Draw a panel that is shut at first, and what ``show`` draws in it once it is open."""
    panel = st.expander(label, icon=icon, on_change="rerun", key=key)
    if panel.open:
        with panel:
            show()
