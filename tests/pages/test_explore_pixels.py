"""Explore's drawer "Can pixels do it?": begun by a press, kept for its own question, in words."""

import shlex

import pytest

from pages._view.explore import pixels
from sing_core.cli import pixels as command_line
from sing_core.cli import units
from sing_core.studies.pixels import Effort
from tests.command import read
from tests.pages.driver import App

pytestmark = pytest.mark.slow  # networks are run forth and back


def unfolded(**query):
    app = App(**query)
    for panel in ("explore.pixels", "explore.pixels.command"):
        app.at.session_state[panel] = True
    return app.run()


def told(app):
    return [one.value for one in app.at.markdown if "of 255 levels" in one.value]


def button(app):
    return [one for one in app.at.button if one.key == "explore.pixels.search"]


def test_a_search_is_begun_by_a_press_and_kept_for_its_own_step(monkeypatch):
    effort = Effort(radii=(2,), steps=2, starts=1, controls=1)
    monkeypatch.setattr(pixels, "EFFORT", effort)
    app = unfolded()
    assert told(app) == []
    button(app)[0].click()
    app.run()
    assert (app.errors, app.warnings) == ([], [])
    (said,) = told(app)
    assert said.startswith(("**Within 2 of 255", "**Nothing was found: within 2 of 255"))
    table = next(one.value for one in app.at.dataframe if "share_of_step" in one.value.columns)
    assert list(table["toward"]) == ["the prompt", "random directions", "noise"]
    assert units.app is command_line.app  # an app of one command has no names for them
    (code,) = [one.value for one in app.at.code if " pixels " in one.value]
    verb, *words = shlex.split(code)[3:]
    asked = read(command_line.app, verb, words)
    assert (asked["radius"], asked["steps"]) == ([2], 2)
    assert asked["epsilon"] == pytest.approx(app.sweep["epsilon"][app.sweep["index"]])
    app.type_prompt("an image of a teapot")
    assert told(app) == []


def test_null_removal_is_not_searched_for_and_says_so():
    app = unfolded(mode="remove")
    assert button(app) == []
    assert any("choose to steer" in info.value for info in app.at.info)
