"""Does what is said of the chosen concept survive other choices? Asked once it is unfolded."""

import streamlit as st

from pages._view import commands
from pages._view.folded import folded
from pages._view.tables.concepts import Asked
from pages._view.tables.opened import Part
from pages._view.words.phrases import in_words
from pages._view.words.varied import VARIED_FITS
from sing_core.errors import SingError
from sing_core.leakage.concepts import ConceptRow

_HOW = (
    "The claim is which way null removal turns the images, by the directed part of AS (not AS "
    "itself), as the verdict of the table says. Every other combination of choices measures it "
    "anew: kinds of images with at least two {units}, raw and centred angles, each reference that "
    f"this machine has a translator into and that can embed the concept, {VARIED_FITS}. "
    "An interval is a t interval over {units}; its level, {level:.6g} %, is what the correction "
    "over all concepts of the list asks. A claim survives a choice that says the same beyond this "
    "interval. That a concept is as good as 0 is no claim here. Choices depend on each other: "
    "their share is no probability."
)


def offer(
    row: ConceptRow, asked: Asked, label: int | None, model: str, images: str, part: Part
) -> None:
    """Draw the folded question about a concept, and its answer once it is unfolded.

    ``label`` is the class whose images are asked about, None for all.
    """
    if row.n < 2:
        return
    folded(
        "Does it survive other choices?", icon=":material/alt_route:", key="concepts.choices",
        show=lambda: _show(row, asked, label, model, images, part),
    )  # fmt: skip


def _show(
    row: ConceptRow, asked: Asked, label: int | None, model: str, images: str, part: Part
) -> None:
    # Their code is not waited for on the first look.
    from pages._view.evidence import asks, choices, networks

    translators = networks.pick("concepts.translators", [model], images)
    try:
        if translators:
            networks.train([model], images)
        with st.spinner("Measuring every concept under every choice; thousands take a minute…"):
            found = asks.concept_claims(
                model, images, asked.parse(), label, bool(translators), part
            )
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        return
    claim = next(claim for claim in found if claim.concept == row.concept)
    st.markdown(f"**{in_words(choices.for_people(claim).sentence, 1000)}**")
    options = (("--class", claim.label), *asked.options(), ("--stratum", part.stratum))
    command = commands.of_set("multiverse", [model], images, options)
    choices.draw(
        claim,
        how=_HOW.format(level=100 * claim.level, units="classes" if label is None else "images"),
        command=command + networks.option(translators),
        page="concepts",
    )
