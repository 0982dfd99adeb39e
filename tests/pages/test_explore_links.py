"""Cold deep links: what was set opens again; what was edited by hand is data, never trusted."""

import pytest

from sing_core.models.known_words import NOTE
from tests.pages.driver import App

pytestmark = pytest.mark.slow  # whole pages

FULL = {
    "model": "lite1",
    "photo": "coffee",
    "prompt": "a red dog",
    "mode": "remove",
    "is": "25",
}
RUBBISH = ("", "nan", "-1", "1e999", "../../etc/passwd", "<script>alert(1)</script>", "é" * 2_000)


def test_a_cold_link_opens_what_was_set():
    app = App(**FULL).assert_shows_numbers()
    assert (app.errors, app.warnings, app.query) == ([], [], FULL)
    assert app.at.selectbox(key="explore.model").value == "lite1"
    assert app.at.selectbox(key="explore.sample").value == "coffee"
    assert app.at.selectbox(key="explore.prompt").value == "a red dog"
    assert app.at.button_group(key="explore.mode").value == "remove"
    assert app.at.number_input(key="explore.is").value == 25
    assert app.sweep["prompt"] == "a red dog"


def test_a_link_opens_the_numbers_that_clicking_gives(app):
    app.choose_model("lite1").choose_sample("coffee").type_prompt("a red dog")
    app.choose_mode("remove").want(25.0)
    assert app.query == FULL
    assert App(**FULL).numbers == app.numbers


def test_a_step_in_the_link_sets_the_slider(app):
    step = app.sweep["epsilon"][17]
    linked = App(eps=f"{step:.6g}").assert_shows_numbers()
    assert linked.sweep["index"] == 17
    assert linked.query == {"eps": f"{step:.6g}"}
    assert linked.warnings == []


def test_a_step_between_two_of_the_sweep_is_said_once(app):
    below, above = app.sweep["epsilon"][17:19]
    linked = App(eps=f"{0.7 * below + 0.3 * above:.6g}").assert_shows_numbers()
    linked.assert_says("which this sweep does not have", f"the nearest, ε = {below:.6g}, is shown")
    assert linked.sweep["index"] == 17
    linked.travel(eps=f"{below:.6g}")
    assert linked.warnings == []


def test_a_step_far_beyond_the_sweep_shows_its_end():
    linked = App(eps="1e9").assert_shows_numbers()
    linked.assert_says("The link asks for a step of ε = 1e+09", "does not have; the nearest")
    assert linked.sweep["index"] == len(linked.sweep["epsilon"]) - 1
    assert linked.query == {"eps": f"{linked.sweep['epsilon'][-1]:.6g}"}


@pytest.mark.parametrize(
    "change",
    [
        lambda app: app.type_prompt("a red dog"),
        lambda app: app.choose_model("lite1"),
        lambda app: app.choose_sample("coffee"),
        lambda app: app.choose_mode("remove"),
        lambda app: app.want(25.0),
    ],
    ids=["prompt", "classifier", "photo", "mode", "wanted score"],
)
def test_a_step_belongs_to_its_question(app, change):
    expected = change(app).numbers
    linked = change(App(eps="3").assert_shows_numbers())
    assert (linked.numbers, linked.query) == (expected, app.query)


def test_a_link_that_changes_the_question_brings_its_own_step(app):
    step = f"{app.sweep['epsilon'][17]:.6g}"
    linked = App(eps=step).type_prompt("a red dog")
    assert "eps" not in linked.query
    linked.travel(eps=step)
    assert (linked.sweep["index"], linked.query) == (17, {"eps": step})


def test_an_uploaded_photo_that_is_not_kept_here_gets_a_sentence():
    app = App(photo="0" * 64).assert_says("This link names a photo that is not kept", "Upload it")
    assert len(app.at.exception) == 0
    app.choose_source("sample").assert_shows_numbers()


@pytest.mark.parametrize("name", ["model", "mode", "is", "eps"])
@pytest.mark.parametrize("value", RUBBISH[1:3], ids=RUBBISH[1:3])
def test_a_rubbish_value_is_told_even_where_the_photo_is_not_kept(name, value):
    app = App(photo="0" * 64, **{name: value})
    app.assert_says("This link names a photo that is not kept")
    app.assert_says("The link asks for", "the default is shown instead")
    assert (len(app.warnings), app.errors, app.sweep) == (2, [], None)
    app.choose_source("sample").assert_shows_numbers()
    assert (app.warnings, app.query) == ([], {})


def test_a_rubbish_step_is_told_beside_an_unusable_prompt():
    app = App(eps="nan", prompt="😀🎉").assert_says("The link asks for a step")
    assert (len(app.warnings), len(app.errors), app.sweep) == (1, 1, None)
    app.type_prompt("a red dog").assert_shows_numbers()
    assert (app.warnings, app.query) == ([], {"prompt": "a red dog"})


def test_a_step_in_the_link_waits_until_there_is_a_photo(app):
    step = f"{app.sweep['epsilon'][17]:.6g}"
    linked = App(photo="0" * 64, eps=step)
    assert len(linked.warnings) == 1, linked.warnings
    linked.choose_source("sample").assert_shows_numbers()
    assert (linked.sweep["index"], linked.query) == (17, {"eps": step})


@pytest.mark.parametrize("name", ["model", "mode", "is", "eps"])
@pytest.mark.parametrize("value", RUBBISH, ids=range(len(RUBBISH)))
def test_a_rubbish_value_gets_one_sentence_and_the_default(name, value):
    app = App(**{name: value})
    assert len(app.warnings) == 1
    assert "The link asks for" in app.warnings[0]
    assert "the default is shown instead" in app.warnings[0]
    assert value not in app.warnings[0] or not value
    app.assert_shows_numbers()
    assert app.query == {}


@pytest.mark.parametrize("value", RUBBISH[1:], ids=range(1, len(RUBBISH)))
def test_a_photo_of_a_rubbish_name_gets_a_sentence_and_the_link_names_what_is_shown(value):
    app = App(photo=value, model="lite1").assert_shows_numbers()
    assert len(app.warnings) == 1
    app.assert_says("The link asks for a photo that cannot be used; the default is shown instead")
    assert (app.errors, app.query) == ([], {"model": "lite1"})
    assert app.at.selectbox(key="explore.sample").value == "chelsea"


def test_classes_of_a_link_that_are_none_are_said_where_their_box_is_folded_away():
    app = App(classes="0-2000").assert_shows_numbers()
    assert app.warnings == [
        "The link asks for classes that cannot be used; the default is shown instead."
    ]
    assert app.query == {}
    below = App(head="classes", classes="0-2000")
    assert (below.warnings, len(below.errors)) == ([], 1), "the box says it, and once is enough"
    usable = App(classes="0-20")
    assert (usable.warnings, usable.query) == ([], {"classes": "0-20"})


def test_an_empty_or_endless_prompt_in_a_link_gets_a_sentence_and_the_default():
    for value in ("", "x" * 10_000):
        app = App(prompt=value).assert_says("The link asks for a prompt that cannot be used")
        app.assert_shows_numbers()


def test_a_prompt_without_any_known_word_gets_one_calm_sentence():
    app = App(prompt="asdkjh qwe zxc").assert_shows_numbers()
    assert (app.captions.count(NOTE), app.warnings, app.errors) == (1, [], [])
    assert NOTE not in app.type_prompt("a red dog").captions


def test_markup_in_a_linked_prompt_is_measured_as_text():
    prompt = "<img src=x onerror=alert(1)>"
    app = App(prompt=prompt).assert_shows_numbers()
    assert app.sweep["concepts"][0]["label"] == prompt


def test_everything_rubbish_at_once_still_shows_numbers():
    names = ("model", "mode", "is", "eps", "unknown")
    app = App(**dict.fromkeys(names, "';--"), prompt="").assert_shows_numbers()
    assert len(app.warnings) == 5
    app.run()
    assert app.warnings == [], "a warning outlives its cause"


def test_a_link_with_unknown_parameters_ignores_them():
    App(utm_source="mail", embed="true").assert_shows_numbers()


@pytest.mark.parametrize(
    "switch",
    ["explore.mode", "explore.source", "explore.renderer", "explore.pictures", "explore.drawn"],
)
def test_a_switch_that_the_browser_sends_empty_is_at_its_default(switch):
    """Impatient clicking does it: the page is built anew, and the switch has no state yet."""
    app = App(photo="coffee", renderer="inversion")
    others = {name: value for name, value in app.query.items() if f"explore.{name}" != switch}
    app.at.session_state[switch] = None
    app.run()
    assert app.query == others
    assert app.errors == []
