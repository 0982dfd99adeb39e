"""The Library's field for a head whose classes are not those of ImageNet-1k: which is which."""

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages._view import loaders
from sing_core.errors import SingError
from sing_core.files.text_lists import decoded
from sing_core.models.head_classes import keep_mapping

_HELP = (
    "A text file for a head whose classes are not those of ImageNet-1k: a line is a class of "
    "ImageNet-1k (wnid, index or name), a tab, and the head’s own. Without it tables have no "
    "accuracy."
)


def ask() -> UploadedFile | None:
    """Draw the field; return the file that was given."""
    return st.file_uploader(
        "Classes of the head, where they are its own", key="library.mapping", help=_HELP
    )


def keep(file: UploadedFile | None, models: tuple[str, ...]) -> bool:
    """Keep what ``file`` says of the heads of ``models``; draw why not, and return whether so."""
    if file is None:
        return True
    try:
        text, notes = decoded(file.getvalue(), file.name)
        for model in models:
            classifier = loaders.bench().classifier(model)
            keep_mapping(loaders.settings(), classifier, text, file.name)
    except (SingError, OSError) as error:
        st.error(str(error), icon=":material/error:")
        return False
    for note in notes:
        st.caption(note)
    return True
