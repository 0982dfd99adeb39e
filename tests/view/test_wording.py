"""Sentences that are put together: one and many, and typed text that stays text."""

import pytest

from pages._view.wording import be, count, in_words


def test_one_and_many():
    assert [count(n, "class") for n in (0, 1, 1200)] == ["0 classes", "1 class", "1,200 classes"]
    assert count(2, "concept") == "2 concepts"
    assert [be(n) for n in (0, 1, 2)] == ["are", "is", "are"]


@pytest.mark.parametrize("text", ["$x$", "**x**", "<b>x</b>", "![](http://x)", "`x`", ":red[x]"])
def test_typed_text_has_no_markup_left(text):
    shown = in_words(text)
    for place, letter in enumerate(shown):
        if letter in "$*<>[]()`!":
            assert shown[place - 1] == "\\"
    assert shown.replace("\\", "") == text


def test_long_text_is_cut():
    assert in_words("a" * 50) == "a" * 33 + "…"
