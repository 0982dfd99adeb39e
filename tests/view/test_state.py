"""The URL as state: what comes in is checked, what goes out is what differs from the default."""

from unittest.mock import patch

import pytest
from streamlit.runtime.state.query_params_proxy import QueryParamsProxy
from streamlit.testing.v1 import AppTest

from pages._view import state
from tests.history import travel


def script():
    import streamlit as st

    from pages._view import state

    state.enter(st.session_state.get("on", "page"))
    options = ["one", "two", "three", "four"]
    state.receive("model", "box", "one", options.__contains__, "a model")
    chosen = st.selectbox("Box", options, key="box")
    state.publish("model", chosen, "one")
    state.write_url()


def opened(**query):
    app = AppTest.from_function(script)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def url(app):
    found = {name: app.query_params[name] for name in app.query_params}
    return {name: v[0] if isinstance(v, list) else v for name, v in found.items()}


@pytest.mark.slow
def test_a_link_sets_the_widget():
    app = opened(model="two")
    assert (app.selectbox(key="box").value, len(app.warning)) == ("two", 0)


@pytest.mark.slow
def test_the_default_stays_out_of_the_url():
    app = opened()
    assert url(app) == {}
    app.selectbox(key="box").set_value("two").run()
    assert list(url(app)) == ["model"]
    app.selectbox(key="box").set_value("one").run()
    assert url(app) == {}


@pytest.mark.slow
def test_the_widget_wins_over_an_url_that_has_not_changed():
    app = opened(model="two")
    app.selectbox(key="box").set_value("one").run()
    assert app.selectbox(key="box").value == "one"


@pytest.mark.slow
def test_back_in_the_browser_moves_the_widget():
    app = opened()
    app.selectbox(key="box").set_value("two").run()
    travel(app)
    assert (app.selectbox(key="box").value, url(app)) == ("one", {})
    travel(app, model="two")
    assert (app.selectbox(key="box").value, url(app)) == ("two", {"model": "two"})


@pytest.mark.slow
@pytest.mark.parametrize("late", [{}, {"model": "two"}, {"model": "three"}])
def test_an_url_that_comes_late_is_not_taken_for_back(late):
    app = opened()
    for chosen in ("two", "three"):
        app.selectbox(key="box").set_value(chosen).run()
    app.query_params.clear()
    app.query_params.update(late)  # the browser sent its message before it had the newest URL
    app.selectbox(key="box").set_value("four").run()
    assert (app.selectbox(key="box").value, url(app)) == ("four", {"model": "four"})
    app.query_params.clear()
    app.query_params.update(late)  # and a look at the pictures changes nothing at all
    app.run()
    assert (app.selectbox(key="box").value, url(app)) == ("four", {"model": "four"})


@pytest.mark.slow
def test_what_was_overtaken_on_its_way_is_written_again():
    app = opened()
    app.selectbox(key="box").set_value("two").run()
    app.query_params.clear()  # the browser had not yet "two" when the person chose "one" again
    with patch.object(QueryParamsProxy, "from_dict", autospec=True) as written:
        app.selectbox(key="box").set_value("one").run()
    assert [call.args[1] for call in written.call_args_list] == [{}]


@pytest.mark.slow
def test_whoever_acts_at_once_after_back_has_the_last_word():
    app = opened(model="two")
    travel(app)
    app.selectbox(key="box").set_value("three").run()
    (box,) = app.get("selectbox")
    assert (box.proto.set_value, box.proto.raw_value) == (True, "three")
    for _ in range(3):
        app.run()
    (box,) = app.get("selectbox")
    assert not box.proto.set_value


@pytest.mark.slow
def test_a_value_that_is_none_of_the_options_gets_a_sentence_and_leaves_the_url():
    app = opened(model="five")
    (warning,) = app.warning
    assert warning.value.startswith("The link asks for a model that cannot be used;")
    assert (app.selectbox(key="box").value, url(app)) == ("one", {})


@pytest.mark.slow
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
