"""State in the URL: what a person would send a colleague is a query parameter.

``receive`` before a widget, ``publish`` after it, ``write_url`` after all: the widget follows the
URL (a link, or Back in the browser), and the URL follows the widget. What arrives in a link is
data: checked, never trusted. Streamlit's own binding would put the options' captions, not their
names, into the URL.
"""

import math
from collections.abc import Callable

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

_MAX_CHARS = 1_000
_FOLLOWED = "app.followed"
_PUBLISHED = "app.published"


def enter(page: str) -> None:
    """Note that ``page`` runs; coming back from another page keeps what was set here."""
    _leave_the_folder()
    st.session_state["app.returned"] = st.session_state.get("app.page") not in (None, page)
    st.session_state["app.page"] = page


def _leave_the_folder() -> None:
    """Let app.py run this page, where Streamlit has taken it from the folder ``pages`` itself.

    It does so for the first visitor of a fresh server who opens a page's own address: without the
    menu, and narrow.
    """
    if PagesManager.uses_pages_directory and "app.page" not in st.session_state:
        PagesManager.uses_pages_directory = False
        st.rerun()


def receive(
    name: str,
    key: str,
    default: str,
    valid: Callable[[str], bool],
    what: str,
    sentence: str = "The link asks for {what} that cannot be used; the default is shown instead.",
) -> None:
    """Set the widget ``key`` from the query parameter ``name`` when the URL changed.

    An invalid value is answered by a ``sentence`` about ``what``, and by ``default``.
    """
    asked = st.query_params.get(name)
    seen = f"link.{name}"
    known = seen in st.session_state and key in st.session_state
    returned = st.session_state.get("app.returned", False) and asked is None
    if known and (returned or st.session_state[seen] == asked):
        return
    st.session_state[seen] = asked
    st.session_state[_FOLLOWED] = True
    usable = asked is None or (fits(asked) and valid(asked))
    st.session_state[key] = asked if asked is not None and usable else default
    if not usable:
        st.warning(sentence.format(what=what), icon=":material/link_off:")


def take_followed() -> bool:
    """Return whether the URL, and not a widget, set something since this was last asked."""
    return bool(st.session_state.pop(_FOLLOWED, False))


def publish(name: str, value: str, default: str) -> None:
    """Note that ``write_url`` shall write ``value``, or take the default's parameter away."""
    wanted = None if value == default or not fits(value) else value
    st.session_state.setdefault(_PUBLISHED, {})[name] = wanted


def fits(value: str) -> bool:
    """Return whether a link can carry ``value``."""
    return len(value) <= _MAX_CHARS


def write_url() -> None:
    """Write all that was published at once: one change of the page is one step of Back."""
    published = st.session_state.pop(_PUBLISHED, {})
    shown = st.query_params.to_dict()
    wanted = {name: value for name, value in (shown | published).items() if value is not None}
    if wanted != shown:
        st.query_params.from_dict(wanted)
    st.session_state.update({f"link.{name}": value for name, value in published.items()})


def is_number(low: float, high: float) -> Callable[[str], bool]:
    """Return a check for texts that are finite numbers within ``[low, high]``."""

    def check(text: str) -> bool:
        try:
            value = float(text)
        except ValueError:
            return False
        return math.isfinite(value) and low <= value <= high

    return check
