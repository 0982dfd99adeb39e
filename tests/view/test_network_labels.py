"""Labels of a network: beside their points, and never one upon another."""

import json
from itertools import combinations

import numpy as np
import pytest

from pages._view.tables import figures
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
    rows = [
        ConceptRow(
            f"concept {i}", "", 9, 80.0 + i, 81.0, 0.1, 0.0, 0.2, 0.1, 0.5, 0.5, 0.1, True, False
        )
        for i in range(30)
    ]
    figure = figures.concept_network(rows, ConceptMap(((0.0, 0.0),) * 30, ()))
    nodes = json.loads(figure.to_json())["data"][1]
    assert 1 <= sum(bool(text) for text in nodes["text"]) < 30
    assert len(nodes["x"]) == len(nodes["customdata"]) == 30
    assert nodes["customdata"][29][0] == "concept 29"  # the pointer names every one
