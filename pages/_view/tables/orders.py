"""Compare's folded question: does the order of the classifiers hold in other references?"""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from pages._view import commands, loaders
from pages._view.folded import folded
from pages._view.tables import asks
from pages._view.tables.opened import Part
from pages._view.words.phrases import in_words, interval
from sing_core.errors import SingError
from sing_core.leakage.orders import Order, sentence

_Options = Sequence[tuple[str, str]]
_HOW = (
    "Mean |AS| of the classifiers that have a null space, in each image–text space that has scores "
    "of them all; place 1 leaks most. A pair counts as ordered where its difference on the same "
    "images is decided, corrected for all pairs, and says the same for each kind of images. A "
    "classifier on whose own image tower a reference is built is listed and never judged in it."
)


def offer(models: list[str], images: str, part: Part, options: _Options) -> None:
    """Draw the folded question, and its answer once it is unfolded."""
    folded(
        "Does the order hold in another image–text space?",
        icon=":material/compare_arrows:", key="compare.orders",
        show=lambda: _show(models, images, part, options),
    )  # fmt: skip


def _show(models: list[str], images: str, part: Part, options: _Options) -> None:
    try:
        with st.spinner("Comparing in every reference…"):
            found = asks.order_rows(models, images, part)
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        return
    titles = loaders.titles()
    found = tuple(
        replace(order, reference=loaders.reference_title(order.reference)) for order in found
    )
    st.markdown(f"**{in_words(sentence(found, titles.__getitem__), 1000)}**")
    st.dataframe(_cells(found, titles), hide_index=True, key="compare.orders_table")
    st.caption(_HOW)
    command = commands.of_set("compare", models, images, options)
    st.caption(f"The same: `{command} --across-references`")


def _cells(found: Sequence[Order], titles: dict[str, str]) -> list[dict[str, str]]:
    """Return a row a classifier with a null space: place and mean in every reference."""
    return [
        {"classifier": titles[model]} | {order.reference: _cell(order, model) for order in found}
        for model in found[0].models
    ]


def _cell(order: Order, model: str) -> str:
    place = order.place(model)
    start = "its own tower, not judged" if place is None else f"place {place}"
    return f"{start}: {interval(order.mean(model))}"
