"""Violins of the images of classes: one model's whole, two models' in halves, data as data."""

from pages._view.tables.figures import class_violins


def images(count, start):
    return [{"attribute_score_deg": start + 0.1 * i, "name": f"{i}.png"} for i in range(count)]


def test_few_images_are_points_and_many_a_violin():
    few, many = class_violins({"<b>cat</b>": images(3, 0), "dog": images(12, 1)}).data
    assert few.y[0] == few.name == "&lt;b&gt;cat&lt;/b&gt;"
    assert (few.line.color, few.side) == ("rgba(0,0,0,0)", "both")
    assert (many.fillcolor, many.line.color) == ("rgba(15,123,138,0.15)", "#0f7b8a")
    assert not few.showlegend


def test_two_models_have_a_half_each_of_every_class():
    first, second = {"cat": images(12, 0), "dog": images(12, 1)}, {"cat": images(12, -2)}
    figure = class_violins(first, second, ("lite0", "lite1"))
    halves = [(v.name, v.y[0], v.side, v.showlegend) for v in figure.data]
    assert halves == [
        ("lite0", "cat", "negative", True),
        ("lite0", "dog", "negative", False),
        ("lite1", "cat", "positive", True),
    ]
    assert list(figure.data[2].x) == [image["attribute_score_deg"] for image in second["cat"]]
    assert figure.layout.violinmode == "overlay"
