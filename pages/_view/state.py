"""State in the URL: what a person would send a colleague is a query parameter.

The state has one owner, this session. The browser's URL is its copy, and is read in two cases only:
a page is opened by a link, or the person went Back or Forward. Every other run brings the URL as it
was when the browser sent its message, which may be older than what this session wrote since: taken
for Back, such an echo once reverted a prompt that had just been typed.

``receive`` before a widget, ``publish`` after it, ``write_url`` after all: the widget follows a
link, and the URL follows the widget. What arrives in a link is data: checked, never trusted.
Streamlit's own binding would put the options' captions, not their names, into the URL.
"""

import math
from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

_MAX_CHARS = 1_000
_LINK = "app.link"  # what the URL shall say, name to text
_WRITTEN = "app.link_written"  # the last of them that was sent to the browser
_READS = "app.reads_link"  # whether this run takes the browser's URL for the person's wish
_FOLLOWED = "app.followed"
_PUBLISHED = "app.published"
_SETTLING = "app.settling"
_SETTLING_RUNS = 3
_SAYS = "app.says"


def enter(page: str) -> None:
    """Note that ``page`` runs; coming back from another page keeps what was set here."""
    _leave_the_folder()
    before, travelled = st.session_state.get("app.page"), went_through_history()
    st.session_state["app.returned"] = before not in (None, page)
    st.session_state["app.page"] = page
    st.session_state[_SAYS] = None
    st.session_state[_READS] = before != page or travelled
    st.session_state[_PUBLISHED] = {}  # a run that was cut short leaves what it had not written
    if st.session_state[_READS]:
        st.session_state[_LINK] = st.query_params.to_dict()
    runs = st.session_state.get(_SETTLING, 0)
    st.session_state[_SETTLING] = _SETTLING_RUNS if travelled else max(0, runs - 1)


def say_in(place: DeltaGenerator) -> None:
    """Let this run say in ``place`` what is wrong with the link: its widgets may be folded away."""
    st.session_state[_SAYS] = place


def went_through_history() -> bool:
    """Return whether Back or Forward asked for this run; the browser itself says so."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


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
) -> bool:
    """Set the widget ``key`` from the query parameter ``name`` where this run reads the URL.

    An invalid value is answered by a ``sentence`` about ``what``, and by ``default``. Return
    whether it was set.
    """
    asked, seen = linked(name), f"link.{name}"
    if seen in st.session_state and key in st.session_state and _stays(seen, asked):
        reassert(key)
        return False
    st.session_state[seen] = asked
    st.session_state[_FOLLOWED] = True
    usable = asked is None or (fits(asked) and valid(asked))
    st.session_state[key] = asked if asked is not None and usable else default
    if not usable:
        say(sentence.format(what=what))
    return True


def follow(name: str, key: str, value: str) -> None:
    """Set the widget ``key`` and its query parameter ``name`` to ``value``, in a callback.

    The widget may be one that this session has not drawn yet.
    """
    st.session_state[key] = value
    st.session_state[f"link.{name}"] = value


def say(sentence: str) -> None:
    """Say what is wrong with the link, where this run says it."""
    place: DeltaGenerator | None = st.session_state.get(_SAYS)
    warn = st.warning if place is None else place.warning
    warn(sentence, icon=":material/link_off:")


def linked(name: str) -> str | None:
    """Return what the link says under ``name``; None where it says nothing."""
    link: dict[str, str] = st.session_state.get(_LINK, {})
    return link.get(name)


def _stays(seen: str, asked: str | None) -> bool:
    """Whether a known widget keeps its value in this run."""
    if not st.session_state.get(_READS, False):
        return True
    if st.session_state.get("app.returned", False):
        return asked is None or st.session_state[seen] == asked
    return False


def reassert(*keys: str) -> None:
    """Tell the browser the values of these widgets again, in the first runs after Back or Forward.

    Whoever acts while what Back brings is on its way to the browser has the newer wish, but the
    older values arrive after it: without this they would be shown, and sent with the next message.
    """
    if not st.session_state.get(_SETTLING, 0):
        return
    for key in keys:
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


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
    """Write all that was published at once: one change of the page is one step of Back.

    What the browser had when it asked for this run may have been overtaken by what was last sent
    to it; only where both say what is wanted is there nothing to write.
    """
    published = st.session_state.pop(_PUBLISHED, {})
    known = st.session_state.get(_LINK, {}) | published
    wanted = {name: value for name, value in known.items() if value is not None}
    st.session_state[_LINK] = wanted
    st.session_state.update({f"link.{name}": value for name, value in published.items()})
    if not wanted == st.query_params.to_dict() == st.session_state.get(_WRITTEN, wanted):
        st.query_params.from_dict(wanted)
    st.session_state[_WRITTEN] = wanted


def is_number(low: float, high: float) -> Callable[[str], bool]:
    """Return a check for texts that are finite numbers within ``[low, high]``."""

    def check(text: str) -> bool:
        try:
            value = float(text)
        except ValueError:
            return False
        return math.isfinite(value) and low <= value <= high

    return check
