"""Choosing a photo: a sample, a file or the camera; a bad file costs nothing that was there."""

import hashlib

import streamlit as st

from pages._view import loaders, state
from sing_core.errors import SingError
from sing_core.files.images import Photo
from sing_core.files.samples import SAMPLES

_TITLES = {sample.name: sample.title for sample in SAMPLES}
_DEFAULT = SAMPLES[0].name
_SOURCES = {"sample": "Sample", "upload": "Upload", "camera": "Camera"}


def pick_photo() -> Photo | None:
    """Draw the photo picker and return the chosen photo; None after saying why there is none."""
    state.receive("photo", "explore.photo", _DEFAULT, bool, "a photo")
    named = st.session_state["explore.photo"]
    _follow(named)
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
        named = st.selectbox(
            "Sample photo",
            list(_TITLES),
            format_func=_TITLES.__getitem__,
            key="explore.sample",
            persist_state="session",
            label_visibility="collapsed",
        )
    elif source == "upload":
        named = _received(_ask_file()) or _own(named)
    elif source == "camera":  # while the page is built anew it may be none: the photo stays
        shot = st.camera_input("Camera", key="explore.camera", label_visibility="collapsed")
        named = _received(shot) or _own(named)
    if named not in _TITLES:
        st.session_state["explore.own"] = named
    st.session_state["explore.photo"] = st.session_state["explore.shown"] = named
    state.publish("photo", named, _DEFAULT)
    return _open(named)


def _ask_file():  # noqa: ANN202 - Streamlit's own type has no public name
    return st.file_uploader(
        "Photo file",
        type=None,  # what a file is, its content says: Windows calls a JPEG “photo.jfif”
        max_upload_size=loaders.settings().max_upload_mb,
        key="explore.upload",
        label_visibility="collapsed",
    )


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
    """Take a new file in; return its digest, or None when there is none or it cannot be used.

    A file taken in before says nothing: Back may have left for an older photo since.
    """
    if file is None or file.file_id == st.session_state.get("explore.taken"):
        return None
    payload = file.getvalue()
    digest = hashlib.sha256(payload).hexdigest()
    try:
        if len(payload) > loaders.settings().max_upload_mb * 2**20:
            raise SingError(
                f"This file is larger than {loaders.settings().max_upload_mb} MB; "
                "please choose a smaller one."
            )
        loaders.decoded(digest, payload)
    except SingError as error:
        st.error(f"{error} The photo below stays as it was.", icon=":material/broken_image:")
        return None
    # The session holds its own copy: a full or read-only disk must not lose the photo.
    st.session_state["explore.file"] = (digest, payload)
    st.session_state["explore.taken"] = file.file_id
    loaders.keep_upload(payload, digest)
    return digest


def _open(named: str) -> Photo | None:
    own_digest, own_payload = st.session_state.get("explore.file", ("", b""))
    try:
        payload = own_payload if named == own_digest else loaders.photo_bytes(named)
        if payload is None:
            st.warning(
                "This link names a photo that is not kept on this computer. "
                "Upload it again, or choose a sample.",
                icon=":material/link_off:",
            )
            return None
        return loaders.decoded(hashlib.sha256(payload).hexdigest(), payload)
    except SingError as error:
        st.error(str(error), icon=":material/broken_image:")
        return None
