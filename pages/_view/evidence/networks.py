"""Whether non-linear translators are among the choices: asked, and trained where they are not."""

from collections.abc import Sequence

import streamlit as st

from pages._view.tables.opened import opened
from sing_core.errors import SingError
from sing_core.leakage.set_networks import SPOKEN, networks_state, train_networks

LINEAR, ALL_KINDS = "", "networks"
OFFERED = (LINEAR, ALL_KINDS)
_SPOKEN = {LINEAR: "linear", ALL_KINDS: "linear and non-linear"}
_COSTS = "linear and non-linear (trained first: minutes)"
_HELP = (
    "Non-linear: three networks translate in place of the linear map. Each is trained on this set "
    "in five parts, and an image is translated by the one that never saw it."
)


def pick(key: str, models: Sequence[str], images: str) -> str:
    """Draw which translators are choices, with what they cost, and return one of ``OFFERED``."""
    try:
        missing = not are_trained(models, images)
    except SingError:  # said where the numbers would be
        missing = False
    words = _SPOKEN | ({ALL_KINDS: _COSTS} if missing else {})
    return st.selectbox(
        "Translators", OFFERED, format_func=words.__getitem__, help=_HELP, key=key, width=360,
        persist_state="session",
    )  # fmt: skip


def are_trained(models: Sequence[str], images: str) -> bool:
    """Return whether nothing has to be trained.

    Raises:
        SingError: see ``open_set``.
    """
    return all(all(networks_state(opened(model, images))) for model in models)


def train(models: Sequence[str], images: str) -> None:
    """Train what is missing, under a bar.

    Raises:
        SingError: see ``train_networks``.
    """
    if are_trained(models, images):
        return
    sets = [opened(model, images) for model in models]
    bar = st.progress(0.0, "Training…")
    try:
        for scored in sets:

            def progress(name: str, done: int, whole: int, model: str = scored.model) -> None:
                bar.progress(done / whole, f"Training {SPOKEN[name]} for {model}…")

            train_networks(scored, progress)
    finally:
        bar.empty()


def option(chosen: str) -> str:
    """Return what a command ends with that asks the same."""
    return " --networks" if chosen else ""
