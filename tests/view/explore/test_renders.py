"""Who begins a rendering, who watches it, and who leaves it; nothing is drawn here."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pages._view import loaders
from pages._view.explore import renders
from pages._view.explore.question import Asked
from sing_core.pictures.audit import PictureAudit
from sing_core.pictures.jobs import PictureDesk
from sing_core.studies.question import Question


@pytest.fixture
def session(monkeypatch):
    """One browser's session, as a plain dictionary; pictures are on."""
    state = {renders._RENDERER: "inversion", renders._VIEW: "step", renders._STEP: "asked"}
    monkeypatch.setattr("streamlit.session_state", state)
    return state


@pytest.fixture
def desk(monkeypatch):
    """A desk whose worker never wakes up: jobs wait."""
    made = PictureDesk(timeout_s=30, first_after_s=60)
    monkeypatch.setattr(loaders, "desk", lambda: made)
    yield made
    made.close()


@pytest.fixture
def asked(chelsea, monkeypatch):
    nobody = SimpleNamespace(bench=loaders.bench())  # nothing is drawn, and nothing is recorded
    monkeypatch.setattr(loaders, "studio", lambda: nobody)
    return Asked(chelsea, Question("lite0", "an image of a jellyfish", "steer"))


def test_the_same_step_is_begun_once_and_watched_on(session, desk, asked):
    job = renders.begin(asked, asked.ask())
    assert job is not None
    assert renders.begin(asked, asked.ask()) is job
    assert not job.is_stopped


def test_another_step_leaves_the_rendering_before(session, desk, asked):
    first = renders.begin(asked, asked.ask())
    second = renders.begin(asked, asked.ask(1.0))
    assert first.is_stopped
    assert not second.is_stopped


def test_who_switches_pictures_off_leaves_them(session, desk, asked):
    job = renders.begin(asked, asked.ask())
    session[renders._RENDERER] = "off"
    assert renders.begin(asked, asked.ask()) is None
    assert job.is_stopped


def test_looking_at_a_rendering_begins_none(session, desk, asked, monkeypatch):
    job = renders.begin(asked, asked.ask())
    monkeypatch.setattr(desk, "job", None)  # whoever asks for one fails
    assert renders.period(job) == renders._ASLEEP_POLL_S
    assert renders.slot(job, asked, asked.ask())["frames"] == []
    assert renders.period(None) is None
    assert renders.slot(None, asked, asked.ask())["frames"] == []


def test_a_page_begins_anew_for_another_period_only_where_it_is_much_shorter(
    session, desk, asked, monkeypatch
):
    job = renders.begin(asked, asked.ask())
    monkeypatch.setattr(desk, "awake", True)
    assert renders.period(job) == 1.0
    assert not renders.changes(job, 1.0)
    assert not renders.changes(job, 1.5), "a crowd that shrinks a little changes nothing"
    assert renders.changes(job, 3.0)
    assert renders.changes(job, None), "another step is being drawn"
    job.stop()
    job._ended.set()
    assert renders.changes(job, 1.0), "nothing moves any more"
    assert not renders.changes(job, None)


def test_the_slot_says_why_a_picture_is_missing(session, desk, asked):
    job = renders.begin(asked, asked.ask())
    assert renders.slot(job, asked, asked.ask()) == {
        "frames": [],
        "pictures": "getting ready to draw",
        "feasible_deg": None,
    }
    job.step, job.steps = 44, 100
    assert renders.slot(job, asked, asked.ask())["pictures"] == "drawing 44 %"
    session[renders._VIEW] = "scale"
    assert "Another series" in renders.slot(job, asked, asked.ask())["pictures"]
    job.error = "It failed."
    assert renders.slot(job, asked, asked.ask())["pictures"].startswith("No picture:")
    assert "they are off" in renders.slot(None, asked, asked.ask())["pictures"]


def test_only_finished_pictures_are_shown_each_with_its_fault(session, desk, asked, monkeypatch):
    job = renders.begin(asked, asked.ask())
    monkeypatch.setattr(loaders, "class_labels", lambda: ("cat", "ball"))
    job.strip = SimpleNamespace(
        indices=(0, 7, 9),
        epsilon=(0.0, 3.0, 4.0),
        infeasible_share=(0.0, 0.8, 0.9),
        image_score_deg=(0.0, 14.0, 21.0),
        row_of=lambda index: 2,
    )
    job.frames = {row: np.zeros((8, 8, 3), np.uint8) for row in range(3)}
    good = PictureAudit(0.9, 25.8, 0.1, 0, True, 0.1)
    job.audits = {0: good, 1: replace(good, angle_deg=60.2, top1=1, agrees=False)}
    found = renders.slot(job, asked, asked.ask())
    assert [(one["index"], one["badge"]) for one in found["frames"]] == [
        (0, ""),
        (7, "not what was asked: 60° · picture reads as ball · feasible step: IS 14°"),
    ]
    assert found["feasible_deg"] == 21.0
