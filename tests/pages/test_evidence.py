"""The Evidence page: its questions, their links, what they show and the commands they offer."""

import json

import pytest
import streamlit as st

from pages._view.evidence import pairs, probe
from sing_core.leakage import probes, real_pairs, set_networks
from sing_core.maths.training import Recipe
from tests.pages.driver import App

pytestmark = pytest.mark.slow  # probes are trained

KIND = "64-pixel image"


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(probes, "DRAWS", 2)


def first(app):
    return next(element.value for element in app.at.markdown)


def notes(app):
    """The captions as they are read: what is escaped in Markdown stands for itself."""
    return [text.replace("\\", "") for text in app.captions]


def test_a_first_visitor_reads_what_the_null_part_tells_apart():
    app = App.at_page("evidence", unfolded=["evidence"])
    assert (app.errors, app.warnings, app.query) == ([], [], {})
    assert app.at.title[0].value == "Is it in there at all?"
    (table,) = (element.value for element in app.at.dataframe)
    names = ["null", "random", "read", "principal", "full"]
    rate = dict(zip(names, table["accuracy"], strict=True))
    (plot,) = app.at.get("plotly_chart")
    assert list(table["part"]) == json.loads(plot.proto.spec)["data"][0]["y"]
    assert table["part"][0] == "the null part (280)"
    assert 0.005 < rate["null"] < rate["full"] < 1
    assert f"{100 * rate['null']:.1f} % of the images are read rightly" in first(app)
    assert f"the whole feature {100 * rate['full']:.1f} %" in first(app)
    assert "one of 200 classes; chance 0.5 %" in first(app)
    assert app.at.code[0].value == "python -m sing_core probe --model lite0 --set embedded"
    assert f"All images that take part are of one kind: {KIND}." in notes(app)


def place_of(node, value):
    """The way through the page to the text ``value``, as places within places."""
    for place, child in node.children.items():
        if getattr(child, "value", None) == value:
            return (place,)
        if hasattr(child, "children") and (inner := place_of(child, value)):
            return (place, *inner)
    return ()


def ways_to_blocks(node, way=()):
    """The ways to all places within which something stands."""
    for place, child in node.children.items():
        if hasattr(child, "children"):
            yield (*way, place)
            yield from ways_to_blocks(child, (*way, place))


def test_a_new_question_is_answered_in_a_place_that_the_old_answer_has_left(monkeypatch):
    """What is drawn over an old answer stays on the screen as long as the new one is computed."""

    def answer(name):
        def show(place, *_):
            place.markdown(f"{name} above")
            st.markdown(f"{name} below")

        return show

    monkeypatch.setattr(probe, "show", answer("probe"))
    monkeypatch.setattr(pairs, "show", answer("pairs"))
    app = App.at_page("evidence")
    before = [place_of(app.at.main, f"probe {where}") for where in ("above", "below")]
    app.run()
    assert before == [place_of(app.at.main, f"probe {where}") for where in ("above", "below")]
    app.at.selectbox(key="evidence.ask").set_value("pairs")
    app.run()
    after = [place_of(app.at.main, f"pairs {where}") for where in ("above", "below")]
    assert all(before + after)
    for old, new in zip(before, after, strict=True):
        assert old[:-1] != new[:-1]
        assert old[:-1] not in ways_to_blocks(app.at.main), "what is empty holds nothing"


def test_groups_are_asked_by_a_link_and_by_hand():
    app = App.at_page("evidence", unfolded=["evidence"], read="groups", model="lite1")
    assert "one of 17 groups" in first(app)
    assert app.at.code[0].value == (
        "python -m sing_core probe --model lite1 --set embedded --read groups"
    )
    assert any(
        text.startswith(f"**Pooled** over {KIND} and full photograph") for text in notes(app)
    )
    app.at.radio(key="evidence.read").set_value("classes")
    app.run()
    assert "read" not in app.query
    assert "classes; chance" in first(app)


def test_real_equivalents_are_named_with_their_distances(monkeypatch):
    app = App.at_page("evidence", unfolded=["evidence.pairs"], ask="pairs")
    assert app.at.title[0].value == "Are there real equivalents?"
    (table,) = (element.value for element in app.at.dataframe)
    assert len(table) == 200
    ratio = table["logit_distance"] / table["null_distance"]
    assert ratio.is_monotonic_increasing
    assert (table["swapped"] < table["angle"]).mean() > 0.9, "decisions are most of what differs"
    assert "Most images have none that nearly agrees: the nearest in logits is" in first(app)
    assert any("and moves no logit; null removal turns it by" in m.value for m in app.at.markdown)
    assert any("are not on this machine" in text for text in app.captions)
    assert app.at.code[0].value == (
        "python -m sing_core real-pairs --model lite0 --set embedded --top 4000"
    )
    assert real_pairs.NEIGHBOURS == 10


def test_whether_it_matters_is_answered_beside_what_the_logits_say():
    app = App.at_page("evidence", unfolded=["evidence.alarms"], ask="alarms")
    assert app.at.title[0].value == "Does it matter?"
    assert "is lower for wrong decisions in" in first(app)
    (table,) = (element.value for element in app.at.dataframe)
    assert table["auroc"].between(0.5, 1).all(), "each on its own side, as the sentence has it"
    assert set(table["side"]) == {"lower", "higher"}
    drawn = json.loads(app.at.get("plotly_chart")[0].proto.spec)["data"][0]
    assert [name.rsplit(": ", 1)[1] for name in drawn["y"]] == list(table["side"])
    assert drawn["x"] == pytest.approx(list(table["auroc"]))
    assert "fpr95" not in list(app.at.dataframe[0].proto.column_order), "within classes it has none"
    assert "50 % is chance. The side is read off" in " ".join(app.captions)
    assert "which costs nothing to read, is lower in" in first(app)
    assert "percentage points more of them apart" in first(app)
    assert table["over_logits"].notna().tolist() == [True] * 3 + [False] * 2
    assert table["p_adjusted"].between(0, 1).all()
    app.at.selectbox(key="evidence.against").set_value("64-pixel image")
    app.run()
    assert app.query["against"] == "64-pixel image"
    assert "lower for 64-pixel image in" in first(app)
    assert "fpr95" in list(app.at.dataframe[0].proto.column_order)
    assert app.at.code[0].value.endswith("--against '64-pixel image'")


def test_one_kind_of_images_is_asked_in_the_link_and_in_the_command():
    app = App.at_page(
        "evidence", unfolded=["evidence.pairs"], ask="pairs", stratum="full photograph"
    )
    assert (app.errors, app.warnings) == ([], [])
    assert app.query["stratum"] == "full photograph"
    assert "(median over 800 images; " in first(app)
    assert app.at.code[0].value.endswith("--top 800 --stratum 'full photograph'")
    (note,) = (text for text in notes(app) if "are of one kind: full photograph. " in text)
    assert "Cross-fitted" in note
    app.at.button_group(key="evidence.stratum").set_value("all")
    app.run()
    assert "stratum" not in app.query
    assert "(median over 4,000 images; " in first(app)
    assert any(text.startswith("**Pooled** over 64-pixel image and") for text in notes(app))


def test_wrong_decisions_and_probes_of_one_kind_say_what_there_is_of_it():
    app = App.at_page(
        "evidence", unfolded=["evidence.alarms"], ask="alarms", stratum=KIND, against=KIND
    )
    assert len(app.warnings) == 1, "one kind is not told from itself"
    names = app.at.selectbox(key="evidence.against").options  # and sets that other tests prepared
    assert names[0] == "wrong decisions"
    assert {"64-pixel image", "full photograph"}.isdisjoint(names)
    assert app.at.code[0].value.endswith("--stratum '64-pixel image'")
    assert any(f"are of one kind: {KIND}. " in text for text in notes(app))
    app = App.at_page("evidence", stratum="full photograph")
    assert len(app.errors) == 1
    assert "two labels with 5 images each" in app.errors[0]


def test_what_survives_other_choices_is_said_and_every_choice_is_listed():
    app = App.at_page("evidence", unfolded=["evidence.choices"], ask="choices", versus="lite1")
    assert (app.errors, app.warnings) == ([], [])
    assert app.at.title[0].value == "Does it survive other choices?"
    told = "Of the kind 64-pixel image: IS of EfficientNet-Lite1 is larger than that of Efficien"
    assert told in first(app)
    assert " of 40 choices" in first(app)
    (table,) = (element.value for element in app.at.dataframe)
    assert len(table) == 40
    assert app.at.code[0].value == (
        "python -m sing_core multiverse --model lite0 --model lite1 --set embedded"
    )
    alone = App.at_page("evidence", ask="choices")
    assert "removal under EfficientNet-Lite0 turns images away from the names of" in first(alone)
    barred = App.at_page("evidence", ask="choices", versus="lite2")
    assert [info.value for info in barred.at.info] == [
        "The two are not compared: EfficientNet-Lite2 is measured in its own image tower."
    ]


def test_what_a_link_cannot_ask_is_said_and_errors_are_sentences():
    app = App.at_page("evidence", ask="everything", read="colours")
    assert len(app.warnings) == 2
    assert app.at.title[0].value == "Is it in there at all?"
    app = App.at_page("evidence", model="vits", ask="pairs")
    (error,) = app.errors
    assert error == "ViT-S/14, restored here has no null space: no two images are equivalent."


def test_what_was_planted_is_looked_for_with_a_curve_for_each_dose(offered):
    app = App.at_page("evidence", unfolded=["evidence.planted"], ask="planted")
    assert (app.errors, app.warnings) == ([], [])
    assert app.at.title[0].value == "Does it find what was planted?"
    assert "of 7 planted nuisances " in first(app)
    words = " ".join(m.value for m in app.at.markdown)
    assert "corrected for all nuisances (Holm)" in words
    assert "It was looked at in 6 photographs: so few decide little." in words
    (table,) = (element.value for element in app.at.dataframe)
    assert len(table) == 6 * 5 + 2
    assert table["null_share"].between(0, 1).all()
    assert set(table[table["dose"] == 1]["verdict"]) <= {"found", "not found", "not decided"}
    assert app.at.code[0].value == "python -m sing_core nuisances --model lite0"
    assert "Planted in the 6 sample photos, not in the set." in app.captions
    assert app.at.radio(key="evidence.photos").options == ["Sample photos"]
    assert offered["sing-evidence.planted.csv"]().count(b"\n") == 1 + len(table)
    app = App.at_page("evidence", ask="planted", model="vits", photos="set")
    assert len(app.warnings) == 1, "the embedded set has no photographs here"
    (error,) = app.errors
    assert error.startswith("ViT-S/14, restored here has no null space: nothing that is planted")


def test_what_was_planted_is_an_alarm_to_look_for_too(offered):
    app = App.at_page(
        "evidence", unfolded=["evidence.alarms"], ask="alarms", against="planted: dark"
    )
    assert (app.errors, app.warnings) == ([], [])
    assert "photographs planted with “dark”" in first(app)
    (note,) = (text for text in notes(app) if text.startswith("Planted in"))
    assert note.startswith("Planted in the 6 sample photos: those of this set are not on this ")
    (table,) = (element.value for element in app.at.dataframe)
    assert (list(table["n"]), list(table["looked_for"])) == ([6] * 5, [6] * 5)
    assert app.at.code[0].value == "python -m sing_core alarms --model lite0 --planted dark"
    assert offered["sing-evidence.alarms.csv"]().count(b"\n") == 1 + len(table)
    app = App.at_page("evidence", ask="alarms", model="vits", against="planted: dark")
    assert app.errors[0].startswith("ViT-S/14, restored here has no null space")


@pytest.fixture
def quick(monkeypatch):
    """Networks of a moment, so that training is seen and not waited for."""
    monkeypatch.setattr(
        set_networks, "RECIPE", Recipe(learning_rate=1e-3, epochs=1, hidden=32, seed=7)
    )


def test_other_translators_are_trained_when_asked_for_and_stand_beside_the_linear_one(quick):
    app = App.at_page("evidence", unfolded=["evidence.translators"], ask="translators")
    assert app.at.title[0].value == "Does the translator decide what is seen?"
    assert "no network is trained yet" in first(app)
    assert not app.at.dataframe
    app.at.button(key="evidence.train").click()
    app.run()
    assert (app.errors, app.warnings) == ([], [])
    table = app.at.dataframe[0].value
    names = ["linear, in use", "linear, fitted here", "mlp3", "mlp4", "residual"]
    assert list(table["translator"]) == names
    assert "Of the 5 images nearest to a translated feature" in first(app)
    assert "python -m sing_core translations --model lite0 --set embedded" in [
        element.value for element in app.at.code
    ]


def test_networks_join_the_choices_by_link_and_command(quick):
    app = App.at_page(
        "evidence", unfolded=["evidence.choices"], ask="choices", translators="networks"
    )
    assert app.errors == []
    assert set(app.at.dataframe[0].value["fit"]) >= {"as fitted", "mlp3", "mlp4", "residual"}
    assert "python -m sing_core multiverse --model lite0 --set embedded --networks" in [
        element.value for element in app.at.code
    ]
    assert app.query["translators"] == "networks"
