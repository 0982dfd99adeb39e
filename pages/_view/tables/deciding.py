"""Which logits decide on Compare: all of each head, or those of the same classes for every one."""

from dataclasses import dataclass
from typing import NoReturn

import streamlit as st

from pages._view import loaders, state
from pages._view.tables import asks
from pages._view.words.help import HELP
from pages._view.words.phrases import be, count
from sing_core.errors import SingError
from sing_core.leakage.variant_scores import SEVERAL
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant

_FIRST_CLASSES = "0-199"
_MOST_CHARS = 1_000
_DIMENSIONS = {"own": "each its own", "equal": "as many for each"}


@dataclass(frozen=True, slots=True)
class Deciding:
    """What was chosen.

    Attributes:
        text: as links and the command line have it; "" for the whole heads.
        part: the null space that is asked of every classifier.
    """

    text: str
    part: asks.Part

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """The options of the command line that ask for it."""
        dimension = self.part.dimension
        return (
            ("--classes", self.text),
            ("--dimension", str(dimension) if dimension else ""),
            ("--stratum", self.part.stratum),
        )


def pick_deciding(models: list[str], images: str, stratum: str) -> Deciding:
    """Draw both choices; return them, or stop with what is wrong with the classes."""
    try:
        left, right = st.columns(2)
        with left:
            text = _pick_classes(len(asks.repeated_classes(models[0], images)))
        variant = (
            HeadVariant(asks.deciding_classes(models[0], images, text)) if text else WHOLE_HEAD
        )
        with right:
            equal = _pick_dimensions() == "equal"
        dimension = asks.common_dimension(models, images, variant) if equal else None
    except SingError as error:
        _stop(str(error))
    return Deciding(text, asks.Part(variant, dimension, stratum))


def _pick_dimensions() -> str:
    key = "compare.dimensions"
    state.receive("dimensions", key, "own", _DIMENSIONS.__contains__, "a choice of dimensions")
    kind = st.selectbox(
        "Null dimensions", list(_DIMENSIONS), format_func=_DIMENSIONS.__getitem__, key=key,
        persist_state="session", help=HELP["dimensions"],
    )  # fmt: skip
    state.publish("dimensions", kind, "own")
    return kind


def _pick_classes(repeated: int) -> str:
    """Draw which classes decide; return them as a link has them, "" for the whole heads."""
    kinds = {"whole": "all of each head"}
    if repeated:
        kinds["several"] = f"the {count(repeated, 'class')} with several images in this set"
    kinds["chosen"] = "these classes…"
    _follow_link(has_several=repeated > 0)
    kind = st.selectbox(
        "Which logits decide", list(kinds), format_func=kinds.__getitem__,
        key="compare.deciding", persist_state="session", help=HELP["deciding"],
    )  # fmt: skip
    text = {"whole": "", "several": SEVERAL}.get(kind)
    if text is None:
        text = st.text_input(
            "Classes that decide", key="compare.classes", persist_state="session",
            max_chars=_MOST_CHARS, help="Numbers, ranges and names, with commas: 0-199, jellyfish.",
        )  # fmt: skip
    st.session_state["compare.deciding_text"] = text
    st.session_state["compare.deciding_shown"] = text
    state.publish("classes", text, "")
    return text if kind == "whole" else text or " "  # an empty list of classes is one, and wrong


def _follow_link(*, has_several: bool) -> None:
    """Set both widgets from the link, where it says something new."""
    state.receive(
        "classes", "compare.deciding_text", "",
        lambda text: has_several or text != SEVERAL, "deciding classes",
    )  # fmt: skip
    linked = st.session_state["compare.deciding_text"]
    st.session_state.setdefault("compare.classes", _FIRST_CLASSES)
    if st.session_state.get("compare.deciding_shown") != linked:
        kind = {"": "whole", SEVERAL: "several"}.get(linked, "chosen")
        st.session_state["compare.deciding"] = kind
        if kind == "chosen":
            st.session_state["compare.classes"] = linked
    state.reassert("compare.deciding", "compare.classes")
    if st.session_state.get("compare.deciding") == "several" and not has_several:
        st.session_state["compare.deciding"] = "whole"  # the set was changed meanwhile


def score(models: list[str], images: str, deciding: Deciding) -> None:
    """Compute the scores that are not there yet, with a bar; they are kept for the next time.

    Raises:
        SingError: see ``under``.
    """
    place = st.empty()
    for model in models:
        title = loaders.models()[model].title

        def report(done: int, total: int, title: str = title) -> None:
            text = f"{title}: {done:,} of {count(total, 'image')} scored; kept for the next time."
            place.progress(done / total, text)

        asks.score_under(model, images, deciding.part, report)
    place.empty()


def show_note(deciding: Deciding) -> None:
    """Say which classes decide, and which images count therefore."""
    if chosen := len(deciding.part.variant.classes):
        st.caption(
            f"{count(chosen, 'class')} {be(chosen)} asked, the same of every classifier: a null "
            "space is what their logits do not read, and only images of these classes count."
        )
    if dimension := deciding.part.dimension:
        st.caption(
            f"No null space has more than {count(dimension, 'dimension')} here: larger ones are "
            "cut to the directions that hold most of these images."
        )


def _stop(message: str) -> NoReturn:
    state.write_url()
    st.error(message, icon=":material/error:")
    st.stop()
