"""Does what is said of the chosen class survive other choices? Asked once somebody unfolds it."""

import streamlit as st

from pages._view import commands
from pages._view.folded import folded
from pages._view.tables.opened import Part
from pages._view.words.phrases import in_words
from pages._view.words.varied import VARIED_FITS
from sing_core.errors import SingError
from sing_core.leakage.classes import ClassRow

_HOW = (
    "The claim is the verdict above: the own name beside the names of all classes, not AS. Every "
    "other combination of choices measures it anew: kinds of images of which the class has at "
    "least two, raw and centred angles, each reference that this machine has a translator into, "
    f"{VARIED_FITS}. An interval covers both the spread of the class’s images and that of other "
    "classes’ names in place of its own; its level, {level:.6g} %, is what the correction over all "
    "classes of the table asks. A claim survives a choice that says the same beyond this interval. "
    "Choices depend on each other: their share is no probability."
)


def offer(row: ClassRow, model: str, images: str, part: Part) -> None:
    """Draw the folded question about a class, and its answer once it is unfolded."""
    folded(
        "Does it survive other choices?", icon=":material/alt_route:", key="classes.choices",
        show=lambda: _show(row, model, images, part),
    )  # fmt: skip


def _show(row: ClassRow, model: str, images: str, part: Part) -> None:
    # Their code is not waited for on the first look.
    from pages._view.evidence import asks, choices, networks

    translators = networks.pick("classes.translators", [model], images)
    try:
        if translators:
            networks.train([model], images)
        with st.spinner("Measuring under every choice; a set of thousands takes some seconds…"):
            claim = asks.class_claim(model, images, row.index, bool(translators), part)
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.markdown(f"**{in_words(choices.for_people(claim).sentence, 1000)}**")
    options = (("--class", row.label), ("--stratum", part.stratum))
    command = commands.of_set("multiverse", [model], images, options)
    choices.draw(
        claim,
        how=_HOW.format(level=100 * claim.level),
        command=command + networks.option(translators),
        page="classes",
    )
