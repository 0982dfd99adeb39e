"""What the questions about one photo have in common: photo, network, reference, prompt."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import loaders, pickers, state
from pages._view.explore import uploads
from pages._view.words.units import UNIT_HELP
from sing_core.files.images import Photo
from sing_core.models.prompts import spoken_prompt
from sing_core.models.registry import ModelEntry

OWN = "mini-vit"
_FIRST = "vits"  # its hidden part is not one of its own words, as that of OWN by definition is
_OWN_TITLE = "mini-vit, its own words as head"
_THE_CLASS = "the class that is read"
_TRANSFORMERS = ("vit", "eva")
FILE = "photo.jpg"  # what a command calls the photo on screen


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is asked about one photo.

    Attributes:
        photo: it.
        model: the classifier that is taken apart; "" for the reference's own image side.
        reference: whose words are meant, with its reading.
        prompt: the text; "" for the class that is read.
    """

    photo: Photo
    model: str
    reference: str
    prompt: str

    def command(self, verb: str, options: Iterable[tuple[str, str]] = ()) -> str:
        """Return the command that prints the same; options without a text are left out."""
        return self._command(f"{verb} {FILE}", options)

    def command_of_set(self, verb: str, options: Iterable[tuple[str, str]] = ()) -> str:
        """Return the command that asks the same of a set of images."""
        return self._command(verb, options)

    def _command(self, verb: str, options: Iterable[tuple[str, str]]) -> str:
        asked = (
            ("--reference", "" if self.reference == OWN else self.reference),
            ("--model", self.model),
            *options,
        )
        words = [f"{name} {shlex.quote(text.replace(chr(0), ' '))}" for name, text in asked if text]
        return " ".join([f"python -m sing_core {verb}", *words])

    @property
    def prompt_option(self) -> tuple[str, str]:
        """The prompt as an option of a command."""
        return "--prompt", self.prompt


def pick(answer: DeltaGenerator) -> Asked | None:
    """Draw the choices; return what is asked, None after saying in ``answer`` why nothing is."""
    left, middle, right = st.columns((1.0, 1.0, 1.5), vertical_alignment="bottom")
    with left:
        photo = uploads.pick_photo(answer)
    with middle:
        network = _pick_network()
    with right:
        prompt = _pick_prompt()
    reference = OWN
    if network != OWN:
        reference = pickers.pick_reference()
    if photo is None:
        answer.info("Choose a sample or upload a photo to begin.", icon=":material/image:")
        return None
    if not isinstance(photo, Photo):
        answer.info(
            "The set holds this image’s feature, not the photo: units can only be asked of pixels. "
            "Choose a sample or upload a photo.",
            icon=":material/image:",
        )
        return None
    for note in photo.notes:
        st.caption(f"The photo: {note}")
    return Asked(photo, "" if network == OWN else network, reference, prompt)


def _pick_network() -> str:
    """Draw the choice of a transformer; a link may name any classifier, to be told why not."""
    entries = loaders.models()
    offered = [OWN, *(name for name, entry in entries.items() if is_transformer(entry))]
    state.receive("network", "units.network", _FIRST, {OWN, *entries}.__contains__, "a network")
    chosen = st.session_state["units.network"]
    if chosen not in offered and chosen in entries:
        offered.append(chosen)
    found = st.selectbox(
        "Network",
        offered,
        format_func=lambda name: entries[name].title if name in entries else _OWN_TITLE,
        key="units.network",
        persist_state="session",
        help=UNIT_HELP["network"],
    )
    state.publish("network", found or _FIRST, _FIRST)
    return found or _FIRST


def is_transformer(entry: ModelEntry) -> bool:
    """Whether a classifier's network is one whose output may be a sum over tokens."""
    return any(part in entry.architecture.casefold() for part in _TRANSFORMERS)


def _pick_prompt() -> str:
    state.receive("prompt", "units.prompt", "", state.fits, "a prompt")
    chosen: str | None = st.selectbox(
        "Prompt",
        ["", *(spoken_prompt(label) for label in loaders.class_labels())],
        format_func=lambda text: text or _THE_CLASS,
        key="units.prompt",
        accept_new_options=True,
        persist_state="session",
        help=UNIT_HELP["prompt"],
    )
    state.publish("prompt", chosen or "", "")
    return chosen or ""
