"""The images at the two ends of a hidden direction: photographs, or their names."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages._view.tables import cells, originals
from pages._view.tables.browse import rows_of_one_file
from pages._view.units import pictures
from pages._view.words.phrases import in_words, number
from sing_core.units.ends import EndImage
from sing_core.units.set_directions import SetDirection

_THUMB_PX = 132
_ENDS: dict[str, Any] = {
    "end": "end",
    "name": st.column_config.TextColumn("image"),
    "label": "class",
    "score": st.column_config.TextColumn("along it"),
}
_ELSEWHERE = (
    "The photographs of the set {images} are not on this machine, only their features: the table "
    "names those at the two ends."
)
_OTHERS = "None of the images at the ends made the direction: that did the other half of them."


def show_ends(images: str, found: SetDirection) -> None:
    """Draw the images at both ends: photographs where they are here, else their names."""
    both = {"Most along it": found.top, "Least along it": found.bottom}
    if originals.are_here(images):
        wanted = [
            {"row": end.image.row, "digest": end.image.digest}
            for ends in both.values()
            for end in ends
        ]
        copies = originals.small_copies(images, wanted)
        for title, ends in both.items():
            st.markdown(f"**{title}**")
            _show_pictures(ends, copies)
        st.caption(_OTHERS)
        return
    st.caption(f"{_ELSEWHERE.format(images=in_words(images, 64))} {_OTHERS}")
    listed = [(title, end) for title, own in both.items() for end in own]
    file, names = rows_of_one_file([end.image.name for _, end in listed])
    if file:
        st.caption(f"The images are rows of {in_words(file, 64)}.")
    rows = [
        {"end": title, "name": name, "label": end.label, "score": end.score}
        for (title, end), name in zip(listed, names, strict=True)
    ]
    st.dataframe(
        cells.spoken_table(rows, numbers={"score": "+.2f"}), hide_index=True,
        column_order=list(_ENDS), column_config=_ENDS, key="units.direction_ends",
    )  # fmt: skip


def _show_pictures(ends: Sequence[EndImage], copies: dict[int, str]) -> None:
    with st.container(horizontal=True):
        for end in ends:
            said = f"{in_words(end.label or end.image.name)}: {number(end.score, '+.2f')}"
            with st.container(width=_THUMB_PX):
                if end.image.row in copies:
                    pictures.show(st.container(), copies[end.image.row], said, _THUMB_PX)
                else:
                    st.caption(f"{said}. The photograph is no longer there.")
