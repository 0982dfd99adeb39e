"""Figures as data: traces, axis titles with units, and the sign of the arrows."""

import pytest

from pages._view.explore.figures import concept_arrows
from sing_core.studies.reports import ConceptTrack, Sweep


def concept(label, kind, *angles):
    return ConceptTrack(label, f"an image of a {label}", kind, angles)


@pytest.fixture
def sweep():
    return Sweep(
        epsilon=(0.0, 1.0, 2.0),
        image_score_deg=(0.0, 5.0, 9.0),
        attribute_score_deg=(0.0, 4.0, 8.0),
        average_score_deg=(0.0, 1.0, 2.0),
        max_logit_drift=(0.0, 1e-7, 2e-7),
        concepts=(
            concept("<b>fox</b> & co", "prompt", 80.0, 76.0, 72.0),
            concept("tabby cat", "class", 60.0, 63.0, 67.0),
            concept("red", "attribute", 75.0, 74.0, 73.5),
        ),
        target=None,
    )


def test_there_is_one_row_per_concept_and_a_mark_before_and_after(sweep):
    figure = concept_arrows(sweep, 2)
    before, after = figure.data
    assert (before.name, after.name) == ("before (ε = 0)", "after")
    assert sorted(before.x) == [60, 75, 80]
    assert list(after.x) == sorted((67, 72, 73.5), reverse=True), "the nearest concept is on top"
    assert len(figure.layout.annotations) == 3


def test_the_axis_says_degrees_and_which_way_is_nearer(sweep):
    figure = concept_arrows(sweep, 1)
    assert figure.layout.xaxis.title.text == "angle in degrees (smaller is nearer)"


def test_an_arrow_points_left_where_the_attribute_score_is_positive(sweep):
    figure = concept_arrows(sweep, 2)
    rows = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    shift = {rows[arrow.y]: arrow.x - arrow.ax for arrow in figure.layout.annotations}
    assert shift["“&lt;b&gt;fox&lt;/b&gt; &amp; co”"] == -sweep.attribute_score_deg[2]
    assert shift["tabby cat"] > 0


def test_a_prompt_is_shown_as_text_and_never_as_markup(sweep):
    figure = concept_arrows(sweep, 1)
    for text in (*figure.layout.yaxis.ticktext, *figure.data[0].customdata):
        assert "<" not in text


def test_only_the_nearest_concepts_are_shown_and_the_prompt_always(sweep):
    figure = concept_arrows(sweep, 1, count=1)
    labels = figure.layout.yaxis.ticktext
    assert len(labels) == 2
    assert "tabby cat" in labels
    assert any("fox" in label for label in labels)


def test_a_long_label_is_cut():
    track = concept("x" * 300, "prompt", 80.0, 70.0)
    sweep = Sweep((0.0, 1.0), (0.0, 1.0), (0.0, 10.0), (0.0, 3.0), (0.0, 0.0), (track,), None)
    (label,) = concept_arrows(sweep, 1).layout.yaxis.ticktext
    assert len(label) <= 36
    assert label.endswith("…”")


def test_a_real_report_has_its_numbers_in_the_figure(analyse):
    report = analyse()
    figure = concept_arrows(report.sweep, report.index)
    own = report.sweep.concepts[0]
    assert own.angle_deg[0] in figure.data[0].x
    assert own.angle_deg[report.index] in figure.data[1].x
    assert 2 <= len(figure.data[0].x) <= 15
