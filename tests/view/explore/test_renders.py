"""Who begins a rendering, who watches it, and who leaves it; nothing is drawn here."""

import pytest

from pages._view import loaders
from pages._view.explore import renders
from pages._view.explore.question import Asked
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
    monkeypatch.setattr(loaders, "studio", lambda: None)  # nothing is drawn
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
    assert renders.frames(job) == []
    assert renders.period(None) is None
    assert renders.frames(None) == []


def test_who_waits_for_the_first_picture_watches_all_the_while(session, desk, asked, monkeypatch):
    job = renders.begin(asked, asked.ask())
    looks = []
    monkeypatch.setattr(renders, "_FIRST_S", 0.2)
    monkeypatch.setattr(renders, "_controls", lambda: None)
    monkeypatch.setattr(job, "look", looks.append)
    renders.show(asked, asked.ask(), job)
    assert len(looks) > 3
    assert set(looks) == {session["app.who"]}
