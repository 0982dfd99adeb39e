"""From a class of a table to its images, and from there into Explore."""

import json
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
import streamlit as st

from pages._view.library import actions
from pages._view.tables import asks, compare
from pages._view.tables.browse import rows_of_one_file
from sing_core.files.samples import sample_bytes
from sing_core.leakage import comparison
from sing_core.maths import statistics
from tests.pages.driver import App
from tests.prepared_sets import jpeg


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A prepared set of 26 goldfish and one cat, whose photographs are on this machine."""
    root = tmp_path_factory.mktemp("pictures")
    for wnid, count in (("n01443537", 26), ("n02123045", 1)):
        (root / wnid).mkdir()
        for number in range(count):
            (root / wnid / f"{number:03d}.jpg").write_bytes(jpeg(number, side=256))
    (root / "n02123045" / "000.jpg").write_bytes(sample_bytes("chelsea"))
    actions.prepare_set(root, ("lite0",), "pictures", lambda progress: None)
    return root


def grid(app):
    """What the grid of photographs was sent."""
    (found,) = (e.proto for e in app.at.get("bidi_component") if "tiles" in e.proto.json)
    return json.loads(found.json)


def link(app):
    """Label, address and whether it can be pressed, of the link into Explore."""
    (found,) = (e.proto for e in app.at.get("page_link"))
    return found.label, dict(parse_qsl(found.query_string)), not found.disabled


def chosen(app, row):
    """Choose an image as a click in the grid does."""
    app.at.session_state["classes.image"] = row
    return app.run()


@pytest.mark.slow
def test_an_image_of_a_class_is_seen_and_opens_in_explore(pictures):
    app = App(set="pictures", **{"class": "tabby cat"}).open("classes")
    app._set(app.at.selectbox(key="classes.set"), "pictures")
    app._set(app.at.selectbox(key="classes.class"), "tabby cat")
    (tile,) = grid(app)["tiles"]
    assert tile["src"].startswith("data:image/jpeg;base64,")
    assert "n02123045/000.jpg, seen as" in tile["alt"]
    label, asked, enabled = link(app)
    assert (label, enabled) == ("Open n02123045/000\\.jpg in Explore", True)
    assert asked["prompt"] == "an image of a tabby cat"
    explore = App(**asked)
    (shown,) = asks.class_images("lite0", "pictures", 281)
    assert explore.query == asked  # nothing for Back to stop at
    assert explore.sweep["photo"].startswith("data:image/jpeg")
    end = explore.sweep["image_score_deg"][-1], explore.sweep["attribute_score_deg"][-1]
    assert end == pytest.approx((shown["image_score_deg"], shown["attribute_score_deg"]), abs=1e-4)


@pytest.mark.slow
def test_images_come_a_page_at_a_time_in_the_order_that_is_chosen(pictures):
    app = App().open("classes")
    app._set(app.at.selectbox(key="classes.set"), "pictures")
    app._set(app.at.selectbox(key="classes.class"), "goldfish")
    assert [tile["row"] for tile in grid(app)["tiles"]] == list(range(24))
    assert grid(app)["chosen"] == 0
    assert "001" in link(chosen(app, 1))[0]
    app.at.button(key="classes.next").click()
    app.run()
    assert [tile["row"] for tile in grid(app)["tiles"]] == [24, 25]
    assert "024" in link(app)[0]
    assert app.at.button(key="classes.next").disabled
    app._set(app.at.selectbox(key="classes.sort"), "towards")
    app.at.button(key="classes.before").click()
    app.run()
    scores = {one["row"]: one["attribute_score_deg"]
              for one in asks.class_images("lite0", "pictures", 1)}  # fmt: skip
    shown = [scores[tile["row"]] for tile in grid(app)["tiles"]]
    assert shown == sorted(scores.values(), reverse=True)[:24]
    assert app.query["sort"] == "towards"


@pytest.mark.slow
def test_a_photograph_that_was_taken_away_is_said_and_opens_by_its_feature(pictures):
    gone = pictures / "n01443537" / "025.jpg"
    payload = gone.read_bytes()
    gone.unlink()
    st.cache_data.clear()
    try:
        app = App().open("classes")
        app._set(app.at.selectbox(key="classes.set"), "pictures")
        app._set(app.at.selectbox(key="classes.class"), "goldfish")
        app.at.button(key="classes.next").click()
        chosen(app, 25)
    finally:
        gone.write_bytes(payload)
    assert "Of 1 of these the photograph is no longer there" in " ".join(app.captions)
    assert [bool(tile["src"]) for tile in grid(app)["tiles"]] == [True, False]
    assert "the stored feature of" in link(app)[0]


@pytest.mark.slow
def test_where_the_photographs_are_elsewhere_the_link_says_so_before_it_is_pressed():
    app = App().open("classes")
    app._set(app.at.selectbox(key="classes.class"), "goldfish")
    assert "are not on this machine" in " ".join(app.captions)
    assert "Tick an image to open its stored feature in Explore." in app.captions
    tick(app, 2)
    label, asked, enabled = link(app)
    assert label.startswith("Open the stored feature of")
    assert enabled
    explore = App(**asked)
    assert explore.errors == explore.warnings == []
    assert "is not on this machine: this is image" in " ".join(explore.captions)
    assert (explore.sweep["photo"], explore.sweep["no_photo"]) == ("", "Not on this machine")
    shown = asks.class_images("lite0", "embedded", 1)[2]
    end = explore.sweep["image_score_deg"][-1], explore.sweep["attribute_score_deg"][-1]
    assert end == pytest.approx((shown["image_score_deg"], shown["attribute_score_deg"]), abs=1e-4)
    assert explore.query == asked


@pytest.mark.slow
@pytest.mark.parametrize(
    ("photo", "words"),
    [
        ("nowhere/3/" + "a" * 64, "the set nowhere, which is not on this machine"),
        ("embedded/3/" + "a" * 64, "does not have"),
        ("embedded/99999999/" + "a" * 64, "does not have"),
        ("a" * 64, "not kept on this computer"),
        ("embedded/x/" + "a" * 64, "a photo that cannot be used"),
        ("../../embedded/3/" + "a" * 64, "a photo that cannot be used"),
    ],
)
def test_a_link_to_an_image_that_no_set_has_is_a_sentence(photo, words):
    App(photo=photo).assert_says(words)


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
        | {"control_draws": 50, "rank_among_draws": 2}
    )
    told = compare.verdict(row, "ViT")
    assert told == (
        "**ViT** (0 of 512 dimensions) has no null space: there is nothing to take away. "
        "Let fewer than 512 classes decide, and it has one: choose them above."
    )
    assert "random subspaces" in compare.verdict(replace(row, nullity=1), "ViT")


def test_rows_of_one_file_are_named_by_their_row_alone():
    names = ["set.parquet#7", "set.parquet#12"]
    assert rows_of_one_file(names) == ("set.parquet", ["#7", "#12"])
    for others in (["a.parquet#7", "b.parquet#7"], ["cat.png", "dog.png"], []):
        assert rows_of_one_file(others) == ("", others)
