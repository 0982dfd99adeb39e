"""Choosing a photo: a sample, a file or the camera; a bad file costs nothing that was there.

The choice stands behind one button that says which photo is shown: it is one of three choices.
"""

import hashlib
import re

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages._view import loaders, state
from sing_core.errors import ImageSetError, SingError
from sing_core.files.images import Photo
from sing_core.files.samples import SAMPLES, Sample
from sing_core.sets.originals import original
from sing_core.sets.stored import StoredImage, is_address

_TITLES = {sample.name: sample.title for sample in SAMPLES}
_DEFAULT = SAMPLES[0].name
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PICKER = "explore.photo_picker"
_SOURCES = {"sample": "Sample", "upload": "Upload", "camera": "Camera"}
_FILES = {"upload": "explore.upload", "camera": "explore.camera"}  # the keys of what takes a file


def pick_photo(stage: DeltaGenerator) -> Photo | StoredImage | None:
    """Draw the photo picker and return the chosen photo; None after saying on ``stage`` why not.

    Of an image of a set whose photo is not on this machine, what the set holds is returned. What
    was done to a file stands where the page shows the photo, not here: beside a file that was
    refused it would seem to be of that one.
    """
    state.receive("photo", "explore.photo", _DEFAULT, _can_be_named, "a photo")
    named = st.session_state["explore.photo"]
    _follow(named)
    state.reassert("explore.source", "explore.sample")
    named, fault = _wished(named)  # before the button, which says what is chosen
    title = _TITLES.get(named) or (named.split("/")[0] if is_address(named) else "your own")
    button = st.popover(f"Photo: {title}", icon=":material/image:", width="stretch", key=_PICKER)
    with button:
        _ask()
        if fault:
            st.error(f"{fault} The photo below stays as it was.", icon=":material/broken_image:")
    if named not in _TITLES:
        st.session_state["explore.own"] = named
    st.session_state["explore.photo"] = st.session_state["explore.shown"] = named
    state.publish("photo", named, _DEFAULT)
    return _open(named, stage)


def chosen_sample() -> Sample | None:
    """Return the sample photo that is shown, None where it is another one."""
    shown = st.session_state.get("explore.photo")
    return next((sample for sample in SAMPLES if sample.name == shown), None)


def _can_be_named(text: str) -> bool:
    """Whether any photo can be called so: a sample, the digest of a file, an image of a set."""
    return text in _TITLES or is_address(text) or _DIGEST.fullmatch(text) is not None


def _wished(named: str) -> tuple[str, str]:
    """Return the photo that the sources choose, and why a file that was sent cannot be used."""
    source = st.session_state["explore.source"]
    if source == "sample":
        sample = st.session_state["explore.sample"]
        return (sample if sample in _TITLES else _DEFAULT), ""
    if source not in _FILES:  # while the page is built anew it may be none: the photo stays
        return named, ""
    try:
        return _received(st.session_state.get(_FILES[source])) or _own(named), ""
    except SingError as error:
        return _own(named), str(error)


def _ask() -> None:
    """Draw the sources."""
    source = st.segmented_control(
        "Photo",
        list(_SOURCES),
        format_func=_SOURCES.__getitem__,
        required=True,
        key="explore.source",
        persist_state="session",
        width="stretch",
    )
    if source == "sample":
        st.selectbox(
            "Sample photo",
            list(_TITLES),
            format_func=_TITLES.__getitem__,
            key="explore.sample",
            persist_state="session",
            label_visibility="collapsed",
        )
    elif source == "upload":
        st.file_uploader(
            "Photo file",
            type=None,  # what a file is, its content says: Windows calls a JPEG “photo.jfif”
            max_upload_size=loaders.settings().max_upload_mb,
            key=_FILES[source],
            label_visibility="collapsed",
        )
    elif source == "camera":
        st.camera_input("Camera", key=_FILES[source], label_visibility="collapsed")


def _follow(named: str) -> None:
    """Set the widgets to ``named`` when a link, and not a widget, chose it."""
    if st.session_state.get("explore.shown") == named and "explore.source" in st.session_state:
        return
    is_sample = named in _TITLES
    st.session_state["explore.source"] = "sample" if is_sample else "upload"
    st.session_state["explore.sample"] = named if is_sample else _DEFAULT


def _own(named: str) -> str:
    """Return the person's own last photo where ``named`` is but the sample shown meanwhile."""
    own: str = st.session_state.get("explore.own", named)
    return own if named in _TITLES else named


def _received(file) -> str | None:  # noqa: ANN001
    """Take a new file in; return its digest, or None when there is none.

    A file taken in before says nothing: Back may have left for an older photo since.

    Raises:
        SingError: it cannot be used.
    """
    if file is None or file.file_id == st.session_state.get("explore.taken"):
        return None
    _let_go_of(st.session_state.get("explore.seen"), unless=file.file_id)
    st.session_state["explore.seen"] = file.file_id
    payload = file.getvalue()
    digest = hashlib.sha256(payload).hexdigest()
    if len(payload) > loaders.settings().max_upload_mb * 2**20:
        raise SingError(
            f"This file is larger than {loaders.settings().max_upload_mb} MB; "
            "please choose a smaller one."
        )
    loaders.decoded(digest, payload)
    # The session holds its own copy: a full or read-only disk must not lose the photo.
    st.session_state["explore.file"] = (digest, payload)
    st.session_state["explore.taken"] = file.file_id
    loaders.keep_upload(payload, digest)
    _let_go_of(file.file_id)
    return digest


def _let_go_of(file_id: str | None, unless: str = "") -> None:
    """Take a file out of Streamlit's memory, which keeps all that a session ever sent."""
    context = get_script_run_ctx()
    if context is None or file_id in (None, unless):
        return
    manager = context.uploaded_file_mgr
    if isinstance(manager, MemoryUploadedFileManager):
        manager.remove_file(context.session_id, str(file_id))


def _open(named: str, stage: DeltaGenerator) -> Photo | StoredImage | None:
    own_digest, own_payload = st.session_state.get("explore.file", ("", b""))
    try:
        if is_address(named):
            return _of_a_set(StoredImage.find(named, loaders.settings()))
        payload = own_payload if named == own_digest else loaders.photo_bytes(named)
        if payload is None:
            stage.warning(
                "This link names a photo that is not kept on this computer. "
                "Upload it again, or choose a sample.",
                icon=":material/link_off:",
            )
            return None
        return loaders.decoded(hashlib.sha256(payload).hexdigest(), payload)
    except SingError as error:
        stage.error(str(error), icon=":material/broken_image:")
        return None


def _of_a_set(stored: StoredImage) -> Photo | StoredImage:
    """Return the photo where it is on this machine, else what the set holds of it."""
    payload = loaders.photo_bytes(stored.digest)
    if payload is None:
        try:
            payload = original(stored.folder, stored.row, stored.digest, loaders.settings())
        except ImageSetError:
            return stored
        loaders.keep_upload(payload, stored.digest)  # found without going through the set again
    return loaders.decoded(stored.digest, payload)
