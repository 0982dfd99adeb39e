"""Words of sentences that are put together: one or many, an interval, what a person typed."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sing_core.maths.statistics import Interval

FEW = 5
MINUS = "−"
_PLAIN_FROM, _WHOLE_FROM = 1e-3, 10
_PERCENT_FROM = 0.005
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NOTHING = "–"  # where a table has no value
FEW_SCORES = (
    " A test of fewer than 5 scores stands on their being normally distributed: take it as a hint."
)
# What Streamlit turns into emoji, links and addresses even where Markdown's own signs are escaped.
_SHORTCUTS = re.compile(r":(?=[\w+-]+:|//)|@(?=\w)|(?<=\bwww)(?=\.)", re.IGNORECASE)
_JOINER = "\u2060"  # nothing to see; between two signs it keeps them two
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!$~<>|])")
_MARKED = re.compile(r"\*\*|\\(.)")


def count(number: int, noun: str) -> str:
    """Return ``1 class``, ``2 classes``."""
    ending = "" if number == 1 else "es" if noun.endswith("s") else "s"
    return f"{number:,} {noun}{ending}"


def be(number: int) -> str:
    """Return ``is`` for one thing, else ``are``."""
    return "is" if number == 1 else "are"


def listed(names: "Sequence[str]") -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def interval(found: "Interval", *, signed: bool = False) -> str:
    """Return an estimate with its 95 % interval in degrees."""
    form = "+.3f" if signed else ".3f"
    estimate = f"{number(found.estimate, form)}°"
    if found.low is None or found.high is None:
        return f"{estimate} (no interval from one class)"
    return f"{estimate} (95 %: {number(found.low, form)}° to {number(found.high, form)}°)"


def degrees(value: float, digits: int = 3) -> str:
    """Return a signed number of degrees, with the minus that prose has."""
    return f"{number(value, f'+.{digits}f')}°"


def number(value: float, form: str) -> str:
    """Return a number, written as ``form`` says, with the minus that prose has; 0 has no minus.

    Between a number and its per cent stands a space, as in every sentence.
    """
    sign, rest = ("+", form[1:]) if form.startswith("+") else ("", form)
    return f"{float(value):{sign}z{rest}}".replace("-", MINUS).replace("%", " %")


def size(value: float, digits: int = 2) -> str:
    """Return how large something is that may be tiny: ``0.52``, and ``5.2 × 10⁻¹⁶`` below 0.001."""
    if value == 0 or abs(value) >= _PLAIN_FROM:
        return number(value, f".{digits}g" if abs(value) < _WHOLE_FROM else ",.0f")
    digits_, power = f"{value:.{digits - 1}e}".split("e")
    return f"{number(float(digits_), f'.{digits - 1}f')} × 10{str(int(power)).translate(_RAISED)}"


def percent(share: float) -> str:
    """Return a share as ``71 %``; of what is there, but less than half a per cent, ``< 1 %``."""
    return "< 1 %" if 0 < share < _PERCENT_FROM else f"{share:.0%}".replace("%", " %")


def in_words(text: str, length: int = 34) -> str:
    """Return what somebody typed for a sentence in Markdown: shortened, and nothing but text."""
    short = text if len(text) <= length else text[: length - 1] + "…"
    return _MARKDOWN.sub(r"\\\1", _SHORTCUTS.sub(rf"\g<0>{_JOINER}", short))


def unmarked(text: str) -> str:
    """Return a sentence that was made for Markdown as a terminal shows it: no signs for bold."""
    return _MARKED.sub(lambda found: found[1] or "", text).replace(_JOINER, "")
