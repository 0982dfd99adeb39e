"""Uploads: every kind of picture is handled right, every bad file costs nothing that was there."""

import hashlib

import pytest

from tests.pages import photo_files
from tests.pages.driver import App
from tests.shared_data import case

SAME = photo_files.same_pixels()
OTHER = photo_files.other_good_files()
BAD = photo_files.bad_files()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "file", "plain", "note"), SAME, ids=[case[0] for case in SAME])
def test_a_file_gives_the_numbers_of_the_plain_picture_it_holds(app, name, file, plain, note):
    app.upload(file, "holiday.png").assert_shows_numbers()
    assert app.errors == []
    assert app.sweep["photo_note"] == (note or "")
    # The last digits of a sum depend on the machine's mood, the picture does not.
    expected = App().upload(plain).assert_shows_numbers().shown
    assert app.shown[:2] == pytest.approx(expected[:2], abs=1e-5)


@pytest.mark.slow
def test_a_jpeg_is_taken_under_the_name_that_windows_gives_it(app):
    file = case("jfif-upload") / "photo.jfif"
    app.upload(file.read_bytes(), file.name).assert_shows_numbers()
    assert app.errors == []
    (uploader,) = app.at.get("file_uploader")
    assert not uploader.proto.type  # the browser asks no name for its ending


@pytest.mark.slow
@pytest.mark.parametrize(("name", "file", "note"), OTHER, ids=[case[0] for case in OTHER])
def test_an_unusual_file_gives_numbers_and_says_what_was_done(app, name, file, note):
    app.upload(file, "holiday.png").assert_shows_numbers()
    assert app.errors == []
    if note:
        assert note in app.sweep["photo_note"]


@pytest.mark.parametrize(("name", "file", "sentence"), BAD, ids=[case[0] for case in BAD])
@pytest.mark.slow
def test_a_bad_file_gets_one_sentence_and_the_photo_stays(app, name, file, sentence):
    good = photo_files.encoded(photo_files.picture(), "JPEG")
    before = app.upload(good).assert_shows_numbers().numbers
    query = app.query
    app.upload(file, "holiday.jpg")
    (said,) = app.errors
    assert sentence in said
    assert said.endswith("The photo below stays as it was.")
    assert (app.assert_shows_numbers().numbers, app.query) == (before, query)


@pytest.mark.slow
def test_a_bad_file_before_any_upload_leaves_the_sample(app):
    before = app.numbers
    app.upload(b"not a picture")
    assert len(app.errors) == 1
    assert app.numbers == before


@pytest.mark.slow
def test_the_button_names_the_photo_whose_numbers_are_shown(app):
    assert app.photo_button == "Photo: Chelsea the cat"
    app.upload(photo_files.encoded(photo_files.picture(), "JPEG"))
    assert app.photo_button == "Photo: your own"
    app.choose_source("sample").choose_sample("coffee")
    assert app.photo_button == "Photo: Cup of coffee"


@pytest.mark.slow
def test_what_was_done_to_a_file_is_said_on_its_photo_alone_and_not_of_a_refused_one(app):
    name, file, _, note = next(case for case in SAME if case[3])
    app.upload(file, name)
    assert app.sweep["photo_note"] == note
    assert note not in app.captions, "once is enough"
    app.upload(b"not a picture")
    assert len(app.errors) == 1
    assert app.sweep["photo_note"] == note, "of the photo that stayed"
    assert [caption.value for caption in app.photo_popover.caption] == []
    app.choose_source("sample")
    assert app.sweep["photo_note"] == ""


@pytest.mark.slow
def test_an_upload_lands_in_the_url_by_its_digest_and_opens_cold(app):
    payload = photo_files.encoded(photo_files.picture(), "JPEG")
    digest = hashlib.sha256(payload).hexdigest()
    app.upload(payload)
    assert app.query == {"photo": digest}
    assert App(photo=digest).assert_shows_numbers().numbers == app.numbers


@pytest.mark.slow
def test_an_upload_survives_a_change_of_classifier_and_a_visit_to_another_page(app):
    app.upload(photo_files.encoded(photo_files.picture(), "PNG"))
    digest = app.query["photo"]
    app.choose_model("lite1").assert_shows_numbers()
    before = app.numbers
    app.open("method")
    app.at.query_params.clear()
    app.open("explore").assert_shows_numbers()
    assert app.query == {"photo": digest, "model": "lite1"}
    assert app.numbers == before


@pytest.mark.slow
def test_back_leads_to_the_upload_before(app):
    app.upload(photo_files.encoded(photo_files.picture(), "PNG"))
    first, query = app.numbers, app.query
    app.upload(photo_files.encoded(photo_files.picture(), "JPEG"))
    assert app.query != query
    app.travel(**query)  # the uploader holds the second
    assert (app.numbers, app.query) == (first, query)
    assert app.type_prompt("an image of a dog").query["photo"] == query["photo"]


@pytest.mark.slow
def test_the_own_photo_comes_back_after_a_sample(app):
    app.upload(photo_files.encoded(photo_files.picture(), "PNG"))
    before, query = app.numbers, app.query
    app.choose_source("sample").choose_sample("coffee").choose_source("upload")
    assert (app.errors, app.numbers, app.query) == ([], before, query)
    linked = App(**query).choose_source("sample").choose_source("upload")
    assert (linked.numbers, linked.query) == (before, query)


@pytest.mark.slow
def test_going_back_to_the_samples_shows_the_sample(app):
    before = app.numbers
    app.upload(photo_files.encoded(photo_files.picture(), "PNG"))
    assert app.numbers != before
    app.choose_source("sample")
    assert (app.numbers, app.query) == (before, {})
