"""Who decodes when: large pictures one by one, small ones beside them, nobody for ever."""

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


@pytest.mark.parametrize(("pixels", "most"), [(LARGE, 1), (SMALL, 2)])
def test_so_many_decode_at_once_and_no_more(pixels, most):
    turns, guard, inside, seen = DecodingTurns(), threading.Lock(), [0], []

    def work():
        with turns.turn(pixels, stay):
            with guard:
                inside[0] += 1
                seen.append(inside[0])
            time.sleep(0.05)
            with guard:
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 6
    assert max(seen) == most


def test_a_small_picture_does_not_wait_for_a_large_one_and_who_leaves_waits_no_longer():
    turns = DecodingTurns()
    with turns.turn(LARGE, stay):
        with turns.turn(SMALL, leave):
            pass
        with pytest.raises(LeftError), turns.turn(LARGE, leave):
            pass
    with turns.turn(LARGE, leave):
        pass


def test_a_turn_is_given_back_after_a_failure():
    turns = DecodingTurns()
    for _ in range(3):
        with pytest.raises(LeftError), turns.turn(LARGE, stay):
            leave()
