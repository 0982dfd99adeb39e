"""The Explore page on real classifiers and the real reference, by widget key."""

import dataclasses
import re

import pytest
import streamlit as st
import torch

from sing_core.files.samples import SAMPLES
from sing_core.maths.head import HeadDecomposition
from sing_core.models.workbench import Workbench
from tests.pages.driver import App

HARMLESS = (
    "<img src=x onerror=alert(1)> <b>fox</b>",
    "**bold** $x^2$ :material/close: [link](javascript:alert(1))",
    "כלב אדום على السجادة",
    "a red\x00 dog\x07 on\u202e a carpet\n",
    "😀 dog",
    "un chien à l’ombre",
    "42",
    "x" * 300,
)


@pytest.mark.slow
def test_the_first_page_shows_every_number(app):
    app.assert_shows_numbers()
    assert (app.errors, app.warnings, app.query) == ([], [], {})
    assert app.facts["Null space"] == ("280 / 1280", "22 % of the dimensions")
    assert 0 < float(app.facts["Null energy"][0]) < 1
    image, attribute, drift = app.shown
    assert image == pytest.approx(40, abs=1e-6)
    assert 0 < attribute <= image
    assert 0 < drift <= 1e-5 * app.sweep["max_abs_logit"]
    assert app.sweep["drift_budget"] == 1e-5, "the browser would judge by another budget"
    assert app.sweep["target"]["sentence"].startswith("IS = 40° is reached at ε = ")
    assert app.sweep["concepts"][0]["label"] == "an image of a red fox"
    assert any("no logit moved by more than" in text for text in app.captions)


@pytest.mark.slow
def test_the_sweep_starts_at_nothing_and_image_scores_grow(app):
    sweep = app.sweep
    assert (sweep["epsilon"][0], sweep["attribute_score_deg"][0]) == (0, 0)
    assert sweep["image_score_deg"][0] == pytest.approx(0, abs=1e-5)
    assert sweep["image_score_deg"] == sorted(sweep["image_score_deg"])
    assert sweep["concepts"][0]["kind"] == "prompt"
    assert len(sweep["concepts"]) > 10


@pytest.mark.slow
def test_the_concepts_of_a_cat_hold_classes_and_attributes(app):
    kinds = {concept["kind"] for concept in app.sweep["concepts"]}
    assert kinds == {"prompt", "class", "attribute"}


@pytest.mark.slow
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_sample_shows_numbers_and_lands_in_the_url(app, sample):
    app.choose_sample(sample.name).assert_shows_numbers()
    assert app.query.get("photo", SAMPLES[0].name) == sample.name


@pytest.mark.slow
def test_the_cat_is_a_cat_for_every_classifier(app):
    for model in ("lite0", "lite1", "lite2"):
        app.choose_model(model).assert_shows_numbers()
        assert any("cat" in label for label in app.classes["class before"])


@pytest.mark.slow
def test_only_lite2_says_that_it_shares_its_tower_with_the_reference(app):
    assert len(app.at.info) == 0
    app.choose_model("lite2").assert_shows_numbers()
    (note,) = app.at.info
    assert "EfficientNet-Lite2 is measured in its own image tower" in note.value
    assert app.query == {"model": "lite2"}
    assert len(app.choose_model("lite1").at.info) == 0


@pytest.mark.slow
def test_both_modes_show_numbers_and_differ(app):
    steered = app.numbers
    app.choose_mode("remove").assert_shows_numbers()
    assert app.sweep["mode"] == "remove"
    assert app.sweep["index"] == len(app.sweep["epsilon"]) - 1
    assert app.numbers != steered
    assert app.choose_mode("steer").numbers == steered


@pytest.mark.slow
def test_a_free_prompt_shows_numbers_towards_it(app):
    app.type_prompt("a blurry grey dog").assert_shows_numbers()
    assert app.sweep["concepts"][0]["label"] == "a blurry grey dog"
    assert app.query == {"prompt": "a blurry grey dog"}
    assert 0 < app.shown[1] <= app.shown[0]


@pytest.mark.slow
@pytest.mark.parametrize("prompt", HARMLESS, ids=range(len(HARMLESS)))
def test_an_odd_but_readable_prompt_gives_numbers(app, prompt):
    app.type_prompt(prompt).assert_shows_numbers()
    assert app.errors == []
    assert "\x00" not in app.sweep["prompt"]


@pytest.mark.slow
@pytest.mark.parametrize("prompt", ["x" * 400, "   "], ids=["too long", "blank"])
def test_a_refused_prompt_shows_no_number_of_another(prompt):
    app = App(prompt=prompt)
    (said,) = app.errors
    assert said.endswith("what is shown below is the same for every prompt.")
    assert (app.sweep, len(app.at.dataframe)) == (None, 0)
    everything = [node.value for node in (*app.at.markdown, *app.at.caption)]
    assert not [text for text in everything if "ε" in text or "stands still" in text]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("", "Type a prompt, for example"),
        (" \n\t ", "Type a prompt, for example"),
        ("\x00\x1b\u200b", "Type a prompt, for example"),
        ("😀🎉", "no letters or digits"),
        ("…!?", "no letters or digits"),
        ("x" * 301, "This prompt has 301 characters; up to 300 can be used."),
        ("x" * 10_000, "This prompt has 10,000 characters; up to 300 can be used."),
    ],
    ids=["empty", "blank", "control", "emoji", "marks", "301", "10000"],
)
def test_an_unusable_prompt_gets_one_sentence_and_the_page_lives_on(app, prompt, sentence):
    before = app.numbers
    app.type_prompt(prompt).assert_says(sentence)
    assert (len(app.errors), app.sweep) == (1, None)
    assert len(app.at.image) == 1, "the photo is gone"
    assert [fact.label for fact in app.at.metric] == ["Decision", "Null space", "Null energy"]
    assert app.type_prompt("an image of a red fox").numbers == before


@pytest.mark.slow
def test_a_wanted_image_score_moves_the_slider_there(app):
    app.want(25.0).assert_shows_numbers()
    assert app.shown[0] == pytest.approx(25, abs=1e-6)
    assert app.query == {"is": "25"}


@pytest.mark.slow
def test_an_emptied_box_keeps_the_last_wanted_score(app):
    before = app.want(25.0).numbers
    app.want(None).assert_shows_numbers()
    assert (app.numbers, app.query) == (before, {"is": "25"})


@pytest.mark.slow
def test_a_wanted_score_just_below_the_limit_leaves_the_page_whole(app):
    beyond = app.want(170.0).sweep["target"]["sentence"]
    limit = float(re.search(r"stays below ([\d.]+)°", beyond)[1])
    app.want(round(limit - 0.1, 1)).assert_shows_numbers()
    assert app.errors == []
    assert not app.sweep["target"]["reachable"]
    assert "° would need a step of ε = " in app.sweep["target"]["sentence"]


@pytest.mark.slow
def test_an_unreachable_image_score_is_said(app):
    app.want(170.0).assert_shows_numbers()
    target = app.sweep["target"]
    assert (target["reachable"], target["index"]) == (False, None)
    assert target["sentence"].startswith("IS = 170° is not reachable: however far the step goes,")


@pytest.mark.slow
def test_a_score_beyond_null_removal_is_said(app):
    app.choose_mode("remove").want(80.0).assert_shows_numbers()
    assert not app.sweep["target"]["reachable"]
    assert app.sweep["target"]["sentence"].startswith("IS = 80° ")


@pytest.mark.slow
def test_a_classifier_without_null_space_gets_a_designed_sentence(app, monkeypatch):
    real = Workbench.classifier

    def without_null_space(self, model):
        found = real(self, model)
        full = HeadDecomposition.from_weight(torch.eye(found.entry.feature_dim))
        entry = dataclasses.replace(found.entry, nullity=0)
        linear = dataclasses.replace(found.linear, head=full)
        return dataclasses.replace(found, entry=entry, linear=linear)

    st.cache_data.clear()
    monkeypatch.setattr(Workbench, "classifier", without_null_space)
    for mode in ("steer", "remove"):
        app.choose_mode(mode)
        assert app.errors == []
        assert app.warnings == [
            "EfficientNet-Lite0 has no null space: its head reads all 1280 feature directions, "
            "so every step moves some logit. Three ways forward: let only some classes decide "
            "(fewer than 1280 of them leave a null space), compare probabilities instead of logits "
            "(one direction more at most), or count small singular values as zero and see how far "
            "the logits then drift."
        ]
        assert app.facts["Null space"] == ("0 / 1280", "0 % of the dimensions")
        assert (app.sweep, len(app.classes)) == (None, 5)
    st.cache_data.clear()
    monkeypatch.undo()
    app.choose_mode("steer").assert_shows_numbers()


@pytest.mark.slow
def test_another_page_and_back_keeps_what_was_set(app):
    app.choose_model("lite1").type_prompt("a red dog").choose_mode("remove")
    before, query = app.numbers, app.query
    app.open("method")
    assert app.sweep is None
    app.at.query_params.clear()
    app.open("explore")
    assert (app.numbers, app.query) == (before, query)


@pytest.mark.slow
def test_two_sessions_do_not_share_what_they_chose():
    first, second = App(), App()
    first.choose_model("lite1").type_prompt("a red dog")
    second.run()
    assert second.at.selectbox(key="explore.model").value == "lite0"
    assert second.query == {}
