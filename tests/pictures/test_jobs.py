"""The desk: one rendering at a time, shared, in order, in the background, with an end."""

import os
import threading
import time

import numpy as np
import pytest

from sing_core.errors import RenderCancelledError, SingError
from sing_core.pictures import jobs
from sing_core.pictures.frame_cache import decode_webp
from sing_core.pictures.jobs import PictureDesk, PictureJob


@pytest.fixture
def desk():
    made = PictureDesk(timeout_s=30)
    yield made
    made.close()


def wait_for(job):
    for _ in range(500):
        if job.done:
            return
        job.look()
        time.sleep(0.01)
    raise AssertionError("the job did not end")


def until_stopped(job):
    while not job.should_stop():
        time.sleep(0.01)
    raise RenderCancelledError("stopped")


def test_two_who_ask_for_the_same_share_one_rendering(desk):
    begun, go = [], threading.Event()

    def work(job):
        begun.append(job)
        go.wait(5)

    first, second = desk.job("a", work), desk.job("a", work)
    go.set()
    wait_for(first)
    assert first is second
    assert desk.job("a", work) is first
    assert len(begun) == 1


def test_who_leaves_does_not_take_the_pictures_of_who_stays(desk):
    job = desk.job("a", until_stopped, who="one")
    assert desk.job("a", until_stopped, who="two") is job
    job.leave("one")
    assert not job.should_stop()
    job.leave("two")
    job.wait(5)
    assert job.done


def test_a_rendering_that_nobody_watches_stops_and_can_be_asked_for_again(desk, monkeypatch):
    monkeypatch.setattr(jobs, "_FORGOTTEN_AFTER_S", 0.05)
    job = desk.job("a", until_stopped)
    job.wait(5)
    assert job.done
    assert job.error == ""
    assert desk.job("a", until_stopped) is not job


def test_a_rendering_that_takes_too_long_is_stopped_in_words():
    desk = PictureDesk(timeout_s=0.1)
    job = desk.job("a", until_stopped)
    wait_for(job)
    desk.close()
    assert job.error == "The rendering was stopped: it took longer than 0.1 s."
    assert not job.finished


def test_who_waits_knows_how_many_come_first(desk):
    go = threading.Event()
    first, second, third = (desk.job(key, lambda job: go.wait(5)) for key in "abc")
    assert [desk.ahead_of(job) for job in (first, second, third)] == [0, 1, 2]
    second.stop()
    assert desk.ahead_of(third) == 1, "what was stopped comes before nobody"
    go.set()
    wait_for(third)
    assert not second.finished
    assert [desk.ahead_of(job) for job in (first, second, third)] == [0, 0, 0]


def test_drawings_of_pages_that_were_left_come_before_nobody(monkeypatch):
    monkeypatch.setattr(jobs, "_LEFT_AFTER_S", 0.0)
    here = {"one", "two", "three"}
    desk = PictureDesk(timeout_s=30, is_here=here.__contains__)
    left = [desk.job(who, until_stopped, who=who) for who in ("one", "two")]
    mine = desk.job("mine", lambda job: None, who="three")
    assert desk.ahead_of(mine) == 2
    here -= {"one", "two"}
    assert desk.ahead_of(mine) == 0
    mine.wait(5)
    assert [(job.done, job.finished) for job in (*left, mine)] == [
        (True, False), (True, False), (True, True),
    ]  # fmt: skip
    desk.close()


def test_in_a_crowd_everybody_looks_less_often_and_is_waited_for_longer(desk, monkeypatch):
    monkeypatch.setattr(jobs, "_FORGOTTEN_AFTER_S", 0.3)
    for guest in range(2):
        desk.job(f"photo {guest}", until_stopped, who=f"guest {guest}")
    assert desk.look_again_s == 1.0, "who is alone, or nearly, sees each picture when it is there"
    crowd = [desk.job("one photo", until_stopped, who=f"guest {guest}") for guest in range(2, 18)]
    assert desk.look_again_s == pytest.approx(18 / jobs._LOOKS_PER_S)
    assert len({id(job) for job in crowd}) == 1
    crowd[0].look("guest 17", again_s=5.0)
    time.sleep(0.4)
    assert crowd[0].watchers >= 1, "who looks every five seconds is not forgotten sooner"
    assert desk.look_again_s < 18 / jobs._LOOKS_PER_S
    crowd[0].stop()


@pytest.mark.slow
def test_a_drawing_that_nobody_has_looked_at_lately_comes_before_nobody(desk, monkeypatch):
    go = threading.Event()
    running = desk.job("a", lambda job: go.wait(5))
    desk.job("b", until_stopped)
    monkeypatch.setattr(jobs, "_FORGOTTEN_AFTER_S", 0.2)
    time.sleep(0.3)
    running.look()
    mine = desk.job("c", lambda job: None)
    assert desk.ahead_of(mine) == 1
    go.set()
    wait_for(mine)


def test_what_failed_is_tried_again_after_a_while_and_not_at_once(desk, monkeypatch):
    tries = []

    def fail(job):
        tries.append(job)
        raise SingError("The weights are missing.")

    wait_for(desk.job("a", fail))
    assert desk.job("a", fail) is tries[0], "a page that looks again sees the error"
    monkeypatch.setattr(jobs, "_TRIED_AGAIN_AFTER_S", 0.0)
    again = desk.job("a", lambda job: None)
    wait_for(again)
    assert again is not tries[0]
    assert (again.error, again.finished) == ("", True)
    assert desk.job("a", fail) is again, "what is finished is kept"


@pytest.mark.slow
def test_the_worker_rests_while_a_page_computes(desk):
    asked, told = threading.Event(), []

    def work(job):
        asked.wait(5)
        job.should_stop()
        told.append(time.monotonic())

    job = desk.job("a", work)
    desk.rest.begin(0.4)
    start = time.monotonic()
    asked.set()
    wait_for(job)
    assert told[0] - start >= 0.35
    desk.rest.begin(60)
    other = desk.job("b", work)
    other.stop()
    wait_for(other)


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="this system has no niceness")
def test_drawing_yields_to_everything_else(desk):
    seen = []
    job = desk.job(
        "a", lambda job: seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    )
    wait_for(job)
    assert seen[0] >= min(19, 15)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) < seen[0]


def test_the_first_rendering_waits_but_never_holds_up_the_end():
    desk = PictureDesk(timeout_s=30, first_after_s=60)
    job = desk.job("a", lambda job: None)
    start = time.monotonic()
    desk.close()
    assert time.monotonic() - start < 5
    assert not job.finished


def test_the_first_rendering_begins_when_it_is_woken():
    desk = PictureDesk(timeout_s=30, first_after_s=60)
    job = desk.job("a", lambda job: None)
    assert not desk.awake
    desk.wake()
    wait_for(job)
    assert (job.finished, desk.awake) == (True, True)
    desk.close()


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


def test_a_frame_is_encoded_once_until_it_changes(monkeypatch):
    encoded, real = [], jobs.encode_webp

    def encode(picture):
        encoded.append(int(picture[0, 0, 0]))
        return real(picture)

    monkeypatch.setattr(jobs, "encode_webp", encode)
    job = PictureJob(timeout_s=1)
    job.frames = {0: frame(1), 4: frame(2)}
    first = job.files()
    assert job.files() == first
    job.frames[4] = frame(3)
    found = job.files()
    assert encoded == [1, 2, 3]
    assert found[0] == first[0]
    assert (decode_webp(found[4]) == 3).all()


def frame(value):
    return np.full((8, 8, 3), value, np.uint8)
