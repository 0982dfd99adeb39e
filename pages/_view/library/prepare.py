"""The Library's panel that prepares a set of images: from a folder of this machine to scores."""

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import loaders
from pages._view.library import actions
from pages._view.tables import asks
from sing_core.errors import SingError
from sing_core.leakage.set_scores import Prepared
from sing_core.sets.extract import Progress

_NO_TYPING = (
    "Paths of this server cannot be typed here: its owner runs "
    "`python -m sing_core prepare --images …`."
)
_HELP = (
    "A folder with one folder per class (named by its wnid), a Parquet file with the columns jpeg "
    "and wnid, or a zip of class folders, on the computer that runs this app."
)
_FIT_HELP = (
    "The reference sees the images too. They are fitted in five folds: each image is scored by "
    "the fit that did not see it."
)


def show() -> None:
    """Draw the sets that are there and, where paths may be typed, the form for another one."""
    st.subheader("Prepared image sets", anchor=False)
    place = st.empty()
    _show_names(place)
    if not loaders.settings().typed_models:
        st.caption(_NO_TYPING)
        return
    with st.form("library.prepare", border=False):
        path = st.text_input("Images", key="library.images", help=_HELP)
        entries = loaders.models()
        chosen = st.multiselect(
            "Under the classifiers", list(entries), [next(iter(entries))],
            format_func=lambda name: entries[name].title, key="library.prepared_models",
        )  # fmt: skip
        name = st.text_input(
            "Name of the set", key="library.set_name", placeholder="from the folder’s name"
        )
        fit = st.checkbox(
            "Fit a translator from this set where a classifier has none",
            key="library.fit", help=_FIT_HELP,
        )  # fmt: skip
        wanted = st.form_submit_button("Prepare", icon=":material/inventory_2:")
    if wanted:
        _prepare(path.strip(), tuple(chosen), name.strip(), fit=fit)
        _show_names(place)


def _show_names(place: DeltaGenerator) -> None:
    try:
        place.caption(f"Prepared: {', '.join(asks.set_names()) or 'none yet'}.")
    except SingError as error:
        place.warning(str(error), icon=":material/error:")


def _prepare(path: str, models: tuple[str, ...], name: str, *, fit: bool) -> None:
    lacking = [] if path else ["say where the images are"]
    lacking += [] if models else ["choose a classifier"]
    if lacking:
        sentence = f"To prepare a set, {' and '.join(lacking)}."
        st.info(sentence, icon=":material/edit:")
        return
    bar = st.progress(0.0, "Listing the images…")
    try:
        found = actions.prepare_set(
            Path(path), models, name or None, lambda now: bar.progress(*_share(now)), fit=fit
        )
    except (SingError, OSError) as error:
        bar.empty()
        st.error(str(error), icon=":material/error:")
        return
    bar.empty()
    for made in found:
        st.success(_sentence(made), icon=":material/check:")
        if fit:
            st.caption(_fitted(made))
        if made.problems:
            listing = [{"image": p.name, "reason": p.reason} for p in made.problems]
            st.dataframe(listing, hide_index=True, key=f"library.problems.{made.model}")


def _share(now: Progress) -> tuple[float, str]:
    text = f"{now.done:,} of {now.total:,} images"
    if now.left_s is not None:
        text += f", {now.rate:.0f} a second, {now.left_s / 60:.0f} min left"
    stopping = "Leaving the page stops it; it goes on from there when asked again."
    return (now.done / now.total if now.total else 1.0), f"{text}. {stopping}"


def _fitted(made: Prepared) -> str:
    """Say how good the translator is that was fitted from the set, or that none was."""
    bench = loaders.bench()
    details = bench.translator(made.model, made.reference).details
    if not bench.is_own(made.model, made.reference) or "images" not in details:
        return f"{made.model} has a translator already: none was fitted."
    count, *rest = details["images"].split("/")
    how = (
        f"Each of {count} images measured by a fit that did not see it"
        if not rest  # a file of an earlier version held one tenth back instead
        else f"On {rest[-1]} images that its fit did not see"
    )
    return (
        f"The translator of {made.model} on this machine was fitted from {count} images. {how}, "
        f"its cosine to the reference’s own embedding is {float(details['cosine']):.3f} on average."
    )


def _sentence(made: Prepared) -> str:
    twice = f", {made.duplicates:,} of them the same file again" if made.duplicates else ""
    return (
        f"{made.name} is prepared under {made.model}: {made.scored:,} of {made.listed:,} images "
        f"have scores{twice}; {len(made.problems):,} could not be used."
    )
