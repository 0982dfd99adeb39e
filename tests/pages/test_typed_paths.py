"""Paths that a visitor types: anywhere at one's own computer, else in one folder, or nowhere."""

import sys

import pytest
import streamlit as st

from pages._view import loaders
from pages._view.library import actions, typed_paths
from sing_core.errors import SingError, TypedPathError
from sing_core.files.samples import sample_bytes
from sing_core.settings import Settings
from tests.pages.driver import App

pytestmark = pytest.mark.slow  # whole pages


@pytest.fixture
def serve(monkeypatch):
    def at(address, sets_dir=None):
        monkeypatch.setattr(typed_paths.st, "get_option", lambda name: _options(name, address))
        settings = Settings(sets_dir=sets_dir)
        monkeypatch.setattr(loaders, "settings", lambda: settings)

    usual = st.get_option

    def _options(name, address):
        return address if name == "server.address" else usual(name)

    return at


def boxes(app):
    return [box.key for box in app.at.text_input]


def prepare(app, path):
    app.at.text_input(key="library.images").set_value(str(path))
    button = next(b for b in app.at.button if b.label == "Prepare")
    button.click()
    return app.run()


def captions(app):
    return " ".join(element.value for element in app.at.caption)


def test_the_server_listens_on_this_computer_alone_unless_told_otherwise():
    assert st.get_option("server.address") == "127.0.0.1"
    assert typed_paths.anywhere()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1", "[::1]", "localhost"])
def test_on_ones_own_computer_paths_lead_anywhere(serve, address, tmp_path):
    serve(address)
    assert (typed_paths.offered(), typed_paths.note()) == (True, "")
    assert typed_paths.followed(tmp_path) == tmp_path


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "10.1.2.3", "sing.example", "127"])
def test_elsewhere_no_path_is_followed_and_the_page_says_so(serve, address, tmp_path):
    serve(address)
    assert not typed_paths.offered()
    with pytest.raises(TypedPathError, match="other computers may reach this server"):
        typed_paths.followed(tmp_path)


def test_the_page_has_no_box_for_a_path_where_none_is_followed(serve):
    serve("0.0.0.0")
    app = App().open("library")
    assert "library.images" not in boxes(app)
    assert "Paths cannot be typed here, since other computers may reach" in captions(app)


def test_the_refusal_is_the_same_whether_something_is_there_or_not(serve, tmp_path):
    folder = tmp_path / "sets"
    folder.mkdir()
    (tmp_path / "secret").mkdir()
    (folder / "out").symlink_to(tmp_path / "secret")
    (folder / "loop").symlink_to(folder / "loop")
    serve("0.0.0.0", folder)
    app = App().open("library")
    assert "Paths lead into the folder that the owner" in captions(app)
    sentences = set()
    for path in (
        "/", "/etc", "/nowhere", "..", "../secret", "../missing", "out", "out/missing", "loop/x",
        "a\0b", tmp_path / "secret", sys.executable, folder / ".." / "secret", f"{folder}x",
    ):  # fmt: skip
        sentences.update(prepare(app, path).errors)
    if "loop" in str(sentences):  # some systems resolve a loop to itself, which is inside
        sentences = {words for words in sentences if "loop" not in words}
    assert len(sentences) == 1
    assert "this one leads elsewhere" in sentences.pop()


def test_a_set_in_the_folder_set_aside_is_prepared_by_its_short_name(serve, tmp_path):
    place = tmp_path / "sets" / "mine" / "n01443537"
    place.mkdir(parents=True)
    (place / "a.jpg").write_bytes(sample_bytes("chelsea"))
    serve("0.0.0.0", tmp_path / "sets")
    app = prepare(App().open("library"), "mine")
    assert app.errors == []
    told = app.at.success[0].value
    assert "is prepared under EfficientNet-Lite0: 1 of 1 images have scores" in told
    assert app.at.success[0].value.startswith("mine")


def test_names_of_classifiers_and_references_hold_no_path_that_leads_elsewhere(serve, tmp_path):
    folder = tmp_path / "sets"
    folder.mkdir()
    inside, outside = folder / "w.safetensors", tmp_path / "w.safetensors"
    for sets_dir in (None, folder):
        serve("0.0.0.0", sets_dir)
        for name in (
            f"resnet18@{outside}", "resnet18@w.safetensors", "resnet18@~/w.safetensors",
            f"vit_small_patch14_dinov2@{inside}@{outside}", f"resnet18@{folder}/../w.safetensors",
        ):  # fmt: skip
            with pytest.raises(TypedPathError):
                actions.load(name)
        for name in (f"local-dir:{tmp_path}", f"centred:local-dir:{tmp_path}", "local-dir:.."):
            with pytest.raises(TypedPathError):
                actions.load_reference(name)
    with pytest.raises(SingError, match=r"w\.safetensors") as caught:  # followed, and not there
        actions.load(f"resnet18@{inside}")
    assert not isinstance(caught.value, TypedPathError)
