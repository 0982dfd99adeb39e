"""The Library's panel that prepares a set of images: from files, or a folder, to scores."""

import threading
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages._view import loaders
from pages._view.library import actions, own_classes, typed_paths
from pages._view.tables import asks
from pages._view.words.phrases import in_words
from sing_core.errors import SingError
from sing_core.leakage.set_scores import Prepared
from sing_core.sets.extract import Progress

_NO_TYPING = (
    "Sets are not prepared from this page here: its owner runs "
    "`python -m sing_core prepare --images …`."
)
_FILES_HELP = (
    "JPEG, PNG or WebP pictures, or one zip of them. In a zip, a folder that is named by a class "
    "(goldfish, n01443537) says what its pictures are of."
)
_CLASS_HELP = "What the pictures are of that lie in no class folder: scores are towards its name."
_PATH_HELP = (
    "A folder with one folder per class (named by wnid, index or name), Parquet files with the "
    "columns jpeg or image and wnid or label, or a zip or tar of class folders, on the computer "
    "that runs this app."
)
_FIT_HELP = (
    "The reference sees the images too. They are fitted in five folds: each image is scored by "
    "the fit that did not see it."
)
_STOPPED, _ENDED = "library.stopped", "library.ended"
_PATIENCE_S = 60.0
_STOPPED_NOTE = (
    "Preparing was stopped. What was done is kept: press Prepare again, and it goes on from there."
)


def show() -> None:
    """Draw the sets that are there and, where paths may be typed, the form for another one."""
    st.header("Prepared image sets", anchor=False)
    place = st.empty()
    _show_names(place)
    if not loaders.settings().typed_models:
        st.caption(_NO_TYPING)
        return
    # Enter in a box ends the typing there; it does not begin hours of work.
    with st.form("library.prepare", border=False, enter_to_submit=False):
        files, wnid = _ask_files()
        path = _ask_path()
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
        mapping = own_classes.ask()
        wanted = st.form_submit_button("Prepare", icon=":material/inventory_2:")
    job = st.empty()  # one place for what a job says: what comes next takes the last one's away
    if wanted:
        if own_classes.keep(mapping, tuple(chosen)):
            _prepare(job, (files, wnid), path, tuple(chosen), name.strip(), fit=fit)
        _show_names(place)
    elif st.session_state.pop(_STOPPED, False):
        _await_last(job)
        job.info(_STOPPED_NOTE, icon=":material/stop_circle:")


def _ask_files() -> tuple[list[UploadedFile], str]:
    """Draw the uploader; return the files, and the wnid of those that lie in no class folder."""
    left, right = st.columns([2, 1])
    files = left.file_uploader(
        "Pictures, or a zip of them", accept_multiple_files=True, key="library.files",
        max_upload_size=loaders.settings().max_upload_mb, help=_FILES_HELP,
    )  # fmt: skip
    classes = actions.classes()
    label = right.selectbox(
        "Pictures of", ["", *classes], key="library.files_class", help=_CLASS_HELP,
        format_func=lambda name: name or "as the folders of the zip say",
    )  # fmt: skip
    return files, classes.get(label or "", "")


def _ask_path() -> str:
    """Draw the box for a path where one may be typed, and say where not."""
    path = ""
    if typed_paths.offered():
        path = st.text_input(
            "or images on the computer that runs this app", key="library.images", help=_PATH_HELP,
            placeholder="Path of a folder, a Parquet file or a zip",
        )  # fmt: skip
    if note := typed_paths.note():
        st.caption(note)
    return path.strip()


def _show_names(place: DeltaGenerator) -> None:
    try:
        place.caption(f"Prepared: {', '.join(asks.set_names()) or 'none yet'}.")
    except SingError as error:
        place.warning(str(error), icon=":material/error:")


def _prepare(
    job: DeltaGenerator,
    sent: tuple[Sequence[UploadedFile], str],
    path: str,
    models: tuple[str, ...],
    name: str,
    *,
    fit: bool,
) -> None:
    files, wnid = sent
    lacking = [] if path or files else ["send pictures or say where the images are"]
    lacking += ["give pictures or a path, not both"] if path and files else []
    lacking += [] if models else ["choose a classifier"]
    if lacking:
        sentence = f"To prepare a set, {' and '.join(lacking)}."
        job.info(sentence, icon=":material/edit:")
        return
    _await_last(job)
    notes = list[str]()
    with job.container():
        bar = st.progress(0.0, "Listing the images…")
        st.button("Stop", key="library.stop", icon=":material/stop_circle:", on_click=_stop)
    try:
        images = actions.lay_down(files, wnid) if files else typed_paths.followed(Path(path))
        ended = st.session_state[_ENDED] = threading.Event()
        found = actions.prepare_set(
            images, models, name or None, lambda now: bar.progress(*_share(now)), fit=fit,
            say=notes.append, queue=lambda ahead: bar.progress(0.0, _place(ahead)), ended=ended,
        )  # fmt: skip
    except (SingError, OSError) as error:
        job.error(in_words(str(error), 1000), icon=":material/error:")
        return
    with job.container():
        for note in notes:
            st.caption(note)
        _show_found(found, fit=fit)


def _stop() -> None:
    """Remember that the person stopped the job; the run that it was part of ends by itself."""
    st.session_state[_STOPPED] = True


def _await_last(job: DeltaGenerator) -> None:
    """Wait for a job of this session that was told to end: it does so after a few more images."""
    ended: threading.Event | None = st.session_state.get(_ENDED)
    if ended is not None and not ended.is_set():
        with job, st.spinner("Ending what was begun…"):
            ended.wait(_PATIENCE_S)


def _show_found(found: Sequence[Prepared], *, fit: bool) -> None:
    for made in found:
        _show_made(made, fit=fit)
    asked = {"set": found[0].name}
    if found[0].model != next(iter(loaders.models())):
        asked["model"] = found[0].model
    st.page_link(
        "pages/classes.py", label="See its images in Classes", icon=":material/category:",
        query_params=asked,
    )  # fmt: skip


def _show_made(made: Prepared, *, fit: bool) -> None:
    st.success(_sentence(made), icon=":material/check:")
    if fit:
        st.caption(_fitted(made))
    if made.problems:
        listing = [{"image": p.name, "reason": p.reason} for p in made.problems]
        st.dataframe(listing, hide_index=True, key=f"library.problems.{made.model}")


def _place(ahead: int) -> str:
    if not ahead:
        return "Listing the images…"
    which = "another preparation comes" if ahead == 1 else f"{ahead} other preparations come"
    return f"Waiting: {which} first. Leaving the page gives the place up."


def _share(now: Progress) -> tuple[float, str]:
    text = f"{now.seen:,} of {now.total:,} images"
    if now.left_s is not None:
        text += f", {now.rate:.0f} a second, {_duration(now.left_s)} left"
    stopping = "Leaving the page stops it; it goes on from there when asked again."
    return (now.seen / now.total if now.total else 1.0), f"{text}. {stopping}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _title(made: Prepared) -> str:
    return loaders.bench().entry(made.model).title


def _fitted(made: Prepared) -> str:
    """Say how good the translator is that was fitted from the set, or that none was."""
    bench = loaders.bench()
    details = bench.translator(made.model, made.reference).details
    if not bench.is_own(made.model, made.reference) or "images" not in details:
        return f"{_title(made)} has a translator already: none was fitted."
    count, *rest = details["images"].split("/")
    how = (
        f"Each of {count} images measured by a fit that did not see it"
        if not rest  # a file of an earlier version held one tenth back instead
        else f"On {rest[-1]} images that its fit did not see"
    )
    return (
        f"The translator of {_title(made)} on this machine was fitted from {count} images. {how}, "
        f"its cosine to the reference’s own embedding is {float(details['cosine']):.3f} on average."
    )


def _sentence(made: Prepared) -> str:
    twice = f", {made.duplicates:,} of them the same file again" if made.duplicates else ""
    return (
        f"{made.name} is prepared under {_title(made)}: {made.scored:,} of {made.listed:,} images "
        f"have scores{twice}; {len(made.problems):,} could not be used."
    )
