"""Which null space is asked for: of all logits, of some classes, of softmax, or a lenient one."""

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


def pick_variant(model: str) -> HeadVariant:
    """Draw the choice; return it, the whole head where it cannot be used."""
    state.receive("head", "explore.head", "whole", KINDS.__contains__, "a null space")
    state.receive(
        "classes", "explore.classes", _FIRST_CLASSES, lambda text: _is_said(text, model), "classes"
    )
    state.receive("share", "explore.share", _FIRST_SHARE, SHARES.__contains__, "a threshold")
    kind = st.radio(
        "What must not move?",
        list(KINDS),
        format_func=KINDS.__getitem__,
        key="explore.head",
        persist_state="session",
        help=HELP["head"],
    )
    variant = _detailed(kind, model)
    state.publish("head", kind, "whole")
    state.publish("classes", st.session_state.get("explore.classes", ""), _FIRST_CLASSES)
    state.publish("share", st.session_state.get("explore.share", ""), _FIRST_SHARE)
    return variant


def _is_said(text: str, model: str) -> bool:
    """Return whether a link's classes can be used, or what is wrong with them is said below.

    That is where the box is drawn; and Back may lead to one that stood empty.
    """
    if not text.strip() or st.session_state["explore.head"] == "classes":
        return True
    try:
        return bool(parse_classes(text, loaders.class_names(model)))
    except SingError:
        return False


def _detailed(kind: str, model: str) -> HeadVariant:
    """Draw what belongs to ``kind``; return the variant."""
    st.session_state[FAULT] = ""
    if kind == "centred":
        st.caption("A common shift of all logits changes no probability, so it is allowed.")
        return HeadVariant(centred=True)
    try:
        if kind == "classes":
            text = st.text_input(
                "Classes that decide", key="explore.classes", persist_state="session",
                help="Numbers, ranges and names, with commas: 0-15, 207, jellyfish.",
            )  # fmt: skip
            return HeadVariant(parse_classes(text, loaders.class_names(model)))
        if kind == "threshold":
            share = st.select_slider(
                "Singular values that count as zero, up to this share of the largest",
                SHARES, key="explore.share", persist_state="session",
            )  # fmt: skip
            return _lenient(model, float(share))
    except SingError as error:
        st.session_state[FAULT] = f"{in_words(str(error), 300)} All logits count meanwhile."
        st.error(st.session_state[FAULT], icon=":material/error:")
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
