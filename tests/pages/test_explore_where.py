"""Explore's drawer "Where on the photo": maps of a transformer, and why others have none."""

import pytest

from tests.pages.driver import App

pytestmark = pytest.mark.slow  # a transformer is taken apart


def unfolded(**query):
    app = App(**query)
    app.at.session_state["explore.where"] = True
    return app.run()


def told(app):
    return next((one.value for one in app.at.markdown if "what is hidden adds" in one.value), "")


def test_a_folded_drawer_takes_nothing_apart():
    assert told(App(model="vits", head="classes")) == ""


def test_a_transformer_s_hidden_part_is_shown_on_the_photo_and_follows_the_step():
    query = {"model": "vits", "head": "classes", "prompt": "an image of a jaguar"}
    app = unfolded(**query)
    assert (app.errors, app.warnings) == ([], [])
    first = told(app)
    assert "“an image of a jaguar”" in first
    assert "brought by the step itself" in first
    assert any("At ε = " in caption and "on the photo" in caption for caption in app.captions)
    assert told(unfolded(**query, eps="0.5")) != first


def test_null_removal_takes_the_map_away():
    app = unfolded(model="vits", head="classes", mode="remove")
    assert "has taken away all that was hidden, and the map with it" in told(app)


def test_a_network_without_tokens_says_what_to_choose():
    app = unfolded(model="lite0")
    assert told(app) == ""
    assert any(
        "is no plain transformer" in info.value and "Choose ViT-S/14" in info.value
        for info in app.at.info
    )
