"""The controls of the Explore page; every one is bound to the URL and explained by ``HELP``."""

import streamlit as st

from pages._view import loaders, state
from pages._view.linked_number import LinkedNumber
from pages._view.words.help import (
    CENTRED_NOTE,
    HELP,
    NO_SUCH_REFERENCE,
    OTHER_REFERENCE_NOTE,
    REFERENCE_NOTE,
    SHARED_TOWER_NOTE,
)
from pages._view.words.phrases import in_words
from sing_core.models import registry
from sing_core.models.prompts import spoken_prompt
from sing_core.studies.question import Mode

DEFAULT_PROMPT = "an image of a red fox"  # of the best vetted scene in which all classes decide
_NAME_PX = 260  # the longest name of a reference that ships, whole
_LINKED = "app.reference.linked"  # the name in the URL, of reference and reading
_TARGET = LinkedNumber("is", "explore.is", 40.0, (1.0, 170.0), "an image score")
MODES: dict[Mode, str] = {"steer": "Steer towards a prompt", "remove": "Remove the null part"}


def pick_model(page: str = "explore") -> str:
    """Draw the classifier picker of a page; return its name."""
    entries = loaders.models()
    default = next(iter(entries))
    key = f"{page}.model"
    if st.session_state.get(key) not in entries:  # it was unloaded meanwhile
        st.session_state.pop(key, None)
    state.receive("model", key, default, entries.__contains__, "a classifier")
    chosen = st.selectbox(
        "Classifier",
        list(entries),
        format_func=lambda name: entries[name].title,
        key=key,
        persist_state="session",
        help="ImageNet-1k classifiers whose last layer is split into what it reads and what not.",
    )
    chosen = chosen or default
    state.publish("model", chosen, default)
    return chosen


def pick_reference() -> str:
    """Draw the pickers of the reference, where there are several, and of its reading.

    Return the name of the two together.
    """
    offered = loaders.references()
    default = next(iter(offered))
    if st.session_state.get(loaders.REFERENCE) not in offered:  # it was unloaded meanwhile
        st.session_state.pop(_LINKED, None)
    _follow_link(offered, default)
    with st.container(horizontal=True, vertical_alignment="top"):  # one line of labels
        if len(offered) > 1:
            st.selectbox(
                "Image–text reference",
                list(offered),
                format_func=offered.__getitem__,
                key=loaders.REFERENCE,
                persist_state="session",
                help=HELP["pick_reference"],
                width=_NAME_PX,
            )
        st.segmented_control(
            "Reading of angles",
            [loaders.RAW_READING, loaders.CENTRED_READING],
            required=True,
            key=loaders.READING,
            persist_state="session",
            help=HELP["reading"],
        )
    chosen = loaders.reference()
    state.publish("reference", chosen, default)
    return chosen


def _follow_link(offered: dict[str, str], default: str) -> None:
    """Set both pickers from the one name in the URL when it changed."""
    asked = in_words(state.linked("reference") or "", 120)
    followed = state.receive(
        "reference", _LINKED, default, lambda name: registry.base_of(name) in offered, asked,
        NO_SUCH_REFERENCE,
    )  # fmt: skip
    if not (followed or st.session_state.get("app.returned", False)):
        state.reassert(loaders.REFERENCE, loaders.READING)
        return
    # What a link has set, the pickers of the next page do not take over by themselves.
    name = st.session_state[_LINKED] if followed else loaders.reference()
    centred = registry.is_centred(name)
    st.session_state[loaders.REFERENCE] = registry.base_of(name)
    st.session_state[loaders.READING] = loaders.CENTRED_READING if centred else loaders.RAW_READING


def show_reference_note(reference: str) -> None:
    """Say in which reference all angles are measured, and in which reading if it is not raw."""
    base = registry.base_of(reference)
    is_default = registry.references(loaders.settings())[0].name == base
    wording = REFERENCE_NOTE if is_default else OTHER_REFERENCE_NOTE
    note = wording.format(reference=in_words(loaders.reference_title(base), 120))
    st.caption(f"{note} {CENTRED_NOTE}" if registry.is_centred(reference) else note)


def show_tower_note(model: str, reference: str) -> None:
    """Say that a classifier shares its image tower with the reference that it is measured in."""
    title = loaders.bench().entry(model).title
    base = in_words(loaders.reference_title(registry.base_of(reference)), 120)
    note = SHARED_TOWER_NOTE.format(model=title, reference=base)
    st.info(note, icon=":material/merge:")


def pick_mode() -> Mode:
    """Draw the mode switch; return ``steer`` or ``remove``."""
    state.receive("mode", "explore.mode", "steer", MODES.__contains__, "a mode")
    chosen = st.segmented_control(
        "What to do inside the null space",
        list(MODES),
        format_func=MODES.__getitem__,
        required=True,
        key="explore.mode",
        persist_state="session",
        help=HELP["mode"],
        width="stretch",
    )
    mode: Mode = chosen or "steer"
    state.publish("mode", mode, "steer")
    return mode


def pick_prompt(labels: tuple[str, ...]) -> str:
    """Draw the prompt box, searchable over ``labels`` and open for free text; return the text."""
    state.receive("prompt", "explore.prompt", DEFAULT_PROMPT, bool, "a prompt")
    chosen: str | None = st.selectbox(
        "Prompt",
        [spoken_prompt(label) for label in labels],
        key="explore.prompt",
        accept_new_options=True,
        persist_state="session",
        placeholder="Search the 1,000 classes or type your own words",
        help=HELP["prompt"],
    )
    state.publish("prompt", chosen or "", DEFAULT_PROMPT)
    return chosen or ""


def pick_target() -> float:
    """Draw the wanted image score; return degrees, the last ones while the box is empty."""
    linked = _TARGET.receive()
    chosen = st.number_input(
        "Go to IS (°)",
        value=None,  # so that an emptied box is empty, and not the smallest number
        placeholder=f"{linked:g}",
        min_value=_TARGET.bounds[0],
        max_value=_TARGET.bounds[1],
        step=5.0,
        format="%g",
        key=_TARGET.key,
        help=HELP["target"],
    )
    return _TARGET.publish(chosen)
