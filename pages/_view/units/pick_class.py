"""The choice of images of a prepared set, which the questions about a null space share."""

from typing import NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import loaders, pickers, state
from pages._view.tables import pick_images
from pages._view.units.scene import pick_variant
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant

# A class takes seconds, all images of the set half a minute. Of the classes with sixteen images it
# is the one of whose first component texts leave least (EfficientNet-Lite0, mini).
FIRST = "sports car"
SHIPPED = "embedded"


class PartAsked(NamedTuple):
    """What is asked of a set of images.

    Attributes:
        images: the set.
        model: whose null space is meant; ``variant`` what of its head decides.
        class_name: the class that is asked about, "" for all images.
    """

    images: str
    model: str
    class_name: str
    variant: HeadVariant = WHOLE_HEAD


def pick_part(answer: DeltaGenerator) -> PartAsked:
    """Draw the choices of a set, a classifier, a class and what decides; return them."""
    left, middle, right = st.columns(3)
    with left:
        images = pick_images.pick_set("units")
    with middle:
        model = pickers.pick_model("units")
    with right:
        name = _pick_class(images)
    return PartAsked(images, model, name, pick_variant(answer, model))


def _pick_class(images: str) -> str:
    labels = loaders.class_labels()
    default = FIRST if images == SHIPPED else ""
    state.receive("class", "units.class", default, ["", *labels].__contains__, "a class")
    name = st.selectbox(
        "Class", ["", *labels], format_func=lambda label: label or "all images",
        key="units.class", persist_state="session",
    )  # fmt: skip
    state.publish("class", name or "", default)
    return name or ""
