"""Are there real equivalents? Photographs near in logits and far apart in the null space."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.elements.lib.column_types import ColumnConfig

from pages._view import commands, exports, loaders
from pages._view.evidence import asks, kinds
from pages._view.tables import originals
from pages._view.tables.opened import Part
from pages._view.words.phrases import in_words
from sing_core.leakage.real_pairs import RealPair

_SHOWN = 12
_TABLE = 200
_HOW = (
    "An image has one that nearly agrees if the nearest in logits is within a tenth of what is "
    "usual between two images of the set. A pair is, of the ten whose logits are nearest to an "
    "image’s own, the one whose null part is farthest away; distances are exact, in units of what "
    "is usual. "
    "“Swapped” is what the other’s null part does inside the image’s own feature: it keeps every "
    "logit, and is the only exact equivalent here. Two real images also differ in what decides."
)


def choose(model: str, images: str) -> Part:
    """Draw of which kind of images; return what is asked of."""
    return kinds.pick(model, images)


def show(answer: DeltaGenerator, model: str, images: str, part: Part) -> None:
    """Find and draw the real equivalents of a set.

    Raises:
        SingError: see ``asks.real_pairs``.
    """
    with st.spinner("Measuring every two images; a set of thousands takes some seconds…"):
        found = asks.real_pairs(model, images, part)
    answer.markdown(f"**{found.sentence}**")
    kinds.show_note(model, images, part, found.stratum)
    st.markdown(
        f"{found.meaning} Null removal keeps {100 * found.kept:.0f} % of the ten images that are "
        f"nearest to a translated feature. {100 * found.same_class:.0f} % of the pairs are of one "
        f"class; two images at random are {found.usual_angle:.0f}° apart."
    )
    labels = loaders.bench().vocabulary(loaders.reference()).labels
    _show_pictures(images, found.rows[:_SHOWN], labels)
    rows = [pair.as_row(labels) for pair in found.rows]
    st.dataframe(
        rows[:_TABLE],
        hide_index=True,
        column_order=["name", "label", "other", "other_label", "logit_distance", "null_distance",
                      "angle", "swapped"],
        column_config=_columns(),
        key="evidence.pairs_table",
    )  # fmt: skip
    st.caption(_HOW)
    if len(rows) > _TABLE:
        st.caption(f"The first {_TABLE} of {len(rows):,} pairs; the files hold all.")
    options = [("--top", str(len(rows))), ("--stratum", part.stratum)]
    command = commands.of_set("real-pairs", [model], images, options)
    exports.offer_table("evidence.pairs", rows, command)


def _columns() -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    return {
        "name": st.column_config.TextColumn("image"),
        "label": st.column_config.TextColumn("class"),
        "other": st.column_config.TextColumn("its equivalent"),
        "other_label": st.column_config.TextColumn("class of that"),
        "logit_distance": number("apart in logits", format="%.2f"),
        "null_distance": number("apart in the null space", format="%.2f"),
        "angle": number("angle °", format="%.1f"),
        "swapped": number("swapped °", format="%.1f"),
    }


def _show_pictures(images: str, pairs: tuple[RealPair, ...], labels: tuple[str, ...]) -> None:
    """Draw the photographs of the first pairs, where they are on this machine."""
    if not originals.are_here(images):
        st.caption(
            f"The photographs of the set {in_words(images, 64)} are not on this machine: the table "
            "names them."
        )
        return
    wanted = [{"row": pair.row, "digest": pair.digest} for pair in pairs]
    wanted += [{"row": pair.other_row, "digest": pair.other_digest} for pair in pairs]
    copies = originals.small_copies(images, wanted)
    columns = st.columns(4)
    for place, pair in enumerate(pairs):
        with columns[place % 4], st.container(border=True):
            left, right = st.columns(2)
            for column, row, label in (
                (left, pair.row, pair.label), (right, pair.other_row, pair.other_label),
            ):  # fmt: skip
                with column:
                    if row in copies:
                        st.image(copies[row], caption=labels[label])
                    else:
                        st.caption(f"{in_words(labels[label])}: the photograph is not there.")
            st.caption(
                f"{pair.logit_distance:.2f} apart in logits, {pair.null_distance:.2f} in the null "
                f"space; swapped {pair.swapped:.1f}°"
            )
