"""Recorded pictures in the squares: of the very question that is asked, or none."""

from dataclasses import replace

import numpy as np
import pytest

from pages._view import loaders, pickers
from pages._view.explore import recorded, renders
from pages._view.explore.question import Asked
from sing_core.files.images import decode_image
from sing_core.files.samples import sample_bytes
from sing_core.maths.head_variants import HeadVariant
from sing_core.pictures.audit import PictureAudit
from sing_core.pictures.jobs import PictureDesk
from sing_core.studies.question import Question

pytestmark = pytest.mark.slow  # the shipped weights

FIRST = Question("lite0", pickers.DEFAULT_PROMPT)


@pytest.fixture
def first(chelsea):
    """What the page asks of a visitor who brings no link."""
    return Asked(chelsea, FIRST)


def shown(asked, *, renderer="inversion", drawn="feasible", seed=0, **look):
    return recorded.frames(asked, asked.ask(**look), renderer, drawn, seed)


def test_the_first_question_has_recorded_pictures_that_say_so(first):
    sweep = first.ask().sweep
    frames = shown(first)
    assert frames[0]["index"] == 0
    assert len(frames) >= 3
    assert all(frame["src"].startswith("data:image/webp;base64,") for frame in frames)
    for frame in frames[1:]:
        at = f"recorded at IS {sweep.image_score_deg[frame['index']]:.1f}° · feasible step: IS "
        assert at in frame["badge"]
    assert frames[0]["badge"].split(" · ")[-1] == "recorded"
    near = min(abs(sweep.image_score_deg[frame["index"]] - 40) for frame in frames)
    assert near < 1, "none is near the step that is looked at first"


def test_where_one_looks_makes_no_other_question(first):
    sweep = first.ask().sweep
    steps = [round(sweep.epsilon[frame["index"]], 5) for frame in shown(first)]
    elsewhere = Asked(first.photo, replace(FIRST, target_deg=25.0))
    found = elsewhere.ask().sweep
    assert [round(found.epsilon[frame["index"]], 5) for frame in shown(elsewhere)] == steps
    assert [frame["src"] for frame in shown(first, epsilon=3.0)] == [
        frame["src"] for frame in shown(first)
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "an image of a jellyfish"},
        {"prompt": "an image of a Red Fox"},
        {"model": "lite1"},
        {"mode": "remove"},
        {"reference": "centred:mini"},
        {"variant": HeadVariant((281, 282), centred=False, threshold=0.0)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_question_has_no_recorded_picture(chelsea, other):
    assert shown(Asked(chelsea, replace(FIRST, **other))) == []


@pytest.mark.parametrize(
    "settings", [{"renderer": "drawn"}, {"drawn": "asked"}, {"seed": 1}], ids=repr
)
def test_other_settings_have_none(first, settings):
    assert shown(first, **settings) == []


def test_another_photo_has_none():
    coffee = decode_image(sample_bytes("coffee"))
    assert shown(Asked(coffee, FIRST)) == []


@pytest.mark.parametrize("what", ["renderer_identity", "model_digest", "reference", "image"])
def test_a_recording_of_other_weights_has_none(first, monkeypatch, what):
    from sing_core.talk import recalled

    real = recalled.load_recording

    def other(settings, scene):
        found = real(settings, scene)
        found.payload["facts"][what] = "0" * 64
        return found

    monkeypatch.setattr(recalled, "load_recording", other)
    assert shown(first) == []


def test_steps_with_other_scores_have_none(first, monkeypatch):
    from sing_core.talk import recalled

    real = recalled.load_recording

    def other(settings, scene):
        found = real(settings, scene)
        scores = found.payload["attribute_score_deg"]
        scores[1:] = [score + 0.2 for score in scores[1:]]  # as another translator would read
        return found

    monkeypatch.setattr(recalled, "load_recording", other)
    assert shown(first) == []


def test_the_squares_show_them_until_the_pair_is_drawn(first, monkeypatch):
    session = {renders._RENDERER: "inversion", renders._VIEW: "step", renders._STEP: "feasible"}
    monkeypatch.setattr("streamlit.session_state", session)
    desk = PictureDesk(timeout_s=30, first_after_s=60)  # its worker never wakes up
    monkeypatch.setattr(loaders, "desk", lambda: desk)
    try:
        report = first.ask()
        job = renders.begin(first, report)
        assert renders.slot(job, first, report)["frames"] == shown(first)
        from sing_core.studies.strips import along
        from sing_core.studies.subject import Subject

        subject = Subject.of(loaders.bench(), first.photo, report.question)
        job.strip = along(subject, report)
        read = PictureAudit(0.9, 25.8, 0.1, 0, True, 0.1)
        pair = (0, job.strip.row_of(report.index))
        job.frames = {row: np.zeros((8, 8, 3), np.uint8) for row in pair}
        job.audits = {0: read}
        assert renders.slot(job, first, report)["frames"] == shown(first), "one alone says nothing"
        job.audits = dict.fromkeys(pair, read)
        live = renders.slot(job, first, report)["frames"]
        assert [frame["index"] for frame in live] == [0, report.index]
        assert not any("recorded" in frame["badge"] for frame in live)
        session[renders._VIEW] = "scale"
        assert renders.slot(job, first, report)["frames"] == []
    finally:
        desk.close()
