"""Explore says what a network can produce of the step, also where no picture is drawn of it."""

import re

import pytest
import torch

from pages._view import loaders
from pages._view.explore import produced
from sing_core.studies.photo import feasible_image_score
from sing_core.studies.question import Question
from sing_core.studies.subject import Subject
from tests.pages.driver import App

pytestmark = pytest.mark.slow  # a programme is solved


def unfolded(**query):
    app = App(**query)
    app.at.session_state["explore.produced"] = True
    return app.run()


def said(app):
    return [one.value for one in app.at.markdown if "cannot be produced" in one.value]


def test_with_pictures_off_the_feasible_step_has_its_scores():
    app = unfolded()
    assert (app.errors, app.warnings) == ([], [])
    (told,) = said(app)
    index = app.sweep["index"]
    turned = float(re.search(r"has IS ([\d.]+)°", told)[1])
    assert 0 < turned < app.sweep["image_score_deg"][index], "cut to what can be, it turns less"
    nearer = float(re.search(r"AS ([+\d.]+)°", told)[1])
    assert 0 < nearer < app.sweep["attribute_score_deg"][index]


def test_what_the_commands_call_feasible_is_told_apart_from_the_step_that_is_drawn(chelsea):
    app = unfolded()
    (told,) = said(app)
    drawn, nearest = (float(one) for one in re.findall(r"has IS ([\d.]+)°", told))
    assert nearest < drawn, "steered anew it turns further than cut from the step as asked"
    sweep = app.sweep
    question = Question("lite0", sweep["prompt"], "steer")
    subject = Subject.of(loaders.bench(), chelsea, question)
    step = torch.tensor([sweep["epsilon"][sweep["index"]]], dtype=torch.float64)
    walk = subject.line.walk(subject.classifier.linear, step)
    assert feasible_image_score(subject, walk.features) == pytest.approx(nearest, abs=0.051)


def test_no_step_has_nothing_to_produce():
    assert produced._NO_STEP in [one.value for one in unfolded(eps="0").at.caption]
