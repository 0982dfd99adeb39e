"""The controls of the Explore page; every one is bound to the URL and explained by ``HELP``."""

import streamlit as st

from pages._view import loaders, state
from pages._view.texts import HELP
from sing_core.prompts import class_prompt

DEFAULT_PROMPT = "an image of a jellyfish"
DEFAULT_TARGET_DEG = 40.0
MODES = {"steer": "Steer towards a prompt", "remove": "Remove the null part"}


def pick_model() -> str:
    """Draw the classifier picker; return its name."""
    entries = loaders.models()
    state.check_link("model", entries, "a classifier")
    chosen: str = st.selectbox(
        "Classifier",
        list(entries),
        format_func=lambda name: entries[name].title,
        key="model",
        bind="query-params",
        help="ImageNet-1k classifiers whose last layer is split into what it reads and what not.",
    )
    return chosen


def pick_mode() -> str:
    """Draw the mode switch; return ``steer`` or ``remove``."""
    state.check_link("mode", MODES, "a mode")
    chosen: str = st.segmented_control(
        "What to do inside the null space",
        list(MODES),
        format_func=MODES.__getitem__,
        default="steer",
        required=True,
        key="mode",
        bind="query-params",
        help=HELP["mode"],
        width="stretch",
    )
    return chosen


def pick_prompt(labels: tuple[str, ...]) -> str:
    """Draw the prompt box, searchable over ``labels`` and open for free text; return the text."""
    options = [class_prompt(label) for label in labels]
    chosen: str | None = st.selectbox(
        "Prompt",
        options,
        index=options.index(DEFAULT_PROMPT),
        key="prompt",
        bind="query-params",
        accept_new_options=True,
        placeholder="Search the 1,000 classes or type your own words",
        help=HELP["prompt"],
    )
    return chosen or ""


def pick_target() -> float:
    """Draw the wanted image score; return degrees."""
    return st.number_input(
        "Go to IS =",
        min_value=1.0,
        max_value=170.0,
        value=DEFAULT_TARGET_DEG,
        step=5.0,
        format="%.0f",
        key="is",
        bind="query-params",
        help=HELP["target"],
    )
