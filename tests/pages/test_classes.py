"""The Classes page on the embedded set: its table, its filters, one class down to its images."""

import json

import numpy as np
import pytest

from pages._view.words import phrases
from sing_core.leakage.superclasses import superclasses
from tests.pages.tables import SET, frame, printed, said

pytestmark = pytest.mark.slow  # whole pages


def test_the_classes_page_shows_what_the_command_line_prints(page):
    app = page("classes")
    shown = frame(app, "class").set_index("wnid")
    rows = printed("classes", "--model", "lite0", "--set", SET)
    assert len(shown) == len(rows) == 1000
    for row in rows:
        own = shown.loc[row["wnid"]]
        for name in ("n", "as_mean", "abs_as_mean", "is_mean", "directed_mean", "contrast_mean"):
            assert own[name] == pytest.approx(row[name], abs=1e-12)
        for name in ("as_low", "as_high", "p_adjusted", "contrast_p_adjusted"):
            assert (row[name] is None) == bool(np.isnan(own[name]))
        assert own["verdict"] == row["verdict"]


def test_the_classes_page_says_what_is_not_decided(page):
    text = said(page("classes"))
    assert "800 classes have too few images for a test: **not decided**" in text
    assert text.startswith("**None beyond chance**: of 200 classes that can be tested")
    assert "With the name of a random other class in place of the own, 0.0 % are decided." in text
    assert "a class would have to stand out by about " in text
    assert "beside the names of all classes: −0" in text
    assert "a random part of the same length away from that name by −0." in text
    assert "the null part does **less**, " in text
    assert "(pooled; 64-pixel image −0" in text.replace("\\-", "-")


def test_search_and_filter_narrow_the_table_and_land_in_the_url(page):
    app = page("classes", q="fish", least="2")
    labels = list(frame(app, "class")["class"])
    assert labels
    assert all("fish" in label for label in labels)
    assert (frame(app, "class")["n"] >= 2).all()
    assert (app.query["q"], app.query["least"]) == ("fish", "2")
    app.at.text_input(key="classes.q").set_value("no such thing").run()
    assert "has this in its name" in app.at.info[0].value


def test_a_group_keeps_its_classes_and_lands_in_the_url(page):
    app = page("classes", group="Fish")
    names = set(frame(app, "class")["class"])
    assert {"goldfish", "pufferfish"} <= names
    assert len(names) == len(superclasses()["Fish"]) == 16
    app.at.selectbox(key="classes.group").select("Birds").run()
    assert app.query["group"] == "Birds"
    assert "ostrich" in set(frame(app, "class")["class"])


def test_one_class_is_shown_down_to_its_images(page):
    app = page("classes", **{"class": "goldfish"})
    images = frame(app, "name")
    row = frame(app, "class").set_index("class").loc["goldfish"]
    assert len(images) == row["n"] == 16
    assert images["attribute_score_deg"].mean() == pytest.approx(row["as_mean"], abs=1e-12)
    assert app.query["class"] == "goldfish"


def violins(app):
    """The traces of the page's violins."""
    (found,) = (
        json.loads(chart.proto.spec)["data"]
        for chart in app.at.get("plotly_chart")
        if chart.proto.id.endswith("classes.violins")
    )
    return found


def test_two_models_come_with_their_rank_correlation(page):
    app = page("classes", versus="lite1", least="2")
    assert "Over 200 classes with at least 4 images, one half" in said(app)
    signed, size = printed(
        "classes", "--model", "lite0", "--versus", "lite1", "--set", SET
    )  # fmt: skip
    assert signed["verdict"] in ("agree", "disagree", "not decided")
    for row, name in ((signed, "mean AS"), (size, "mean |AS|")):
        assert f"{name}: ρ {phrases.number(row['rho'], '+.2f')} [" in said(app)
        assert row["rho_low"] <= row["rho"] <= row["rho_high"]
        assert row["reliability_first_low"] <= row["reliability_first"]
        assert (row["classes"], row["n"]) == (200, 3200)
    legends = {trace["name"] for trace in violins(app) if trace.get("showlegend")}
    assert legends == {"EfficientNet-Lite0", "EfficientNet-Lite1"}


def test_a_link_to_a_class_that_is_not_there_is_said(page):
    app = page("classes", **{"class": "nope"})
    assert app.warnings == [
        "The link asks for a class that cannot be used; the default is shown instead."
    ]
    assert "class" not in app.query
    assert page("classes", **{"class": "goldfish"}).warnings == []
