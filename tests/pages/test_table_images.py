"""From a class of a table to its images, and from there into Explore."""

from dataclasses import replace

import pytest

from pages._view.library import actions
from pages._view.tables import asks, compare
from sing_core.files.samples import sample_bytes
from sing_core.leakage import comparison
from sing_core.maths import statistics
from tests.pages.driver import App


@pytest.mark.slow
def test_an_image_of_a_class_opens_in_explore_if_it_is_on_this_machine(tmp_path):
    folder = tmp_path / "images" / "n02123045"
    folder.mkdir(parents=True)
    (folder / "chelsea.jpg").write_bytes(sample_bytes("chelsea"))
    actions.prepare_set(folder.parent, ("lite0",), "cats", lambda progress: None)
    app = App().open("classes")
    app._set(app.at.selectbox(key="classes.set"), "cats")
    tick(app, 0)
    app.at.button(key="classes.open").click()
    app.run()
    assert app.at.title[0].value == "What can this classifier not see?"
    assert app.query["mode"] == "remove"
    assert app.query["prompt"] == "an image of a tabby cat"
    (shown,) = asks.class_images("lite0", "cats", 281)
    score = app.at.session_state["explore.photo"]
    assert score == shown["digest"]


@pytest.mark.slow
def test_an_image_that_is_not_here_is_said_to_be_elsewhere():
    app = App().open("classes")
    tick(app, 0)
    app.at.button(key="classes.open").click()
    app.run()
    assert "only their features and scores" in app.at.warning[-1].value


def tick(app, row):
    app.at.session_state["classes.images"] = {
        "selection": {"rows": [row], "columns": [], "cells": []}
    }
    app.run()


def test_a_head_without_null_space_has_nothing_to_compare():
    nothing = statistics.Interval(0.0, 0.0, 1e-6, 9)
    row = comparison.ModelRow(
        **dict.fromkeys(comparison.ModelRow.__slots__, nothing)
        | {"model": "vit", "nullity": 0, "feature_dim": 512}
    )
    told = compare.verdict(row, "ViT")
    assert told == "**ViT** (0 of 512 dimensions) has no null space: there is nothing to take away."
    assert "a random subspace" in compare.verdict(replace(row, nullity=1), "ViT")
