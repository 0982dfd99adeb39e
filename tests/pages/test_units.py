"""The Units page: its questions, their links, what they show and the commands they offer."""

import shlex
import shutil
from types import SimpleNamespace

import pytest
import streamlit as st

from pages._view import loaders
from pages._view.library import actions
from pages._view.units import direction, found, found_asks, scene, word_asks
from pages._view.units.by_hand import answers
from sing_core.cli import unit_atlas, unit_directions, unit_ledger, unit_words, units
from sing_core.sets import originals
from sing_core.sets.chunks import SetFacts, SetFolder
from sing_core.sets.sources import open_source
from sing_core.settings import Settings
from sing_core.units import directions
from tests.command import read
from tests.pages.driver import App
from tests.prepared_sets import class_folders, jpeg
from tests.tiny_clip import tiny_clip

pytestmark = pytest.mark.slow  # transformers are taken apart


def first(app):
    return next(element.value for element in app.at.markdown)


def parsed(app, line=0):
    """Return the command on the page as the command line reads it."""
    (code,) = app.at.code
    python, dash_m, package, verb, *words = shlex.split(code.value.splitlines()[line])
    assert (python, dash_m, package) == ("python", "-m", "sing_core")
    assert units.app is unit_words.app is unit_directions.app is unit_atlas.app is unit_ledger.app
    return verb, read(units.app, verb, words)


def test_a_first_visitor_reads_who_wrote_what_is_hidden():
    app = App.at_page("units", unfolded=["units"])
    assert (app.errors, app.warnings, app.query) == ([], [], {})
    assert app.at.title[0].value == "Who wrote what it cannot see?"
    assert "% of what is hidden" in first(app)
    table = next(one.value for one in app.at.dataframe if "null_share" in one.value.columns)
    assert len(table) == 1 + 12 * 6 + 12
    assert table["null_share"].sum() == pytest.approx(1, abs=1e-6)
    assert table["null_share"].is_monotonic_decreasing
    verb, asked = parsed(app)
    assert (verb, asked["reference"], asked["model"]) == ("ledger", "mini", "vits")
    assert asked["top"] == len(table)


def test_what_is_hidden_is_shown_by_token_whatever_the_prompt():
    app = App.at_page("units", unfolded=["units"])
    (said,) = [text for text in app.captions if text.startswith("Which patches wrote")]
    assert any(
        "**What patches wrote of what is hidden lies" in one.value and "100 % together" in one.value
        for one in app.at.markdown
    )
    other = App.at_page("units", prompt="an image of a volcano")
    assert said in other.captions
    verb, asked = parsed(app, line=1)
    assert (verb, asked["tokens"], asked["model"]) == ("units", True, "vits")


def test_words_of_a_head_are_asked_for_by_a_press_where_the_texts_are_not_read(monkeypatch):
    texts = ("a photo of a cat", "a red car", "a field of grass", "the night sky")
    monkeypatch.setattr(word_asks, "text_pool", lambda name, settings: texts)
    app = App.at_page("units", unit="L11.H3")
    assert not [one for one in app.at.dataframe if "stability" in one.value.columns]
    (press,) = [one for one in app.at.button if one.key == "units.read"]
    press.click()
    app.run()
    assert (app.errors, app.warnings) == ([], [])
    (words,) = [one.value for one in app.at.dataframe if "stability" in one.value.columns]
    assert set(words["text"]) <= set(texts)
    assert set(words["unstable"]) <= {"firm", "unstable"}
    for end in ("Most: “", "Least: “"):
        (caption,) = [text for text in app.captions if text.startswith(end)]
        assert any(text in caption for text in texts)
    again = App.at_page("units", unit="L11.H4")
    assert not [one for one in again.at.button if one.key == "units.read"]
    assert [one for one in again.at.dataframe if "stability" in one.value.columns]


def test_a_head_is_chosen_by_a_link_and_by_hand():
    app = App.at_page("units", unit="L11.H3", by="score")
    assert any("**L11.H3 wrote" in element.value for element in app.at.markdown)
    app.at.selectbox(key="units.unit").set_value("L5.MLP")
    app.run()
    assert (app.query["unit"], app.query["by"]) == ("L5.MLP", "score")
    assert any("Only heads have words" in text for text in app.captions)


def test_where_nothing_is_hidden_sixteen_classes_decide():
    app = App.at_page("units", unfolded=["units"], network="vits", prompt="an image of a cat")
    assert (app.errors, app.warnings) == ([], [])
    said = [element.value for element in app.at.markdown]
    assert any("only the 16 classes with the largest logits for this" in text for text in said)
    verb, asked = parsed(app)
    assert (verb, asked["reference"], asked["model"]) == ("ledger", "mini", "vits")
    assert asked["prompt"] == "an image of a cat"


CHOSEN = {"decide": "classes", "classes": "281-285"}


@pytest.mark.parametrize("network", ["vits", "mini-vit"])
@pytest.mark.parametrize(("ask", "verb"), [("wrote", "ledger"), ("where", "token-map")])
def test_chosen_classes_decide_about_a_photo_in_the_link_and_in_the_command(network, ask, verb):
    panel = "units" if ask == "wrote" else "units.where"
    app = App.at_page("units", unfolded=[panel], ask=ask, network=network, **CHOSEN)
    assert (app.errors, app.warnings) == ([], [])
    assert any("Only 5 chosen classes decide." in one.value for one in app.at.markdown)
    assert not any("16 classes" in one.value for one in app.at.markdown)
    said, asked = parsed(app)
    assert (said, asked["classes"]) == (verb, "281,282,283,284,285")
    assert app.query["decide"] == "classes"
    app.at.text_input(key="units.classes").set_value("unicorns")
    app.run()
    assert any("is no class of this head" in text for text in app.errors)
    app.at.radio(key="units.decide").set_value("centred")
    app.run()
    assert (app.errors, app.query["decide"]) == ([], "centred")
    assert parsed(app)[1]["centred"]


def test_weak_directions_count_for_a_classifier_and_are_not_offered_for_words_as_a_head():
    app = App.at_page("units", unfolded=["units"], decide="threshold", share="0.3")
    assert (app.errors, app.warnings) == ([], [])
    assert any("the logits may move" in one.value for one in app.at.markdown)
    assert parsed(app)[1]["threshold"] == 0.3
    app.at.selectbox(key="units.network").set_value("mini-vit")
    app.run()
    assert (app.errors, app.warnings) == ([], [])
    assert "threshold" not in app.at.radio(key="units.decide").options


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


def test_maps_of_what_is_hidden_and_of_what_decides_add_up():
    app = App.at_page("units", unfolded=["units.where"], ask="where", against="an image of a dog")
    assert (app.errors, app.warnings) == ([], [])
    assert "against “an image of a dog”" in first(app)
    (table,) = (element.value for element in app.at.dataframe)
    whole, null, principal = table["total"]
    assert null + principal == pytest.approx(whole, abs=1e-5)
    verb, asked = parsed(app)
    assert (verb, asked["against"]) == ("token-map", "an image of a dog")


def test_the_foreground_has_its_share_of_the_photo():
    app = App.at_page(
        "units", unfolded=["units.front"], ask="front", photo="coffee", network="mini-vit"
    )
    assert (app.errors, app.warnings) == ([], [])
    (table,) = (element.value for element in app.at.dataframe)
    assert 0.05 < table["share"][0] < 0.95
    assert f"{100 * table['share'][0]:.0f} % of the photo stands in front" in first(app)
    verb, asked = parsed(app)
    assert (verb, asked["model"]) == ("segment", "")


def test_a_class_is_put_in_words_beside_its_controls():
    app = App.at_page(
        "units", unfolded=["units.null_words"], **{"ask": "words", "class": "jellyfish"}
    )
    assert (app.errors, app.warnings) == ([], [])
    (table,) = (element.value for element in app.at.dataframe)
    assert set(table["subspace"]) == {
        "what is hidden", "what decides", "random directions, as many",
    }  # fmt: skip
    assert "What is hidden of" in first(app)
    verb, asked = parsed(app)
    assert (verb, asked["class_"], asked["set_"]) == ("null-words", "jellyfish", "embedded")


DIRECTION = {"ask": "direction", "class": "jellyfish"}


def columns_of(app, name):
    """Return the tables that have a column ``name``."""
    return [one.value for one in app.at.dataframe if name in one.value.columns]


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
    told = "**Component 1 of what EfficientNet-Lite0 cannot see of “jellyfish” (16 images) leads"
    assert told in first(app)
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
    assert f"**Component {having[0]} of what EfficientNet-Lite0 cannot see" in first(app)
    assert any(
        "2 of the first 7 components" in one.value and f"Component {having[0]} is the first of" in
        one.value for one in app.at.markdown
    )  # fmt: skip
    assert "component" not in app.query
    app.at.selectbox(key="units.component").set_value(str(having[1]))
    app.run()
    assert (app.errors, app.warnings) == ([], [])
    assert app.query["component"] == str(having[1])
    assert f"**Component {having[1]} of what EfficientNet-Lite0 cannot see" in first(app)
    assert any("is the one that was asked for" in one.value for one in app.at.markdown)


def test_the_question_about_one_direction_opens_on_one_that_has_words():
    app = App.at_page("units", ask="direction")
    assert (app.errors, app.warnings) == ([], [])
    assert first(app).startswith(
        "**Component 1 of what EfficientNet-Lite0 cannot see of “sports car”"
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


def test_what_cannot_be_asked_is_said_in_a_sentence():
    app = App.at_page("units", network="lite0")
    assert len(app.errors) == 1
    assert "lite0 is no plain transformer" in app.errors[0]
    assert "vits and mini-vit are" in app.errors[0]
    app = App.at_page("units", network="colours", by="taste", unit="L99.H0")
    assert len(app.warnings) == 3
    app = App.at_page("units", ask="words", model="vits")
    assert len(app.errors) == 1


def test_another_reference_that_is_a_transformer_is_offered_with_its_own_words(tmp_path):
    tiny_clip(tmp_path / "tiny", 0)
    name, pool = f"local-dir:{tmp_path / 'tiny'}", loaders.bench().pool
    assert list(scene.own_networks()) == ["mini-vit"]
    pool.raw_reference(name)
    try:
        app = App.at_page(
            "units", unfolded=["units.where"], ask="where", network=name, prompt="a cat"
        )
        assert (app.errors, app.warnings) == ([], [])
        assert list(scene.own_networks()) == ["mini-vit", name]
        verb, asked = parsed(app)
        assert (verb, asked["reference"], asked["model"]) == ("token-map", name, "")
    finally:
        pool.unload(name)


def test_photographs_that_a_head_finds_are_shown_and_the_command_asks_the_same():
    app = App.at_page(
        "units", unfolded=["units.found"], ask="found", head="L10.H3", prompt="a cup of coffee"
    )
    assert (app.errors, app.warnings) == ([], [])
    assert app.at.title[0].value == "What does a head find?"
    assert "L10.H3 finds" in first(app)
    assert "A set with classes" in first(app)
    (table,) = [one.value for one in app.at.dataframe if "found" in one.value.columns]
    assert list(table["rank"]) == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6]
    assert "Chelsea the cat" not in set(table["image"][:5])
    verb, asked = parsed(app)
    assert (verb, asked["layer"], asked["head"]) == ("head-images", 10, 3)
    assert str(asked["photo"]) == "photo.jpg"
    verb, asked = parsed(app, line=1)
    assert (verb, asked["text"], asked["photo"]) == ("head-images", "a cup of coffee", None)


def test_a_property_chooses_its_head_and_a_head_says_whether_it_has_a_subject(monkeypatch):
    texts = ("a photo of a cat", "a red car", "a field of grass", "the night sky")
    monkeypatch.setattr(word_asks, "text_pool", lambda name, settings: texts)
    kinds = ("animals", "colour", "places", "places")
    monkeypatch.setattr(found_asks, "general_properties", lambda settings: kinds)
    app = App.at_page("units", ask="found", subject="colour", network="mini-vit")
    assert (app.errors, app.warnings) == ([], [])
    (box,) = [one for one in app.at.selectbox if one.label == "Head"]
    assert box.disabled
    assert f"Of all heads {box.value} speaks most of colour" in first(app)
    assert "39 random heads" in first(app)
    app = App.at_page("units", ask="found", head="L11.H1", network="mini-vit")
    (press,) = [one for one in app.at.button if one.label.startswith("Has this head")]
    press.click()
    app.run()
    assert any("random heads" in one.value for one in app.at.markdown)


def test_one_click_leads_from_who_wrote_to_what_the_same_head_finds_and_back():
    asked = {"network": "mini-vit", "photo": "coffee", "prompt": "an image of a cup"}
    app = App.at_page("units", unit="L10.H2", **asked)
    app.at.button(key="units.to_found").click()
    app.run()
    assert (app.errors, app.warnings) == ([], [])
    assert app.at.title[0].value == "What does a head find?"
    assert app.at.selectbox(key="units.head").value == "L10.H2"
    assert app.query == asked | {"ask": "found", "head": "L10.H2", "unit": "L10.H2"}
    app.at.selectbox(key="units.head").set_value("L9.H1")
    app.run()
    app.at.button(key="units.to_wrote").click()
    app.run()
    assert (app.errors, app.warnings) == ([], [])
    assert app.at.title[0].value == "Who wrote what it cannot see?"
    assert any("**L9.H1 wrote" in element.value for element in app.at.markdown)
    assert app.query == asked | {"head": "L9.H1", "unit": "L9.H1"}


@pytest.fixture
def photographs(tmp_path):
    """A prepared set of eight photographs of four classes, none of them scored."""
    settings = Settings()
    images = class_folders(tmp_path / "photographs", per_class=2)
    source = open_source(images)
    facts = SetFacts("photographs", source.key, source.total, "float32")
    folder = SetFolder.create(settings.cache_dir / "prepared" / facts.name, facts)
    originals.remember(folder, images, settings)
    yield facts.name
    shutil.rmtree(folder.path)


def test_a_set_is_shown_to_a_network_when_asked_and_searched_then(photographs):
    app = App.at_page("units", ask="found", among=photographs, network="mini-vit")
    assert (app.errors, app.warnings) == ([], [])
    assert "were not shown to this network yet" in first(app)
    (press,) = [one for one in app.at.button if one.label.endswith("to the network")]
    press.click()
    app.run()
    assert (app.errors, app.warnings) == ([], [])
    assert "are of its class, where chance has" in first(app)
    again = App.at_page("units", ask="found", among=photographs, network="mini-vit")
    assert not [one for one in again.at.button if one.label.endswith("to the network")]


def test_a_set_that_was_shown_to_a_network_has_a_ledger_beside_the_photos(photographs):
    asked = {"network": "mini-vit", "over": photographs}
    app = App.at_page("units", **asked)
    assert any("were not shown to this network yet" in one.value for one in app.at.info)
    folder = found_asks.sets_here()[photographs]
    network = scene.Asked(None, "", "mini-vit", "")
    found_asks.recorded(network, folder, lambda progress: None)
    app = App.at_page("units", unfolded=["units.over"], **asked)
    assert (app.errors, app.warnings) == ([], [])
    (table,) = columns_of(app, "random_share")
    assert len(table) == 85
    assert table["null_share"].sum() == pytest.approx(1, abs=1e-5)
    assert any("wrote most" in one.value for one in app.at.markdown)
    verb, said = parsed(app)
    assert (verb, str(said["images"]), said["top"]) == ("ledger", "IMAGES", 85)


def test_a_set_that_holds_the_photo_on_screen_alone_is_said():
    assert found._first_of((), "L0.H0") == "There is no other photograph here that could be found."
