"""Which images the leakage pages look at: a prepared set, and of several kinds all or one."""

from collections.abc import Sequence
from typing import NoReturn

import streamlit as st

from pages._view import loaders, pickers, state
from pages._view.tables import asks
from pages._view.words.class_help import CLASS_HELP
from pages._view.words.phrases import be, in_words, listed
from sing_core.errors import SingError
from sing_core.leakage.strata import ALL
from sing_core.models.registry import base_of

_TITLES = {ALL: "all, pooled"}


def pick_set(page: str) -> str:
    """Draw the picker of prepared sets; return its name, or stop with what to do."""
    try:
        names = asks.set_names()
    except SingError as error:
        _stop(str(error))
    if not names:
        state.write_url()
        st.info(
            "No set of images is prepared yet: run `python -m sing_core prepare --images …`.",
            icon=":material/inventory_2:",
        )
        st.stop()
    key = f"{page}.set"
    state.receive("set", key, names[0], names.__contains__, "a prepared set")
    chosen = st.selectbox(
        "Image set",
        names,
        key=key,
        persist_state="session",
        help="Images that were prepared once: their features and scores, not the images.",
    )
    state.publish("set", chosen or names[0], names[0])
    pickers.pick_reference()
    return chosen or names[0]


def pick_stratum(page: str, model: str, images: str) -> str:
    """Draw the choice of one kind of images, where the set has several; return it, "" for all."""
    try:
        kinds = asks.strata_of(model, images)
    except SingError:
        return ""  # whoever asks for the scores says why there are none
    key = f"{page}.stratum"
    state.receive("stratum", key, ALL, {ALL, *kinds}.__contains__, "a kind of images")
    if st.session_state[key] not in (ALL, *kinds):
        st.session_state[key] = ALL  # the set was changed meanwhile
    chosen = ALL
    if kinds:
        chosen = st.segmented_control(
            "Kind of images", [ALL, *kinds], format_func=lambda kind: _TITLES.get(kind, kind),
            required=True, key=key, persist_state="session", help=CLASS_HELP["stratum"],
        ) or ALL  # fmt: skip
    state.publish("stratum", chosen, ALL)
    return "" if chosen == ALL else chosen


def show_images_note(
    model: str, images: str, part: asks.Part, of_class: Sequence[str] | None = None
) -> None:
    """Say which images these are, whether kinds are pooled, and which took part in a fit.

    ``of_class``: the kinds of the images that are asked about, where they are of one class alone.

    Raises:
        SingError: the scores or the translator cannot be read.
    """
    found = asks.took_part(model, images, part)
    kinds = of_class if of_class is not None else asks.strata_of(model, images)
    named = [in_words(kind) for kind in ([part.stratum] if part.stratum else kinds) if kind]
    told = ""
    if len(named) == 1:
        whose = "All images of this class are" if of_class is not None else "Only images"
        told = f"{whose} of one kind: {named[0]}. "
    elif named:
        told = f"**Pooled** over {listed(named)}. "
    whole = "Of the whole set: " if of_class is not None else ""
    said = fits(found.images, found.in_fit, found.cross_fitted, found.trained_reference)
    st.caption(f"{told}{whole}{said}")


def fits(images: int, in_fit: int, cross_fitted: bool, trained: bool | None) -> str:
    """Return in words which of the ``images`` took part in fitting translator and reference."""
    if not cross_fitted:
        return (
            "Nobody noted which images the translator was fitted on: scores of those that it saw "
            "are too good."
        )
    if not in_fit:
        return f"None of the {images:,} images took part in the fit of the translator."
    title = in_words(loaders.reference_title(base_of(loaders.reference())), 120)
    too = f" and trained **{title}**" if trained else ""
    others = images - in_fit
    rest = f"; the other {others:,} {be(others)} in neither" if trained and others else ""
    return (
        f"{in_fit:,} of {images:,} images fitted the translator{too}{rest}. Cross-fitted: each is "
        "scored by a translator that was fitted without it."
    )


def _stop(message: str) -> NoReturn:
    state.write_url()
    st.error(message, icon=":material/error:")
    st.stop()
