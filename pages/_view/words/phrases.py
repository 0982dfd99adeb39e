"""Words of sentences that are put together: one or many, an interval, what a person typed."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sing_core.maths.statistics import Interval

FEW = 5
NOTHING = "–"  # where a table has no value
FEW_SCORES = (
    " A test of fewer than 5 scores stands on their being normally distributed: take it as a hint."
)
# What Streamlit turns into emoji, links and addresses even where Markdown's own signs are escaped.
_SHORTCUTS = re.compile(r":(?=[\w+-]+:|//)|@(?=\w)|(?<=\bwww)(?=\.)", re.IGNORECASE)
_JOINER = "\u2060"  # nothing to see; between two signs it keeps them two
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!$~<>|])")


def count(number: int, noun: str) -> str:
    """Return ``1 class``, ``2 classes``."""
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"


def be(number: int) -> str:
    """Return ``is`` for one thing, else ``are``."""
    return "is" if number == 1 else "are"


def interval(found: "Interval", *, signed: bool = False) -> str:
    """Return an estimate with its 95 % interval in degrees."""
    form = "+.3f" if signed else ".3f"
    if found.low is None or found.high is None:
        return f"{found.estimate:{form}}° (no interval from one class)"
    return f"{found.estimate:{form}}° (95 %: {found.low:{form}}° to {found.high:{form}}°)"


def in_words(text: str, length: int = 34) -> str:
    """Return what somebody typed for a sentence in Markdown: shortened, and nothing but text."""
    short = text if len(text) <= length else text[: length - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", _SHORTCUTS.sub(rf"\g<0>{_JOINER}", short))
