"""What the questions about one photo have in common: photo, network, reference, prompt."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import loaders, pickers, state
from pages._view.explore import head_choice, uploads
from pages._view.words.units import UNIT_HELP
from sing_core.files.images import Photo
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant
from sing_core.models.prompts import spoken_prompt
from sing_core.models.registry import ModelEntry
from sing_core.units import towers

OWN = "mini-vit"
DECIDES = head_choice.Place("units", "decide")
_FIRST = "vits"  # its hidden part is not one of its own words, as that of OWN by definition is
_OWN_TITLE = "{reference}, its own words as head"
_THE_CLASS = "the class that is read"
FILE = "photo.jpg"  # what a command calls the photo on screen


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What is asked about one photo.

    Attributes:
        photo: it.
        model: the classifier that is taken apart; "" for the reference's own image side.
        reference: whose words are meant, with its reading.
        prompt: the text; "" for the class that is read.
        variant: what of the head decides; the whole of it stands for the sixteen classes that it
            ranks first where it hides nothing.
    """

    photo: Photo
    model: str
    reference: str
    prompt: str
    variant: HeadVariant = WHOLE_HEAD

    def command(self, verb: str, options: Iterable[tuple[str, str]] = ()) -> str:
        """Return the command that prints the same; options without a text are left out."""
        return self._command(f"{verb} {FILE}", options)

    def deciding_command(self, verb: str, options: Iterable[tuple[str, str]] = ()) -> str:
        """Return the same for a command that also asks what of the head decides."""
        return " ".join([self.command(verb, options), *self.variant.options])

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
    is_own, reference = network in own_networks(), network
    if not is_own:
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
    return Asked(photo, "" if is_own else network, reference, prompt)


def pick_deciding(answer: DeltaGenerator) -> Asked | None:
    """Draw the choices of ``pick``, and that of what of the head decides; return what is asked."""
    asked = pick(answer)
    if asked is None:
        return None
    return replace(asked, variant=pick_variant(answer, asked.model))


def pick_variant(answer: DeltaGenerator, model: str) -> HeadVariant:
    """Draw what of a head decides, folded away; return it. ``model`` "": the reference's words.

    What is wrong with it is said in ``answer`` too.
    """
    with st.popover("What decides", icon=":material/tune:", key="units.decides"):
        labels = None if model else loaders.class_labels
        variant = head_choice.pick_variant(model, DECIDES, labels)
    if fault := st.session_state[DECIDES.key("head_fault")]:
        answer.error(fault, icon=":material/error:")
    return variant


def own_networks() -> dict[str, str]:
    """Return the references whose own image side can be taken apart, by name; the first is OWN."""
    bench = loaders.bench()
    others = {
        name: title
        for name, title in loaders.references().items()
        if name != OWN and towers.is_additive(bench, name)
    }
    return {
        name: _OWN_TITLE.format(reference=title) for name, title in ({OWN: OWN} | others).items()
    }


def _pick_network() -> str:
    """Draw the choice of a transformer; a link may name any classifier, to be told why not."""
    entries, own = loaders.models(), own_networks()
    offered = [*own, *(name for name, entry in entries.items() if _is_a_sum(entry))]
    known = {*own, *entries}
    state.receive("network", "units.network", _FIRST, known.__contains__, "a network")
    chosen = st.session_state["units.network"]
    if chosen not in offered and chosen in entries:
        offered.append(chosen)
    if chosen not in known:  # it was unloaded meanwhile
        st.session_state["units.network"] = _FIRST
    found = st.selectbox(
        "Network",
        offered,
        format_func=lambda name: entries[name].title if name in entries else own[name],
        key="units.network",
        persist_state="session",
        help=UNIT_HELP["network"],
    )
    state.publish("network", found or _FIRST, _FIRST)
    return found or _FIRST


def is_transformer(entry: ModelEntry) -> bool:
    """Whether a classifier's network is a transformer: its tokens have places on the photo.

    Of a typed name, which tells no architecture, the network in memory is asked.
    """
    if entry.architecture:
        return towers.is_called_transformer(entry.architecture)
    return towers.is_transformer(loaders.bench().pool.backbone(entry.name).network)


def _is_a_sum(entry: ModelEntry) -> bool:
    """Whether its feature may be a sum of units: a head of its own reads two of them at once."""
    return is_transformer(entry) and not entry.head_repository


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
