"""Figures as data: no mark is cut, and no cell is whiter than the page."""

import re
from dataclasses import replace

import pytest

from pages._view.tables import figures
from pages._view.units.figures import unit_map
from sing_core.maths.statistics import Interval
from tests.view.test_compare_answer import row


def reach(figure):
    """The largest end of a bar along x, or mark without one."""
    ends = []
    for trace in figure.data:
        more = trace.error_x.array if trace.error_x.array is not None else [0.0] * len(trace.x)
        ends += [x + length for x, length in zip(trace.x, more, strict=True)]
    return max(ends)


TITLES = {"m0": "Alpha <b>", "m1": "Beta"}


@pytest.mark.parametrize("scores", [(0.5, 0.0), (0.0,), (2.0, 0.3)])
def test_marks_at_0_of_the_controls_are_drawn_whole(scores):
    rows = [
        replace(row(f"m{place}", score, Interval(0.1, 0.1 - score, 0.1 + score, 9)),
                feature_dim=384)
        for place, score in enumerate(scores)
    ]  # fmt: skip
    figure = figures.against_controls(rows, TITLES)
    low, high = figure.layout.xaxis.range
    width = high - low
    # A mark of 9 px on the narrowest figure, that of a phone: some 250 px.
    assert -low / width > 4.5 / 250
    assert high > reach(figure)


@pytest.mark.parametrize(
    "gap",
    [Interval(0.1, 0.05, 0.15, 9), Interval(-0.1, -0.15, -0.05, 9), Interval(0.1, -0.05, 0.25, 9)],
)
def test_a_line_outside_the_thick_bar_of_the_controls_is_what_the_verdict_calls_decided(gap):
    figure = figures.against_controls([row("m0", 0.5, gap)], TITLES)
    null, _, energy, _ = figure.data
    assert (null.name, energy.name) == ("null space", "random, equal energy")
    assert null.error_x.array is None, "one bar decides, and it holds the spread of the classes"
    thick = [trace.error_x.thickness or 0 for trace in figure.data]
    assert thick.index(max(thick)) == 2
    middle = energy.x[0]
    ends = middle - energy.error_x.arrayminus[0], middle + energy.error_x.array[0]
    assert ends == pytest.approx((0.5 - gap.high, 0.5 - gap.low))
    assert (not ends[0] <= null.x[0] <= ends[1]) == gap.decided
    assert (null.x[0] > middle) == (gap.estimate > 0)


def test_of_one_class_the_controls_have_no_bar():
    figure = figures.against_controls([row("m0", 0.5, Interval(0.1, None, None, 1))], TITLES)
    energy = figure.data[2]
    assert (list(energy.x), list(energy.error_x.array)) == ([0.4], [0.0])


def test_figures_of_models_call_them_as_the_pickers_do():
    rows = [row("m0", 0.5), row("m1", 0.2)]
    controls = figures.against_controls(rows, TITLES).layout.yaxis.ticktext
    assert [text.split("<br>")[0] for text in controls] == ["Alpha &lt;b&gt;", "Beta"]
    assert list(figures.ratios(rows, TITLES).data[0].x) == ["Alpha &lt;b&gt;", "Beta"]
    names = [trace.name for trace in figures.joint({"m0": (), "m1": ()}, rows, TITLES).data]
    assert {*names} == {"Alpha &lt;b&gt;", "Beta"}


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
    ends = [colour for place, colour in heat.colorscale if place in (0.0, 1.0)]
    assert all(colour.startswith("rgb(") for colour in ends)
