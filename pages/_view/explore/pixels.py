"""The drawer that asks whether pixels can do it: a search near the photo, begun by a press."""

from dataclasses import replace

import streamlit as st

from pages._view import exports, loaders
from pages._view.explore import downloads
from pages._view.explore.question import Asked
from pages._view.units import pictures
from sing_core.errors import SingError
from sing_core.files.digests import content_key
from sing_core.files.images import Photo, picture_url
from sing_core.studies.pixels import (
    Effort,
    PixelReport,
    difference,
    meaning,
    search_pixels,
    sentence,
)
from sing_core.studies.reports import ImageReport

_FOUND = "explore.pixels.found"
# A small part of what the command does by default: somebody waits for it.
EFFORT = Effort(radii=(2, 8), steps=30, starts=1, controls=1)
_HOW = (
    "A step inside the null space is a step of the feature, which no picture need have. The search "
    "changes every value of the photo by at most 2, then 8, of 255 levels, so that its feature "
    "follows the step while no logit moves by more than 3 % of the largest; beside it the same "
    "search along a random direction of the null space, and noise. A bar shows how far it is."
)
_COLUMNS = {
    "toward": st.column_config.TextColumn("follows"),
    "radius": st.column_config.NumberColumn("levels"),
    "share_of_step": st.column_config.NumberColumn("of the step", format="percent"),
    "null_share": st.column_config.NumberColumn("of it hidden", format="percent"),
    "image_score_deg": st.column_config.NumberColumn("IS °", format="%.2f"),
    "attribute_score_deg": st.column_config.NumberColumn("AS °", format="%.2f"),
    "logit_change": st.column_config.NumberColumn("logits move", format="percent"),
    "other_logit_change": st.column_config.NumberColumn("the other’s move", format="percent"),
}


def show(asked: Asked, report: ImageReport, epsilon: float) -> None:
    """Draw what the unfolded drawer holds: what is searched, the button, and what was found."""
    st.caption(_HOW)
    try:
        found = _found(asked, epsilon)
    except SingError as error:
        st.info(str(error), icon=":material/grain:")
        return
    if found is not None:
        _show(asked, found, command(report))


def _found(asked: Asked, epsilon: float) -> PixelReport | None:
    """Return what a search found for this very question and step, begun by a press; else None.

    Raises:
        SingError: nothing can be searched for, or something named cannot be had.
    """
    question = replace(asked.question, epsilon=epsilon)
    if not isinstance(asked.photo, Photo):
        raise SingError("The set holds this image’s feature, not the photo: it has no pixels.")
    if question.mode != "steer":
        raise SingError("Only a step towards a prompt is searched for: choose to steer.")
    key = content_key(asked.digest, question.key)
    pressed = st.button("Search near the photo", key="explore.pixels.search")
    kept: tuple[str, PixelReport] | None = st.session_state.get(_FOUND)
    if pressed:
        place = st.empty()
        place.progress(0.0, "Searching…")
        loaders.rest()
        found = search_pixels(
            loaders.bench(), asked.photo, question, effort=EFFORT,
            report=lambda done, whole: place.progress(done / whole, f"{done} of {whole} radii"),
        )  # fmt: skip
        place.empty()
        kept = st.session_state[_FOUND] = (key, found)
    return kept[1] if kept is not None and kept[0] == key else None


def _show(asked: Asked, found: PixelReport, said: str) -> None:
    titles = loaders.titles()
    named = replace(found, model=titles[found.model], other=titles[found.other])
    st.markdown(f"**{sentence(named)}**")
    st.markdown(meaning(named))
    radius, after = max(found.after.items())
    shown = {
        "The photo, as the classifier is shown it": found.before,
        f"The picture found, every value within {radius} of 255": after,
        "How they differ: grey where they do not": difference(found.before, after, radius),
    }
    for column, (caption, picture) in zip(st.columns(3), shown.items(), strict=True):
        pictures.show(column, picture_url(picture), caption)
    rows = [row.as_row() for row in found.rows]
    st.dataframe(
        exports.frame_of(rows), hide_index=True, column_order=list(_COLUMNS),
        column_config=_COLUMNS, key="explore.pixels.rows",
    )  # fmt: skip
    stem = f"sing-pixels-{asked.photo.digest[:8]}"
    csv = exports.File("Pixels (CSV)", "csv", "text/csv", lambda: exports.csv_of(rows))
    exports.show_file("explore.pixels", stem, csv, width="content")
    exports.show_command("explore.pixels", downloads.with_file(said, asked.photo))


def command(report: ImageReport) -> str:
    """Return the command that prints the same."""
    radii = [f"--radius {radius}" for radius in EFFORT.radii]
    hard = [f"--steps {EFFORT.steps}", f"--starts {EFFORT.starts}", f"--controls {EFFORT.controls}"]
    return downloads.asked_by("pixels", report, *radii, *hard)
