"""Which null space is asked for: of all logits, of some classes, of softmax, or a lenient one."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import streamlit as st

from pages._view import loaders, state
from pages._view.words.help import HELP
from pages._view.words.phrases import in_words
from sing_core.errors import SingError
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant, parse_classes
from sing_core.studies.heads import threshold_costs

KINDS = {
    "whole": "All logits",
    "classes": "Chosen classes",
    "centred": "Probabilities",
    "threshold": "Weak directions too",
}
SHARES = ("0.01", "0.02", "0.05", "0.1", "0.15", "0.2", "0.3")
_FIRST_CLASSES = "0-15"
_FIRST_SHARE = "0.05"
FAULT = "explore.head_fault"


class Place(NamedTuple):
    """Where the choice is drawn: the page, and the parameter of its links that says the kind."""

    page: str
    name: str

    def key(self, what: str) -> str:
        """Return the key of one of its widgets."""
        return f"{self.page}.{what}"


EXPLORE = Place("explore", "head")


def pick_variant(
    model: str, place: Place = EXPLORE, labels: Callable[[], tuple[str, ...]] | None = None
) -> HeadVariant:
    """Draw the choice; return it, the whole head where it cannot be used.

    ``labels`` returns the names of the classes of a head that is no classifier's, ``model`` "": a
    threshold is then not offered.
    """
    named = labels or (lambda: loaders.class_names(model))
    kinds = [kind for kind in KINDS if kind != "threshold" or model]
    kind_key, said = place.key(place.name), partial(_is_said, place, named)
    state.receive(place.name, kind_key, "whole", kinds.__contains__, "a null space")
    state.receive("classes", place.key("classes"), _FIRST_CLASSES, said, "classes")
    state.receive("share", place.key("share"), _FIRST_SHARE, SHARES.__contains__, "a threshold")
    if st.session_state[kind_key] not in kinds:  # the network was changed meanwhile
        st.session_state[kind_key] = "whole"
    kind = st.radio(
        "What must not move?",
        kinds,
        format_func=KINDS.__getitem__,
        key=kind_key,
        persist_state="session",
        help=HELP["head"],
    )
    variant = _detailed(kind, model, place, named)
    state.publish(place.name, kind, "whole")
    state.publish("classes", st.session_state.get(place.key("classes"), ""), _FIRST_CLASSES)
    state.publish("share", st.session_state.get(place.key("share"), ""), _FIRST_SHARE)
    return variant


def _is_said(place: Place, labels: Callable[[], tuple[str, ...]], text: str) -> bool:
    """Return whether a link's classes can be used, or what is wrong with them is said below.

    That is where the box is drawn; and Back may lead to one that stood empty.
    """
    if not text.strip() or st.session_state[place.key(place.name)] == "classes":
        return True
    try:
        return bool(parse_classes(text, labels()))
    except SingError:
        return False


def _detailed(
    kind: str, model: str, place: Place, labels: Callable[[], tuple[str, ...]]
) -> HeadVariant:
    """Draw what belongs to ``kind``; return the variant."""
    st.session_state[place.key("head_fault")] = ""
    if kind == "centred":
        st.caption("A common shift of all logits changes no probability, so it is allowed.")
        return HeadVariant(centred=True)
    try:
        if kind == "classes":
            text = st.text_input(
                "Classes that decide", key=place.key("classes"), persist_state="session",
                help="Numbers, ranges and names, with commas: 0-15, 207, jellyfish.",
            )  # fmt: skip
            return HeadVariant(parse_classes(text, labels()))
        if kind == "threshold":
            share = st.select_slider(
                "Singular values that count as zero, up to this share of the largest",
                SHARES, key=place.key("share"), persist_state="session",
            )  # fmt: skip
            return _lenient(model, float(share))
    except SingError as error:
        fault = f"{in_words(str(error), 300)} All logits count meanwhile."
        st.session_state[place.key("head_fault")] = fault
        st.error(fault, icon=":material/error:")
    return WHOLE_HEAD


def _lenient(model: str, share: float) -> HeadVariant:
    """Say what a threshold costs; one that adds no direction asks for the whole head."""
    exact, cost = threshold_costs(loaders.bench(), model, WHOLE_HEAD, (0.0, share))
    if cost.nullity == exact.nullity:
        st.caption("No further direction of this head is that weak: nothing is added.")
        return WHOLE_HEAD
    st.caption(
        f"{cost.nullity} directions then count as null space, and a step of length 1 among them "
        f"moves a logit by up to {cost.drift_per_step:.2g}."
    )
    return HeadVariant(threshold=share)
