"""Compare where the same classes decide for every classifier, on a made-up set of two networks."""

import shutil

import pytest
from streamlit.testing.v1 import AppTest

from pages._view.tables import asks, compare
from sing_core.leakage.comparison import ModelRow
from sing_core.settings import Settings
from tests import toy
from tests.benches import pretend_reference
from tests.pages.conftest import forget_everything
from tests.pages.driver import ROOT, App
from tests.prepared_sets import made_up_set

pytestmark = pytest.mark.slow  # whole pages


@pytest.fixture(scope="module", autouse=True)
def world(toy_assets, session_cache, tmp_path_factory):
    """Toy assets and a cache of this module's own, with a set of lite0 and vits."""
    cache = tmp_path_factory.mktemp("deciding") / "cache"
    shutil.copytree(session_cache / "head", cache / "head")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SING_ASSETS_DIR", str(toy_assets))
        patch.setenv("SING_CACHE_DIR", str(cache))
        pretend_reference(toy_assets, patch)
        bench, sets = toy.make_bench(Settings()), cache / "prepared"
        made_up_set(bench, sets / "first", ("lite0", "vits"), counts=(5, 5, 5, 1))
        made_up_set(bench, sets / "single", counts=(1, 1, 1, 1))
        forget_everything()
        yield cache
    forget_everything()


def opened(**query):
    """Open Compare by a link, with its command unfolded."""
    app = App.__new__(App)
    app.at = AppTest.from_file(str(ROOT / "pages" / "compare.py"), default_timeout=300)
    for key, value in query.items():
        app.at.query_params[key] = value
    app.at.session_state["compare.command"] = True
    return app.run()


def said(app):
    return " ".join(element.value for element in app.at.markdown)


def table(app):
    (found,) = (d.value for d in app.at.dataframe if d.value.columns[0] == "model")
    return found.set_index("model")


def decide(app, kind):
    app.at.selectbox(key="compare.deciding").set_value(kind)
    return app.run()


def test_the_whole_head_of_a_transformer_leaves_nothing_and_the_page_says_what_to_choose():
    app = opened()
    assert list(table(app)["nullity"]) == [280, 0]
    assert "(0 of 384 dimensions) has no null space: there is nothing to take away" in said(app)
    assert "Let fewer than 384 classes decide" in said(app)
    assert "classes" not in app.query
    assert "--classes" not in app.at.code[0].value


def test_the_classes_with_several_images_decide_for_both_and_land_in_the_link_and_the_command():
    app = decide(opened(), "several")
    choice = app.at.selectbox(key="compare.deciding")
    assert "the 3 classes with several images in this set" in choice.options
    rows = table(app)
    assert list(rows["nullity"]) == [1277, 381]
    assert list(rows["n"]) == [15, 15]
    assert "(1,277 of 1,280 dimensions): |AS|" in said(app)
    assert "(381 of 384 dimensions): |AS|" in said(app)
    assert any(text.startswith("3 classes are asked, the same of every") for text in app.captions)
    assert app.query["classes"] == "several"
    first, paired = app.at.code[0].value.split("\n")
    assert first.endswith("--set first --classes several")
    assert paired == f"{first} --paired"
    linked = opened(classes="several")
    assert table(linked).equals(rows)
    assert "classes" not in decide(linked, "whole").query


def test_named_classes_decide_as_they_are_typed(world):
    app = decide(opened(), "chosen")
    assert app.at.text_input(key="compare.classes").value == "0-199"
    assert list(table(app)["nullity"]) == [1080, 184]
    app.at.text_input(key="compare.classes").set_value("goldfish, 281").run()
    assert list(table(app)["nullity"]) == [1278, 382]
    assert list(table(app)["n"]) == [10, 10]
    assert app.query["classes"] == "goldfish, 281"
    assert "--classes 'goldfish, 281'" in app.at.code[0].value
    assert list((world / "variant-scores").glob("*.parquet"))
    linked = opened(classes="goldfish, 281")
    assert linked.at.selectbox(key="compare.deciding").value == "chosen"
    assert linked.at.text_input(key="compare.classes").value == "goldfish, 281"
    assert table(linked).equals(table(app))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("unicorn", "“unicorn” is no class of this head"),
        ("5-9", "No image is left: the set first has images of 4 classes"),
        (" ", "Choose at least one class"),
    ],
)
def test_classes_that_cannot_be_asked_are_answered_and_the_field_stays(text, sentence):
    app = opened(classes=text)
    assert any(sentence in error for error in app.errors)
    assert len(app.at.dataframe) == 0
    app.at.text_input(key="compare.classes").set_value("0, 1").run()
    assert app.errors == []
    assert list(table(app)["nullity"]) == [1278, 382]


def test_a_set_of_single_images_does_not_offer_the_classes_with_several():
    app = opened(set="single", classes="several")
    assert any("asks for deciding classes that cannot be used" in text for text in app.warnings)
    assert app.at.selectbox(key="compare.deciding").options == [
        "all of each head", "these classes…"
    ]  # fmt: skip
    moved = opened(classes="several")
    moved.at.selectbox(key="compare.set").set_value("single").run()
    assert moved.at.selectbox(key="compare.deciding").value == "whole"
    assert list(table(moved)["n"]) == [4]


def test_steering_follows_the_classes_that_decide():
    def share(app):
        next(b for b in app.at.button if "Steer every image" in b.label).click().run()
        return [text for text in said(app).split(" - ") if "cannot reach" in text][-1]

    assert "100.0 % of 16 images cannot reach IS = 40°" in share(opened(models="vits"))
    assert "of 15 images cannot reach" in share(opened(models="vits", classes="several"))
    assert "100.0 %" not in share(opened(models="vits", classes="several"))


def test_as_many_dimensions_for_each_cut_the_larger_null_space():
    app = opened(classes="several")
    app.at.selectbox(key="compare.dimensions").set_value("equal").run()
    assert list(table(app)["nullity"]) == [381, 381]
    assert any(text.startswith("No null space has more than 381 dim") for text in app.captions)
    assert "(381 of 1,280 dimensions): |AS|" in said(app)
    assert app.query["dimensions"] == "equal"
    first, _ = app.at.code[0].value.split("\n")
    assert first.endswith("--classes several --dimension 381")
    assert table(opened(classes="several", dimensions="equal")).equals(table(app))
    assert list(table(opened(dimensions="equal"))["nullity"]) == [280, 0]


def test_what_was_computed_once_is_not_computed_again(monkeypatch):
    opened(classes="0, 281")
    forget_everything()

    def refuse(*arguments):
        raise AssertionError("scored again")

    monkeypatch.setattr(asks.variant_scores, "write_scores", refuse)
    assert list(table(opened(classes="0, 281"))["n"]) == [10, 10]


def test_sizes_are_written_with_thousands():
    found = asks.comparison.Interval(1.0, 0.5, 1.5, 3)
    values = dict.fromkeys(ModelRow.__slots__, found)
    told = {"model": "m", "nullity": 1080, "feature_dim": 1280}
    row = ModelRow(**values | told | {"control_draws": 50, "rank_among_draws": 51})
    assert "**M** (1,080 of 1,280 dimensions)" in compare.verdict(row, "M")
    assert "place 51 of 51, 1 being the smallest" in compare.verdict(row, "M")
