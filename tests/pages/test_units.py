"""The Units page on one photo: who wrote what is hidden, where, and which classes decide."""

import pytest

from pages._view import loaders
from pages._view.units import scene, word_asks
from tests.pages.driver import App
from tests.pages.unit_page import CHOSEN, first, parsed
from tests.tiny_clip import tiny_clip

pytestmark = pytest.mark.slow  # transformers are taken apart


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
