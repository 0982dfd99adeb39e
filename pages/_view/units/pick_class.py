"""The choice of a class of a prepared set, which two questions of the Units page share."""

import streamlit as st

from pages._view import loaders, state

_FIRST = "jellyfish"  # a class takes seconds, all images of the set half a minute


def pick_class(images: str) -> str:
    """Draw the choice of a class of the set ``images``; return it, "" for all images."""
    labels = loaders.class_labels()
    default = _FIRST if images == "embedded" else ""
    state.receive("class", "units.class", default, ["", *labels].__contains__, "a class")
    name = st.selectbox(
        "Class", ["", *labels], format_func=lambda label: label or "all images",
        key="units.class", persist_state="session",
    )  # fmt: skip
    state.publish("class", name or "", default)
    return name or ""
