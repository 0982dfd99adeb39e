"""Figures as data: no mark is cut, and no cell is whiter than the page."""

import re
from dataclasses import replace

import pytest

from pages._view.tables import figures
from pages._view.units.figures import unit_map
from sing_core.maths.statistics import Interval
from tests.view.test_compare_answer import NOTHING, row


def reach(figure):
    """The largest end of an error bar, or mark without one, along x."""
    return max(
        x + more
        for trace in figure.data
        for x, more in zip(trace.x, trace.error_x.array, strict=True)
    )


@pytest.mark.parametrize("scores", [(0.5, 0.0), (0.0,), (2.0, 0.3)])
def test_marks_at_0_of_the_controls_are_drawn_whole(scores):
    rows = [
        replace(row(f"m{place}", score), abs_attribute_score=Interval(score, score, 1.5 * score, 9),
                dim_abs_attribute_score=NOTHING, feature_dim=384)
        for place, score in enumerate(scores)
    ]  # fmt: skip
    figure = figures.against_controls(rows)
    low, high = figure.layout.xaxis.range
    width = high - low
    # A mark of 9 px on the narrowest figure, that of a phone: some 250 px.
    assert -low / width > 4.5 / 250
    assert high > reach(figure)


def test_a_unit_that_writes_nothing_has_the_colour_of_the_page():
    values = [0.0, 0.3, -0.3, 0.0]
    figure = unit_map(values, ["embedding", "L0.H0", "L0.H1", "L0.MLP"], (1, 2), "L0.H0",
                      title="", form=".1%", signed=True)  # fmt: skip
    heat = figure.data[0]
    assert heat.zmid == 0
    (nothing,) = [colour for place, colour in heat.colorscale if place == 0.5]
    *_, opacity = map(float, re.findall(r"[\d.]+", nothing))
    assert nothing.startswith("rgba(")
    assert opacity <= 0.25, "the page shines through, whichever its theme"
    ends = [colour for place, colour in heat.colorscale if place != 0.5]
    assert all(colour.startswith("rgb(") for colour in ends)
