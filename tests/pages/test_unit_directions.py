"""The Units page on what is hidden in words: of a class, and of one direction."""

import shutil
from types import SimpleNamespace

import pytest
import streamlit as st

from pages._view.library import actions
from pages._view.units import direction, word_asks
from pages._view.units.by_hand import answers
from sing_core.settings import Settings
from sing_core.units import directions
from tests.pages.driver import App
from tests.pages.unit_page import CHOSEN, columns_of, first, parsed
from tests.prepared_sets import jpeg

pytestmark = pytest.mark.slow  # transformers are taken apart


def test_a_head_that_hides_nothing_is_refused_before_texts_are_read(monkeypatch):
    monkeypatch.setattr(word_asks, "pool_of", None)  # calling it would fail
    app = App.at_page("units", ask="words", model="vits")
    assert "no null space" in app.errors[0]


def test_the_hidden_part_of_a_classifier_without_null_space_has_words_under_chosen_classes(
    few_texts,
):
    part = {"model": "vits", "class": "jellyfish"}
    app = App.at_page("units", ask="words", **part)
    assert "no null space" in app.errors[0]
    app = App.at_page("units", unfolded=["units.null_words"], ask="words", **part, **CHOSEN)
    assert (app.errors, app.warnings) == ([], [])
    assert "Only 5 chosen classes decide." in first(app)
    verb, asked = parsed(app)
    assert (verb, asked["model"], asked["classes"]) == (
        "null-words", "vits", "281,282,283,284,285",
    )  # fmt: skip
    app = App.at_page(
        "units", unfolded=["units.direction"], ask="direction", component="1", **part, **CHOSEN
    )
    assert (app.errors, app.warnings) == ([], [])
    assert "restored here cannot see of “jellyfish”" in first(app)
    verb, asked = parsed(app)
    assert (verb, asked["classes"]) == ("direction-words", "281,282,283,284,285")


def test_a_class_is_put_in_words_beside_its_controls():
    app = App.at_page(
        "units", unfolded=["units.null_words"], **{"ask": "words", "class": "jellyfish"}
    )
    assert (app.errors, app.warnings) == ([], [])
    (table,) = (element.value for element in app.at.dataframe)
    assert set(table["subspace"]) == {
        "what is hidden", "what decides", "random directions, as many",
    }  # fmt: skip
    assert first(app).startswith("**The texts say no more of what is hidden than of random")
    assert "16 images span at most 15 dimensions there" in first(app)
    verb, asked = parsed(app)
    assert (verb, asked["class_"], asked["set_"]) == ("null-words", "jellyfish", "embedded")


DIRECTION = {"ask": "direction", "class": "jellyfish"}


@pytest.fixture
def few_texts(monkeypatch):
    """A hundred and twenty of the general texts: enough for curves, and read in a moment."""
    texts = word_asks.text_pool("general", Settings())[:120]
    monkeypatch.setattr(word_asks, "text_pool", lambda name, settings: texts)
    answers().clear()
    yield texts
    answers().clear()


@pytest.fixture
def words_for(monkeypatch, few_texts):
    """Let components have words of which 120 texts leave less than a bound; return its setter."""

    def less_than(bound):
        monkeypatch.setattr(directions.RandomBand, "stands_out", lambda band, left: left < bound)

    st.cache_data.clear()
    yield less_than
    st.cache_data.clear()


def test_one_hidden_direction_has_signed_texts_and_the_images_at_its_ends(words_for):
    words_for(1.0)
    app = App.at_page("units", unfolded=["units.direction"], **DIRECTION, texts="4")
    assert (app.errors, app.warnings) == ([], [])
    assert app.at.title[0].value == "What is one hidden direction?"
    told = "omponent 1 of what EfficientNet-Lite0 cannot see of “jellyfish” (16 images)"
    assert told in first(app)
    assert " leads " in first(app)
    assert any("that TextSpan names" in element.value for element in app.at.markdown)
    (texts,) = columns_of(app, "coefficient")
    assert list(texts["rank"]) == [1, 2, 3, 4]
    assert texts["unexplained"].is_monotonic_decreasing
    assert (texts["random_low"] < texts["random_high"]).all()
    (ends,) = columns_of(app, "end")  # the photographs of the set are not on this machine
    assert (len(ends), set(ends["label"])) == (8, {"jellyfish"})
    assert ends["score"].iloc[:4].min() > ends["score"].iloc[4:].max()
    assert any("None of the images at the ends made the direction" in t for t in app.captions)
    assert any("are not on this machine" in text for text in app.captions)
    verb, asked = parsed(app)
    assert (verb, asked["class_"], asked["set_"]) == ("direction-words", "jellyfish", "embedded")
    assert (asked["component"], asked["against"], asked["size"]) == (1, "", 4)
    verb, asked = parsed(app, line=1)
    assert (verb, asked["list_"], asked["look"]) == ("direction-words", True, 20)


def test_without_a_choice_the_first_component_that_has_words_is_shown(words_for):
    words_for(0.0)  # none has
    app = App.at_page("units", **DIRECTION)
    (table,) = columns_of(app, "random_below")
    assert len(table) == 7
    said = "**None of the first 7 components of what EfficientNet-Lite0 cannot see of “jellyfish”"
    assert first(app).startswith(said)
    assert not columns_of(app, "end")
    assert not app.at.get("plotly_chart")
    left = list(table["unexplained"])
    bound = sorted(left)[2]  # two have less
    having = [place for place, rest in enumerate(left, start=1) if rest < bound]
    words_for(bound)
    answers().clear()
    st.cache_data.clear()
    app = App.at_page("units", **DIRECTION)
    (table,) = columns_of(app, "random_below")
    assert [place for place in table["component"] if table["has_words"][place - 1] == "words"] == (
        having
    )
    assert f"omponent {having[0]} of what EfficientNet-Lite0 cannot see" in first(app)
    assert any(
        "2 of the first 7 components" in one.value and f"Component {having[0]} is the first of" in
        one.value for one in app.at.markdown
    )  # fmt: skip
    assert "component" not in app.query
    app.at.selectbox(key="units.component").set_value(str(having[1]))
    app.run()
    assert (app.errors, app.warnings) == ([], [])
    assert app.query["component"] == str(having[1])
    assert f"omponent {having[1]} of what EfficientNet-Lite0 cannot see" in first(app)
    assert any("is the one that was asked for" in one.value for one in app.at.markdown)


def test_the_question_about_one_direction_opens_on_one_that_has_words():
    app = App.at_page("units", ask="direction")
    assert (app.errors, app.warnings) == ([], [])
    assert first(app).startswith(
        "**No name beyond chance for component 1 of what EfficientNet-Lite0 cannot see of “sports"
    )
    assert columns_of(app, "coefficient")
    assert any("it is an example and no finding" in text for text in app.captions)


def test_no_more_components_are_looked_at_than_there_are(words_for):
    words_for(0.0)
    app = App.at_page("units", **DIRECTION, looked="40")
    assert (app.errors, app.warnings) == ([], [])
    (shown,) = (one for one in app.at.selectbox if one.label == "Components looked at")
    assert (shown.options, shown.disabled) == (["all 7 that there are"], True)
    assert app.at.selectbox(key="units.component").options[-1] == "7"
    assert "looked" not in app.query
    app.at.selectbox(key="units.class").set_value("")
    app.at.selectbox(key="units.component").set_value("1")
    app.run()
    (slider,) = (one for one in app.at.select_slider if one.label == "Components looked at")
    assert (slider.options, slider.value) == (["10", "20", "40", "80"], "20")


def test_a_click_on_a_component_chooses_it(monkeypatch):
    clicked = {"units.components": SimpleNamespace(selection=SimpleNamespace(rows=[4]))}
    monkeypatch.setattr(direction.st, "session_state", clicked)
    direction._follow_click()
    assert clicked["units.component"] == "5"


def test_a_direction_is_changed_by_hand_and_the_link_follows(few_texts):
    app = App.at_page("units", unfolded=["units.direction"], **DIRECTION, component="2")
    assert "omponent 2 of what EfficientNet-Lite0 cannot see" in first(app)
    app.at.selectbox(key="units.other").set_value("goldfish")
    app.run()
    assert (app.errors, app.warnings) == ([], [])
    assert (app.query["other"], app.query["component"]) == ("goldfish", "2")
    assert "differs from “goldfish” (16 images)" in first(app)
    verb, asked = parsed(app)
    assert (verb, asked["against"], asked["component"]) == ("direction-words", "goldfish", 0)


def test_a_direction_without_words_says_so_and_looks_for_others_by_a_press(words_for):
    words_for(0.0)
    app = App.at_page("units", unfolded=["units.direction"], **DIRECTION, component="3")
    assert "There are no words for component 3" in first(app)
    assert columns_of(app, "coefficient") == []
    assert len(app.at.get("plotly_chart")) == 1
    assert columns_of(app, "end")
    assert columns_of(app, "random_below") == []
    (press,) = [one for one in app.at.button if one.key == "units.look"]
    press.click()
    app.run()
    assert (app.errors, app.warnings) == ([], [])
    (table,) = columns_of(app, "random_below")
    assert set(table["has_words"]) == {"none"}
    assert "There are no words for component 3" in first(app)  # it stays what was asked for
    again = App.at_page("units", **DIRECTION, component="2")
    assert columns_of(again, "random_below")  # it is kept


def test_a_direction_that_is_not_there_is_said_in_a_sentence(few_texts):
    app = App.at_page("units", **DIRECTION, component="16")
    assert len(app.errors) == 1
    assert "There is no component 16" in app.errors[0]
    app = App.at_page("units", **DIRECTION, component="0.5", texts="5", other="dragon", looked="9")
    assert len(app.warnings) == 4


@pytest.fixture
def goldfish(tmp_path):
    """A prepared set of twelve goldfish whose photographs are on this machine; its folder."""
    root = tmp_path / "goldfish"
    (root / "n01443537").mkdir(parents=True)
    for number in range(12):
        (root / "n01443537" / f"{number:03d}.jpg").write_bytes(jpeg(number, side=256))
    actions.prepare_set(root, ("lite0",), "goldfish", lambda progress: None)
    yield root
    for folder in (Settings().cache_dir / "prepared").glob("goldfish*"):
        shutil.rmtree(folder)


def test_where_photographs_are_here_they_stand_at_both_ends(goldfish, few_texts):
    asked = {"ask": "direction", "set": "goldfish", "component": "1"}
    app = App.at_page("units", **asked)
    assert (app.errors, app.warnings) == ([], [])
    titles = ("**Most along it**", "**Least along it**")
    assert all(title in [one.value for one in app.at.markdown] for title in titles)
    pictures = [one.proto.imgs[0] for one in app.at.get("image")]
    assert len(pictures) == 6  # three of the six that did not make it at either end
    assert all(one.url.startswith("data:image/") for one in pictures)
    assert len({one.url for one in pictures}) == 6
    assert len([text for text in app.captions if text.startswith("goldfish: ")]) == 6
    assert columns_of(app, "end") == []
    for photograph in (goldfish / "n01443537").iterdir():
        photograph.unlink()
    st.cache_data.clear()
    app = App.at_page("units", **asked)
    assert not app.at.get("image")
    assert len([text for text in app.captions if "no longer there" in text]) == 6
