"""Sentences that are put together: one and many, and typed text that stays text."""

import re

import pytest

from pages._view.words.phrases import (
    be,
    count,
    degrees,
    in_words,
    interval,
    number,
    percent,
    size,
)
from sing_core.leakage.phrases import unmarked
from sing_core.maths.statistics import Interval


def test_one_and_many():
    assert [count(n, "class") for n in (0, 1, 1200)] == ["0 classes", "1 class", "1,200 classes"]
    assert count(2, "concept") == "2 concepts"
    assert [be(n) for n in (0, 1, 2)] == ["are", "is", "are"]


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.5234, 2, "0.52"), (0.2, 1, "0.2"), (5.2e-16, 2, "5.2 × 10⁻¹⁶"), (8.4e-7, 1, "8 × 10⁻⁷"),
        (0.0, 2, "0"), (1234.4, 2, "1,234"), (0.001, 2, "0.001"), (0.00094, 1, "9 × 10⁻⁴"),
    ],
)  # fmt: skip
def test_a_size_is_a_plain_decimal_until_it_is_tiny(value, digits, text):
    assert size(value, digits) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.711, "71 %"), (0.0051, "1 %"), (0.0049, "< 1 %"), (1e-9, "< 1 %"), (0.0, "0 %")],
)
def test_what_is_there_is_not_said_to_be_nothing(share, text):
    assert percent(share) == text


@pytest.mark.parametrize("text", ["$x$", "**x**", "<b>x</b>", "![](http://x)", "`x`", ":red[x]"])
def test_typed_text_has_no_markup_left(text):
    shown = in_words(text)
    for place, letter in enumerate(shown):
        if letter in "$*<>[]()`!":
            assert shown[place - 1] == "\\"
    assert shown.replace("\\", "").replace("\u2060", "") == text


def test_long_text_is_cut():
    assert in_words("a" * 50) == "a" * 33 + "…"


@pytest.mark.parametrize(
    "typed", [":smile:", "https://a.b/c_d", "[a](http://b)", "mine@disk.safetensors", "www.a.de"]
)
def test_what_streamlit_would_draw_as_something_else_stays_text(typed):
    words = in_words(typed)
    assert not re.search(r":[\w+-]+:|://|@\w|www\.", words)
    assert words.replace("\\", "").replace("\u2060", "") == typed


def test_a_clock_and_a_hub_name_have_nothing_hidden_in_them():
    assert "\u2060" not in in_words("12:30, hf-hub:owner/name")


def test_a_number_has_the_minus_of_prose_and_nothing_has_none():
    assert [number(value, "+.1f") for value in (-2.26, -0.04, 0.0)] == ["−2.3", "+0.0", "+0.0"]
    assert [number(value, ".2f") for value in (-0.5, -0.001)] == ["−0.50", "0.00"]
    assert degrees(-0.0001) == "+0.000°"
    assert interval(Interval(-0.0001, -0.2, 0.1, 5)) == "0.000° (95 %: −0.200° to 0.100°)"


@pytest.mark.parametrize("typed", ["a*b", "**bold**", "back\\slash", ":smile: at mine@disk", "x_y"])
def test_a_terminal_shows_what_was_typed_and_no_signs_for_bold(typed):
    assert unmarked(f"**Two** turn towards {in_words(typed)}.") == f"Two turn towards {typed}."
