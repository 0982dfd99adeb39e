"""The Talk page: scenes in an order, saved from what Explore showed, and taken along."""

import json

import pytest

from sing_core.settings import Settings
from sing_core.talk import script
from tests.pages.driver import App
from tests.talk.recordings import made_up_scene, write_talk

pytestmark = pytest.mark.slow  # whole pages

LINK = (
    "http://127.0.0.1:8501/?photo=rocket&prompt=a+red+fox&eps=6.5&head=classes&classes=0-2%2C+657"
)


@pytest.fixture
def talk(cache):
    """The page over a talk of three scenes of one's own."""
    write_talk(cache / "scenes", 3)
    return App().open("talk")


def names():
    return script.talk(Settings())


def press(app, key):
    app.at.button(key=key).click()
    return app.run()


def save(app, link, name, caption="For the room", notes="For me"):
    app.at.text_input(key="talk.link").set_value(link)
    app.at.text_input(key="talk.name").set_value(name)
    app.at.text_input(key="talk.caption").set_value(caption)
    app.at.text_area(key="talk.notes").set_value(notes)
    next(button for button in app.at.button if button.label == "Save").click()
    return app.run()


def test_the_page_says_whether_the_talk_can_begin(talk):
    assert [element.value for element in talk.at.success] == ["3 of 3 scenes ready, offline"]


def test_scenes_are_moved_taken_out_and_put_back(talk):
    press(talk, "talk.down.scene-0")
    assert names() == ("scene-1", "scene-0", "scene-2")
    press(talk, "talk.up.scene-2")
    assert names() == ("scene-1", "scene-2", "scene-0")
    press(talk, "talk.out.scene-2")
    assert names() == ("scene-1", "scene-0")
    shipped = talk.at.selectbox(key="talk.others").options
    assert shipped
    press(talk, "talk.add")
    assert names() == ("scene-1", "scene-0", shipped[0])


def test_a_link_of_explore_becomes_a_scene_that_waits_for_its_recording(talk):
    save(talk, LINK, "rocket-fox")
    scene = script.load_scene(Settings(), "rocket-fox")
    assert (scene.photo, scene.prompt, scene.epsilon) == ("rocket", "a red fox", 6.5)
    assert scene.classes == (0, 1, 2, 657)
    assert (scene.caption, scene.notes) == ("For the room", "For me")
    assert [element.value for element in talk.at.info] == ["3 of 4 scenes ready, offline"]
    assert talk.at.button(key="talk.record").label == "Record what is missing"
    assert [one.key for one in talk.at.button if not one.label] == [], "an icon alone says little"


@pytest.mark.parametrize(
    ("link", "name", "words"),
    [
        (LINK, "Rocket Fox!", "small letters"),
        ("?eps=far", "far", "no number"),
        ("?head=classes&classes=unicorn", "unicorn", "no class of this head"),
        ("?mode=fly", "fly", "mode is one of"),
    ],
)
def test_a_scene_that_cannot_be_saved_is_refused_in_a_sentence(talk, link, name, words):
    save(talk, link, name)
    assert any(words in error for error in talk.errors)
    assert len(names()) == 3


def test_a_scene_file_is_loaded_and_another_file_refused(talk):
    scene = made_up_scene("theirs")
    talk.at.file_uploader(key="talk.load").set_value(
        ("theirs.json", scene.to_json().encode(), "application/json")
    )
    talk.run()
    assert script.load_scene(Settings(), "theirs") == scene
    talk.at.file_uploader(key="talk.load").set_value(
        ("bad.json", json.dumps([1]).encode(), "application/json")
    )
    talk.run()
    assert any("no scene" in error for error in talk.errors)


def test_a_talk_is_taken_along_as_one_page(talk, offered):
    talk.run()
    page = offered["talk.html"]()
    assert "The caption of scene-2." in page
    assert "https://" not in page


def test_what_explore_showed_last_is_offered_as_a_scene(cache):
    app = App(photo="coffee", prompt="a red fox")
    app.open("talk")
    link = app.at.text_input(key="talk.link").value
    if "app.link" in app.at.session_state:
        assert "photo=coffee" in link
        assert "prompt=a+red+fox" in link
    else:
        assert link == "./?"
