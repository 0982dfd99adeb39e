"""Of which kind the images are that a question of the Evidence page is asked of, and saying so."""

import streamlit as st

from pages._view.tables import asks, pick_images
from pages._view.words.phrases import in_words, listed
from sing_core.leakage.strata import POOLED


def pick(model: str, images: str) -> asks.Part:
    """Draw the choice of one kind of images, where the set has several; return what is asked of."""
    return asks.Part(stratum=pick_images.pick_stratum("evidence", model, images))


def show_note(
    model: str, images: str, part: asks.Part, stratum: str, *, translated: bool = True
) -> None:
    """Say of which kind the images are that took part, and where translated, which were in a fit.

    ``stratum`` is what the answer says of itself, see ``strata.kind_among``.

    Raises:
        SingError: the scores or the translator cannot be read.
    """
    said = []
    if stratum == POOLED:
        kinds = [in_words(kind) for kind in asks.strata_of(model, images) if kind]
        of = f" over {listed(kinds)}" if kinds else ""
        said.append(f"**Pooled**{of}: what holds of one kind need not hold of another.")
    elif stratum:
        said.append(f"All images that take part are of one kind: {in_words(stratum)}.")
    if translated:
        found = asks.took_part(model, images, part)
        fits = pick_images.fits(
            found.images, found.in_fit, found.cross_fitted, found.trained_reference
        )
        said.append(fits)
    if said:
        st.caption(" ".join(said))
