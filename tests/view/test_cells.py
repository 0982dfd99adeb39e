"""Cells that say a number with its interval, in words, and sort by the number."""

import math
import re

import pytest

from pages._view.tables.cells import span, spoken_table, width_of

ROWS = [
    {"class": "a", "mean": 0.166, "low": 0.159, "high": 0.172, "other": -0.5},
    {"class": "b", "mean": -0.1, "low": None, "high": None, "other": None},
    {"class": "c", "mean": 0.166, "low": 0.1, "high": 0.2, "other": 0.25},
]


def shown(rows):
    table = spoken_table(rows, spans={"mean": ("low", "high", ".3f")}, numbers={"other": "+.1f"})
    return table.data, re.findall(r">\s*([^<>]+?)\s*</td>", table.to_html())


def test_a_cell_says_the_number_and_its_interval():
    frame, texts = shown(ROWS)
    for text in ("0.166 [0.159, 0.172]", "0.166 [0.100, 0.200]", "−0.100", "−0.5", "+0.2", "–"):
        assert text in texts
    assert frame["mean"].tolist() == pytest.approx([0.166, -0.1, 0.166], abs=1e-12)
    assert frame["low"].tolist()[0] == 0.159


def test_a_cell_without_a_number_is_a_dash():
    frame, texts = shown([*ROWS, {"class": "d", "mean": None, "low": None, "high": None}])
    assert math.isnan(frame["mean"].tolist()[-1])
    assert texts.count("–") == 7, "the ends of intervals that are folded away, too"


def test_there_is_no_interval_where_one_end_is_missing():
    assert span(0.5, None, 0.6, "+.2f") == span(0.5, float("nan"), 0.6, "+.2f") == "+0.50"
    assert span(-0.5, -0.6, -0.4, "+.2f") == "−0.50 [−0.60, −0.40]"


def test_what_rounds_to_nothing_has_no_minus():
    assert span(-0.0001, -0.0004, 0.0004, "+.3f") == "+0.000 [+0.000, +0.000]"
    assert span(-0.0001, -0.0006, 0.0, ".3f") == "0.000 [−0.001, 0.000]"


def test_a_number_that_nobody_gave_a_form_has_no_idle_zeros():
    rows = [{"dose": dose, "name": name} for dose, name in ((0.2, "a"), (1.0, "b"), (0.125, "a"))]
    table = spoken_table(rows, words={"name": {"a": "Alpha", "b": "Beta"}.__getitem__})
    texts = re.findall(r">\s*([^<>]+?)\s*</td>", table.to_html())
    assert texts == ["0.2", "Alpha", "1", "Beta", "0.125", "Alpha"]
    assert table.data["name"].tolist() == ["a", "b", "a"], "the files keep the short names"


def test_a_column_is_as_wide_as_its_longest_text_however_far_down_it_stands():
    names = [*["dam"] * 20, "through arch bridge"]
    assert 132 <= width_of(names, 155) <= 155, "the browser draws it in 132 pixels"
    assert width_of(["dam"], 155) < 60
    assert width_of(["x" * 90], 155) == 155
    assert width_of([], 155) > 0


def test_shares_carry_their_per_cent_once_and_after_a_space():
    assert span(0.344, 0.309, 0.378, ".1%") == "34.4 % [30.9, 37.8]"
    assert span(-0.02, -0.05, 0.01, "+.1%") == "−2.0 % [−5.0, +1.0]"
    assert span(0.5, None, None, ".0%") == "50 %"
