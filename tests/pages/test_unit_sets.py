"""The Units page over photographs: which of them a head finds, and the ledger of a set."""

import shutil

import pytest

from pages._view.units import found, found_asks, scene, word_asks
from sing_core.sets import originals
from sing_core.sets.chunks import SetFacts, SetFolder
from sing_core.sets.sources import open_source
from sing_core.settings import Settings
from tests.pages.driver import App
from tests.pages.unit_page import columns_of, first, parsed
from tests.prepared_sets import class_folders

pytestmark = pytest.mark.slow  # transformers are taken apart


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
