"""Labels of a network: beside their points, and never one upon another."""

import json
from itertools import combinations

import numpy as np
import pytest

from pages._view.tables import concept_figures
from pages._view.tables.labels import Box, label_box, label_positions, pixels
from sing_core.leakage.concept_map import ConceptMap
from sing_core.leakage.concepts import ConceptRow


def placed(places, labels, radii):
    sides = label_positions(places, labels, radii)
    points = pixels(places)
    boxes = {
        at: label_box(points[at], radii[at], labels[at], side)
        for at, side in enumerate(sides)
        if side is not None
    }
    return sides, points, boxes


def concepts(count):
    return [
        ConceptRow(
            f"concept {i}", "", 9, 80.0 + i, 81.0, 0.1, 0.0, 0.2, 0.1, 0.5, 0.5, 0.1, True, False
        )
        for i in range(count)
    ]


@pytest.mark.parametrize("count", [2, 24, 60])
def test_no_label_lies_on_another_or_on_a_point(count):
    rng = np.random.default_rng(count)
    places = [tuple(place) for place in rng.normal(size=(count, 2)).tolist()]
    labels = ["x" * int(length) for length in rng.integers(3, 22, count)]
    radii = rng.uniform(5, 13, count).tolist()
    sides, points, boxes = placed(places, labels, radii)
    assert not any(one.meets(other) for one, other in combinations(boxes.values(), 2))
    for at, box in boxes.items():
        for other, (x, y) in enumerate(points):
            r = radii[other]
            assert at == other or not box.meets(Box(x - r, y - r, x + r, y + r))
    assert sides[0] is not None
    assert len(boxes) >= 0.6 * count


def test_points_upon_each_other_show_the_first_one_s_label_and_those_that_fit():
    sides, _, boxes = placed([(0, 0)] * 20, ["monarch butterfly"] * 20, [8] * 20)
    assert sides.count(None) >= 10
    assert len(boxes) == 20 - sides.count(None)


def test_one_point_alone_has_its_label_above():
    assert label_positions([(3.0, 3.0)], ["goldfish"], [8.0]) == ["top center"]


def test_the_figure_leaves_out_labels_that_have_no_room_but_not_their_points():
    rows = concepts(30)
    figure = concept_figures.concept_network(rows, ConceptMap(((0.0, 0.0),) * 30, ()))
    nodes = json.loads(figure.to_json())["data"][1]
    assert 1 <= sum(bool(text) for text in nodes["text"]) < 30
    assert len(nodes["x"]) == len(nodes["customdata"]) == 30
    assert nodes["customdata"][29][0] == "concept 29"  # the pointer names every one


def test_of_a_star_every_spoke_ends_at_its_angle_and_neighbours_by_meaning_stand_side_by_side():
    places = ((1.0, 0.0), (-1.0, 0.0), (1.0, 0.1), (-1.0, 0.1))
    found = ConceptMap(places, ((0, 2, 5.0), (1, 3, 5.0)))
    figure = concept_figures.concept_star(concepts(4), found, "<i>goldfish</i>")
    edges, spokes, before, after = figure.data
    assert list(before.r) == [80.0, 81.0, 82.0, 83.0]
    assert list(after.r) == [81.0] * 4
    assert sorted(before.theta) == [0, 90, 180, 270]
    turn = dict(enumerate(before.theta))
    assert {abs(turn[0] - turn[2]) % 180, abs(turn[1] - turn[3]) % 180} == {90}
    assert [(r, t) for r, t in zip(spokes.r, spokes.theta, strict=True)][1::3] == [
        *zip(before.r, before.theta, strict=True)
    ]
    assert list(edges.r)[:2] == [80.0, 82.0]
    assert figure.layout.polar.radialaxis.range[0] < 80
    assert figure.layout.annotations[0].text == "&lt;i&gt;goldfish&lt;/i&gt;"
