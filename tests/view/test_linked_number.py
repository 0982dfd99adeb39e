"""A number in the link: the input follows the link, the link follows the input."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.history import travel


def script():
    import streamlit as st

    from pages._view import state
    from pages._view.linked_number import LinkedNumber

    share = LinkedNumber("share", "share", 0.5, (0.0, 10.0), "a share")
    seed = LinkedNumber("seed", "seed", 3, (0, 2**31 - 1), "a seed", whole=True)
    state.enter("page")
    if not st.checkbox("Elsewhere"):
        share.receive()
        seed.receive()
        own = st.number_input("Share", 0.0, 10.0, None, key="share")
        st.caption(repr(share.publish(own)))
        st.caption(repr(seed.publish(st.number_input("Seed", 0, 2**31 - 1, key="seed"))))
    state.write_url()


def opened(**query):
    app = AppTest.from_function(script)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def counted(app):
    return [caption.value for caption in app.caption]


def url(app):
    found = {name: app.query_params[name] for name in app.query_params}
    return {name: v[0] if isinstance(v, list) else v for name, v in found.items()}


@pytest.mark.slow
def test_without_a_link_the_defaults_count_and_stay_out_of_the_url():
    app = opened()
    assert counted(app) == ["0.5", "3"]
    assert url(app) == {}


@pytest.mark.slow
def test_a_link_sets_the_inputs_to_the_last_digit():
    app = opened(share="0.5500001", seed="2147483647")
    assert app.number_input(key="share").value == 0.5500001
    assert counted(app) == ["0.5500001", "2147483647"]
    assert url(app) == {"share": "0.5500001", "seed": "2147483647"}


@pytest.mark.slow
def test_the_input_wins_over_a_link_that_has_not_changed():
    app = opened(seed="7")
    app.number_input(key="seed").set_value(8).run()
    assert (counted(app)[1], url(app)) == ("8", {"seed": "8"})
    travel(app, seed="9")
    assert app.number_input(key="seed").value == 9


def test_an_emptied_input_keeps_the_last_number():
    app = opened(share="2")
    app.number_input(key="share").set_value(None).run()
    assert (counted(app)[0], url(app)) == ("2.0", {"share": "2"})


def test_an_input_that_was_gone_comes_back_with_its_number():
    app = opened()
    app.number_input(key="seed").set_value(8).run()
    app.checkbox[0].check().run()
    assert counted(app) == []
    app.checkbox[0].uncheck().run()
    assert (app.number_input(key="seed").value, counted(app)[1]) == (8, "8")


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked",
    [{"share": "-1"}, {"share": "nan"}, {"share": "1,5"}, {"seed": "2.5"}, {"seed": "2147483648"}],
)
def test_a_number_that_cannot_be_used_gets_a_sentence_and_the_default(asked):
    app = opened(**asked)
    (warning,) = app.warning
    assert warning.value.startswith(f"The link asks for a {next(iter(asked))} that cannot be used")
    assert (counted(app), url(app)) == (["0.5", "3"], {})
