"""Answers that are kept by hand, and the bar that is drawn while one is worked out.

Streamlit draws again whatever was drawn inside a function that it keeps the answers of: what draws
a bar while it works is kept here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import streamlit as st

T = TypeVar("T")
_MOST_ANSWERS = 128


@st.cache_resource(show_spinner=False)
def answers() -> dict[str, Any]:
    """Return what is kept for everybody, by key."""
    return {}


def once(kept_here: dict[str, T], key: str, ask: Callable[[], T], most: int = _MOST_ANSWERS) -> T:
    """Return the answer to ``key``, asked once; the oldest answers but ``most`` are let go of."""
    if (found := kept_here.get(key)) is None:
        found = kept_here[key] = ask()
        for old in list(kept_here)[:-most]:
            kept_here.pop(old, None)
    return found


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], object]]:
    """Draw how many of how many of ``what`` are done, for as long as it takes."""
    place = st.empty()
    try:
        yield lambda done, whole: place.progress(done / whole, f"{done} of {whole} {what}")
    finally:
        place.empty()
