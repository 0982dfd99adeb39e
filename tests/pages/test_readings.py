"""The two readings of a reference on the pages: chosen once, in the link, and said."""

import pytest

from pages._view import loaders
from pages._view.words.help import CENTRED_NOTE
from tests.pages.driver import App

CENTRED = "centred:mini"


def read(app, reading):
    return app._set(app.at.button_group(key=loaders.READING), reading)


def is_said(app):
    return any(CENTRED_NOTE in caption for caption in app.captions)


@pytest.mark.slow
def test_a_reading_is_chosen_once_for_all_pages_and_is_in_the_link():
    app = App()
    assert (app.at.button_group(key=loaders.READING).value, is_said(app)) == ("raw", False)
    raw, decision = app.numbers, app.facts["Decision"]
    read(app, "centred").assert_shows_numbers()
    assert app.query["reference"] == CENTRED
    assert is_said(app)
    assert app.numbers["attribute_score_deg"] != raw["attribute_score_deg"]
    assert app.facts["Decision"] == decision
    app.at.session_state["explore.command"] = True
    app.run()
    assert f"--reference {CENTRED}" in "".join(code.value for code in app.at.code)

    linked = App(reference=CENTRED)
    assert linked.at.button_group(key=loaders.READING).value == "centred"
    assert linked.numbers == app.numbers
    assert linked.query == {"reference": CENTRED}

    validate = linked.open("validate")
    assert validate.errors == []
    assert validate.at.button_group(key=loaders.READING).value == "centred"
    read(validate, "raw")
    assert "reference" not in validate.query


@pytest.mark.slow
def test_the_tables_of_the_embedded_set_are_there_in_both_readings():
    app = App(reference=CENTRED)
    for page in ("classes", "concepts", "compare"):
        app.open(page)
        assert app.errors == [], page
        assert is_said(app), page
        assert app.query["reference"] == CENTRED
    centred = app.at.dataframe[0].value
    read(app, "raw")
    assert not is_said(app)
    assert not centred.equals(app.at.dataframe[0].value)


@pytest.mark.slow
def test_without_a_centre_the_page_says_so_and_raw_angles_stay(assets):
    for file in (assets / "centres").iterdir():
        file.unlink()
    app = App(reference=CENTRED)
    assert "There is no centre of mini" in app.errors[0]
    read(app, "raw").assert_shows_numbers()
    assert app.errors == []


@pytest.mark.slow
def test_a_reading_of_a_reference_that_is_not_here_is_answered_by_the_default():
    app = App(reference="centred:no such thing")
    assert "is not loaded on this server" in app.warnings[0]
    assert app.at.button_group(key=loaders.READING).value == "raw"
