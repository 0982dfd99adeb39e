"""The URL as state: what comes in is checked, what goes out is what differs from the default."""

import pytest
from streamlit.testing.v1 import AppTest

from pages._view import state


def script():
    import streamlit as st

    from pages._view import state

    state.enter(st.session_state.get("on", "page"))
    state.receive("model", "box", "one", ["one", "two"].__contains__, "a model")
    chosen = st.selectbox("Box", ["one", "two"], key="box")
    state.publish("model", chosen, "one")
    state.write_url()


def opened(**query):
    app = AppTest.from_function(script)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def url(app):
    return {name: app.query_params[name] for name in app.query_params}


def test_a_link_sets_the_widget():
    app = opened(model="two")
    assert (app.selectbox(key="box").value, len(app.warning)) == ("two", 0)


def test_the_default_stays_out_of_the_url():
    app = opened()
    assert url(app) == {}
    app.selectbox(key="box").set_value("two").run()
    assert list(url(app)) == ["model"]
    app.selectbox(key="box").set_value("one").run()
    assert url(app) == {}


def test_the_widget_wins_over_an_url_that_has_not_changed():
    app = opened(model="two")
    app.selectbox(key="box").set_value("one").run()
    assert app.selectbox(key="box").value == "one"


def test_back_in_the_browser_moves_the_widget():
    app = opened()
    app.selectbox(key="box").set_value("two").run()
    app.query_params.clear()
    app.run()
    assert app.selectbox(key="box").value == "one"
    app.query_params["model"] = "two"
    app.run()
    assert app.selectbox(key="box").value == "two"


def test_a_value_that_is_none_of_the_options_gets_a_sentence_and_leaves_the_url():
    app = opened(model="three")
    (warning,) = app.warning
    assert warning.value.startswith("The link asks for a model that cannot be used;")
    assert (app.selectbox(key="box").value, url(app)) == ("one", {})


def test_coming_back_from_another_page_keeps_the_choice():
    app = opened(model="two")
    app.session_state["app.page"] = "elsewhere"
    app.query_params.clear()
    app.run()
    assert app.selectbox(key="box").value == "two"


@pytest.mark.parametrize("text", ["0", "1", "0.5", "1e-3", " 1 "])
def test_a_number_within_the_bounds_is_one(text):
    assert state.is_number(0, 1)(text)


@pytest.mark.parametrize("text", ["", "nan", "inf", "-inf", "1e999", "-0.1", "2", "one", "1,5"])
def test_anything_else_is_none(text):
    assert not state.is_number(0, 1)(text)
