"""Strips: which features are drawn, by whom, in the background, and what they are read as."""

import threading
import time

import numpy as np
import pytest
import torch

from sing_core import picture_jobs
from sing_core.analysis import analyse_image
from sing_core.errors import RenderCancelledError, SingError, UnknownNameError
from sing_core.images import decode_image
from sing_core.picture_jobs import PictureDesk
from sing_core.pictures import Studio, perturbations
from sing_core.render.inversion import InversionRenderer
from sing_core.samples import sample_bytes

PROMPT = "an image of a jellyfish"


@pytest.fixture(scope="module")
def bench(real_bench):
    return real_bench


@pytest.fixture(scope="module")
def photo():
    return decode_image(sample_bytes("chelsea"))


@pytest.fixture(scope="module")
def report(bench, photo):
    return analyse_image(bench, photo, model="lite0", prompt=PROMPT)


@pytest.fixture(scope="module")
def studio(bench):
    return Studio(bench)


def test_a_strip_begins_at_the_feature_and_holds_the_wanted_step(bench, photo, studio, report):
    strip = studio.strip(photo, report)
    assert strip.indices[0] == 0
    assert strip.indices[-1] == len(report.sweep.epsilon) - 1
    assert report.index in strip.indices
    assert strip.indices[strip.row_of(report.index)] == report.index
    assert torch.equal(strip.features[0], bench.features("lite0", photo))
    assert max(strip.max_logit_drift) <= 1e-5 * report.max_abs_logit


def test_a_feasible_strip_is_not_negative_and_states_its_price(photo, studio, report):
    strip = studio.strip(photo, report, frames=3, feasible=True)
    assert float(strip.features.min()) >= 0
    assert strip.infeasible_share is not None
    assert strip.infeasible_share[0] == 0
    assert max(strip.max_logit_drift) <= 0.031 * report.max_abs_logit


def test_removal_has_a_strip_too(bench, photo, studio):
    removal = analyse_image(bench, photo, model="lite0", prompt=PROMPT, mode="remove")
    strip = studio.strip(photo, removal, frames=2)
    removed = bench.classifier("lite0").head.remove_null(bench.features("lite0", photo))
    torch.testing.assert_close(strip.features[-1], removed, rtol=0, atol=1e-4)


def test_perturbations_are_equally_long_and_only_one_is_seen(bench, photo, studio, report):
    classifier = bench.classifier("lite0")
    strip = studio.strip(photo, report)
    rows = perturbations(classifier, strip.features[0], strip.features[-1], seed=1)
    lengths = (rows[1:] - rows[0]).norm(dim=1)
    torch.testing.assert_close(lengths, lengths[:1].expand(3), rtol=1e-4, atol=0)
    drift = (classifier.logits(rows) - classifier.logits(rows[0])).abs().amax(dim=1)
    assert drift[1] < 1e-4 * drift[3]
    assert drift[2] < drift[3]


def test_the_photo_itself_is_read_as_what_it_is(bench, photo, studio, report):
    feature = bench.features("lite0", photo)
    text = bench.text_embedding("mini", PROMPT, bench.vocabulary("mini"))
    (audit,) = studio.audit(photo, report, np.asarray(photo.image)[None], feature[None], text)
    assert audit.agrees
    assert audit.angle_deg < 0.1
    assert audit.max_logit_drift < 1e-3


def test_a_renderer_that_is_not_known_or_not_here_is_said_in_words(studio):
    with pytest.raises(UnknownNameError, match="inversion, karlo"):
        studio.renderer("dream", "lite0")
    with pytest.raises(SingError, match="Karlo"):
        studio.renderer("karlo", "lite0")
    assert isinstance(studio.renderer("inversion", "lite0"), InversionRenderer)


@pytest.fixture
def desk():
    made = PictureDesk()
    yield made
    made.close()


def wait_for(job):
    for _ in range(500):
        if job.done:
            return
        job.look()
        time.sleep(0.01)
    raise AssertionError("the job did not end")


def test_two_who_ask_for_the_same_share_one_rendering(desk):
    begun, go = [], threading.Event()

    def work(job):
        begun.append(job)
        go.wait(5)
        job.audits = ("read",)

    first, second = desk.job("a", work), desk.job("a", work)
    go.set()
    wait_for(first)
    assert first is second
    assert desk.job("a", work) is first
    assert len(begun) == 1


def test_a_rendering_that_nobody_watches_stops_and_can_be_asked_for_again(desk, monkeypatch):
    monkeypatch.setattr(picture_jobs, "_FORGOTTEN_AFTER_S", 0.05)

    def work(job):
        while not job.should_stop():
            time.sleep(0.01)
        raise RenderCancelledError("stopped")

    job = desk.job("a", work)
    for _ in range(300):
        if job.done:
            break
        time.sleep(0.01)
    assert job.done
    assert job.error == ""
    assert desk.job("a", work) is not job


def test_what_goes_wrong_becomes_a_sentence(desk):
    def refuse(job):
        raise SingError("The weights are missing.")

    def break_down(job):
        raise ZeroDivisionError

    refused, broken = desk.job("a", refuse), desk.job("b", break_down)
    wait_for(refused)
    wait_for(broken)
    assert refused.error == "The weights are missing."
    assert "log" in broken.error
