"""Who decodes when: large pictures one by one, small ones beside them, nobody for ever."""

import os
import sys
import threading
import time

import pytest

from sing_core.files.decoding_turns import DecodingTurns

LARGE, SMALL = 50_000_000, 1_000_000


class LeftError(Exception):
    pass


def stay():
    pass


def leave():
    raise LeftError


@pytest.mark.slow
@pytest.mark.parametrize(("pixels", "most"), [(LARGE, 1), (SMALL, 2)])
def test_so_many_decode_at_once_and_no_more(pixels, most):
    turns, guard, inside, seen = DecodingTurns(), threading.Lock(), [0], []

    def work(_):
        with guard:
            inside[0] += 1
            seen.append(inside[0])
        time.sleep(0.05)
        with guard:
            inside[0] -= 1

    threads = [threading.Thread(target=turns.run, args=(pixels, work, stay)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 6
    assert max(seen) == most


def test_a_small_picture_does_not_wait_for_a_large_one_and_who_leaves_waits_no_longer():
    turns = DecodingTurns()

    def inside(_):
        turns.run(SMALL, lambda _: None, stay)
        with pytest.raises(LeftError):
            turns.run(LARGE, lambda _: None, leave)
        return "done"

    assert turns.run(LARGE, inside, stay) == "done"
    assert turns.run(LARGE, lambda _: "again", stay) == "again"


@pytest.mark.parametrize("pixels", [LARGE, SMALL])
def test_a_turn_is_given_back_after_a_failure(pixels):
    turns = DecodingTurns()
    for _ in range(3):
        with pytest.raises(LeftError):
            turns.run(pixels, lambda _: leave(), stay)
        with pytest.raises(TimeoutError, match="of its own"):
            turns.run(pixels, _late, stay)


def _late(_):
    raise TimeoutError("of its own")


def test_the_work_on_a_large_picture_ends_when_nobody_waits_for_it_and_gives_its_turn_back():
    turns, begun, ended = DecodingTurns(), threading.Event(), threading.Event()

    def work(check):
        begun.set()
        try:
            while True:
                check()
                time.sleep(0.01)
        finally:
            ended.set()

    def leave_once_it_began():
        if begun.is_set():
            raise LeftError

    with pytest.raises(LeftError):
        turns.run(LARGE, work, leave_once_it_began)
    assert ended.wait(10)
    assert turns.run(LARGE, lambda _: 1, stay) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a niceness is the process's")
def test_a_large_picture_is_decoded_by_a_thread_that_yields_and_a_small_one_by_ones_own():
    def niceness(_):
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    turns, own = DecodingTurns(), niceness(None)
    assert turns.run(SMALL, niceness, stay) == own
    assert turns.run(LARGE, niceness, stay) > own
    assert niceness(None) == own
