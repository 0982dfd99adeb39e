"""Tables whose cells say a number in words, and sort by the number all the same."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf, isnan, nan, nextafter
from typing import TYPE_CHECKING, Any

from pages._view.exports import frame_of
from pages._view.words.phrases import NOTHING, number

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

_CHAR_PX, _PADDING_PX = 6.5, 18
Rows = Sequence[Mapping[str, Any]]


def spoken_table(
    rows: Rows,
    *,
    spans: Mapping[str, tuple[str, str, str]] = {},
    numbers: Mapping[str, str] = {},
    words: Mapping[str, Callable[[str], str]] = {},
) -> "Styler":
    """Return the table of ``rows`` as it is shown.

    ``spans``: column to the columns of its interval's ends, and how all three are written; a cell
    reads ``0.166 [0.159, 0.172]``. ``numbers``: column to how it is written;
    every other number has as many digits as it needs, not the six that pandas fills with zeros.
    ``words``: column to what its values are called.
    """
    frame = frame_of(rows)
    shown: dict[str, Any] = {
        name: _writer("g") for name in frame.columns if frame[name].dtype.kind == "f"
    }
    shown |= {name: _writer(form) for name, form in numbers.items()} | dict(words)
    for name, (low, high, form) in spans.items():
        texts: dict[float, str] = {}
        values = []
        for row in rows:
            if row[name] is None:
                values.append(nan)
                continue
            value = float(row[name])
            text = span(value, row[low], row[high], form)
            while texts.get(value, text) != text:  # a cell is found by its number
                value = nextafter(value, inf)
            texts[value] = text
            values.append(value)
        frame[name] = values
        shown |= {name: _reader(texts), low: _writer(form), high: _writer(form)}
    return frame.style.format(shown)


def width_of(texts: Iterable[str], most: int) -> int:
    """Return the pixels of a column in which ``texts`` are read whole, at most ``most``.

    A table measures its first ten rows alone.
    """
    longest = max(map(len, texts), default=0)
    return min(most, round(_PADDING_PX + _CHAR_PX * longest))


def span(value: float, low: float | None, high: float | None, form: str) -> str:
    """Return ``0.166 [0.159, 0.172]``, or the number alone where it has no interval.

    Of shares the sign of per cent is written once: ``34.4 % [30.9, 37.8]``.
    """
    if low is None or high is None or isnan(low) or isnan(high):
        return number(value, form)
    least, most = (number(end, form).removesuffix(" %") for end in (low, high))
    return f"{number(value, form)} [{least}, {most}]"


def _writer(form: str):  # noqa: ANN202 - a function from a cell to its text
    return lambda value: NOTHING if value is None or isnan(value) else number(value, form)


def _reader(texts: Mapping[float, str]):  # noqa: ANN202
    return lambda value: texts.get(value, NOTHING)
