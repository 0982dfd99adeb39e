"""Explore asks about other null spaces of the same head, and a link to one opens it."""

import pytest

from tests.pages.driver import App


def choose(app, kind):
    return app._set(app.at.radio(key="explore.head"), kind)


def said(app):
    return [element.value for element in app.at.markdown]


def infos(app):
    return [element.value for element in app.at.info]


@pytest.fixture
def chelsea(app):
    return app if app.sweep else app.choose_sample("chelsea")


@pytest.mark.slow
def test_chosen_classes_leave_a_larger_null_space_and_decide_alone(chelsea):
    choose(chelsea, "classes")
    assert chelsea.facts["Null space"][0] == "1264 / 1280"
    assert "Only 16 chosen classes decide." in infos(chelsea)
    chelsea._set(chelsea.at.text_input(key="explore.classes"), "281-285, jellyfish")
    assert chelsea.facts["Null space"][0] == "1274 / 1280"
    assert max(chelsea.sweep["max_logit_drift"]) <= 1e-5 * chelsea.sweep["max_abs_logit"]
    assert chelsea.query["head"] == "classes"
    assert App(**chelsea.query).facts["Null space"][0] == "1274 / 1280"
    chelsea._set(chelsea.at.text_input(key="explore.classes"), "unicorns")
    assert "is no class of this head" in chelsea.errors[0]
    choose(chelsea, "whole").assert_shows_numbers()


@pytest.mark.slow
def test_back_to_a_box_that_stood_empty_blames_no_link():
    app = App(head="classes", classes="")
    assert app.warnings == []
    assert "Choose at least one class" in app.errors[0]


@pytest.mark.slow
def test_probabilities_have_one_direction_more(chelsea):
    choose(chelsea, "centred")
    assert chelsea.facts["Null space"][0] == "281 / 1280"


@pytest.mark.slow
def test_weak_directions_say_what_they_cost_and_the_drift_is_shown(chelsea):
    choose(chelsea, "threshold")
    assert int(chelsea.facts["Null space"][0].split()[0]) > 280
    assert any("moves a logit by up to" in caption for caption in chelsea.captions)
    assert any("the logits may move" in text for text in infos(chelsea))
    assert max(chelsea.sweep["max_logit_drift"]) > 1e-3
    assert "**The decision may drift**" in said(chelsea)
    chelsea._set(chelsea.at.select_slider(key="explore.share"), "0.01")
    assert any("No further direction of this head is that weak" in c for c in chelsea.captions)
    assert chelsea.facts["Null space"][0] == "280 / 1280"
    assert infos(chelsea) == []
    assert "**The decision stands still**" in said(chelsea)
