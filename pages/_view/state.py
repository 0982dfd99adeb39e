"""State in the URL: what a person would send a colleague is a query parameter.

Model, mode, prompt and wanted score are widgets bound to the URL by Streamlit; photo and epsilon
are written here. Whatever arrives in a hand-edited link is data: checked, never trusted.
"""

import math
from collections.abc import Collection

import streamlit as st


def check_link(name: str, allowed: Collection[str], what: str) -> None:
    """Say so when the link asks for something that is not here (the widget then shows its default)."""
    asked = st.query_params.get(name)
    if asked is not None and asked not in allowed:
        st.session_state[f"link.{name}"] = (
            f"The link asks for {what} that is not here; the default is shown instead."
        )
    elif asked is not None:
        st.session_state.pop(f"link.{name}", None)
    if message := st.session_state.get(f"link.{name}"):
        st.warning(message, icon=":material/link_off:")


def number(name: str, low: float, high: float) -> float | None:
    """Return a finite number of the URL within bounds; None when absent or not one."""
    try:
        value = float(st.query_params.get(name, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) and low <= value <= high else None


def remember(name: str, value: str | None) -> None:
    """Write one query parameter, only when it changes (each write is a step of the history)."""
    if value is None:
        if name in st.query_params:
            del st.query_params[name]
    elif st.query_params.get(name) != value:
        st.query_params[name] = value
