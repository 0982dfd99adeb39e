"""The drawer that says where on the photo lies what is hidden, at the released step."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from pages._view import exports, loaders
from pages._view.explore.question import Asked
from pages._view.units import asks, pictures, scene
from pages._view.words.phrases import in_words, number
from sing_core.errors import SingError, UnitsError
from sing_core.files.images import Photo
from sing_core.studies.subject import Subject
from sing_core.units.moved import MovedMap, moved_map
from sing_core.units.places import place_of
from sing_core.units.tokens import PhotoUnits

_GONE = 1e-6
_HOW = (
    "Each token’s share of the cosine to the prompt in what the head cannot see, summed over all "
    "heads: orange adds, blue takes away, and both maps have one scale. A step along the null "
    "space makes the photo’s own hidden part larger or smaller as a whole; whatever else it adds "
    "was written by no token."
)


def show(asked: Asked, epsilon: float) -> None:
    """Take the photo apart and draw what the unfolded drawer holds."""
    try:
        _show(asked, epsilon)
    except SingError as error:
        st.info(str(error), icon=":material/grid_on:")


def _show(asked: Asked, epsilon: float) -> None:
    """Draw the maps before the step and after it.

    Raises:
        SingError: the network cannot be taken apart, or there is no photo to look at.
    """
    if not isinstance(asked.photo, Photo):
        raise UnitsError("The set holds this image’s feature, not the photo: nothing has a place.")
    with st.spinner("Taking the photo apart…"):
        photo, subject = _opened(asked, asked.photo)
        linear, direction = subject.classifier.linear, subject.line.direction
        before, after = (
            moved_map(photo, linear, subject.text, direction, step) for step in (0.0, epsilon)
        )
    st.markdown(sentence(before, after, epsilon, subject.question.prompt))
    pixels = asks.seen_by(photo.inside, asked.photo.image)
    most = max(float(one.tokens.heat.abs().max()) for one in (before, after))
    shown = {
        "The photo, as the network sees it": pictures.picture_of(pixels),
        f"Before the step: {_signed(float(before.tokens.heat.sum()))} on the photo":
            pictures.overlay(pixels, before.tokens.heat, most),
        f"At ε = {epsilon:.3g}: {_signed(float(after.tokens.heat.sum()))} on the photo":
            pictures.overlay(pixels, after.tokens.heat, most),
    }  # fmt: skip
    for column, (caption, picture) in zip(st.columns(3), shown.items(), strict=True):
        pictures.show(column, picture, caption)
    st.caption(_HOW)
    rows = _rows({0.0: before, epsilon: after})
    csv = exports.File("Maps (CSV)", "csv", "text/csv", lambda: exports.csv_of(rows))
    exports.show_file("explore.where", "sing-where", csv, width="content")


def _opened(asked: Asked, shown: Photo) -> tuple[PhotoUnits, Subject]:
    """Return the photo taken apart, measured with the translator of the page's own numbers.

    Raises:
        SingError: it cannot be.
    """
    question = asked.question
    entry = loaders.models()[question.model]
    if not scene.is_transformer(entry):
        raise UnitsError(
            f"{entry.title} is no plain transformer: its feature is no sum over places of the "
            "photo. Choose ViT-S/14 and let fewer classes decide than it has features, and this "
            "drawer shows which patches wrote what is hidden."
        )
    subject = Subject.of(loaders.bench(), shown, question)
    names = scene.Asked(shown, question.model, question.reference, question.prompt)
    found = asks.taken_apart(names)
    return replace(found, inside=replace(found.inside, translator=subject.translator)), subject


def sentence(before: MovedMap, after: MovedMap, epsilon: float, prompt: str) -> str:
    """Say where on the photo lies what is hidden after the step, then how much that adds."""
    heat = float(after.tokens.heat.sum())
    total = after.tokens.total + after.brought
    text = f"“{in_words(prompt, 300)}”"
    adds = (
        f"what is hidden adds {_signed(total)} to the cosine to {text} "
        f"({_signed(before.tokens.total)} before the step)"
    )
    if abs(after.kept) < _GONE:
        return (
            f"**At ε = {epsilon:.3g} nothing of it is left on the photo.** The step has taken away "
            f"all that was hidden, and the map with it: {adds}."
        )
    told = (
        f"**At ε = {epsilon:.3g} what is hidden along {text} lies "
        f"{place_of(after.tokens.heat).words}.** On the photo it comes to {_signed(heat)}; with "
        f"what has no place there, {adds}."
    )
    kept = f"The photo’s own hidden part stands at {number(100 * after.kept, '.0f')} %"
    if abs(after.brought) < _GONE:
        return f"{told} {kept}; the step brings nothing else."
    return (
        f"{told} {kept}; {_signed(after.brought)} was brought by the step itself, and has no place "
        "on the photo."
    )


def _signed(value: float) -> str:
    return number(value, "+.3f")


def _rows(maps: Mapping[float, MovedMap]) -> list[dict[str, Any]]:
    return [
        {"epsilon": epsilon, "row": y, "column": x, "score": float(value)}
        for epsilon, one in maps.items()
        for y, line in enumerate(one.tokens.heat)
        for x, value in enumerate(line)
    ]
