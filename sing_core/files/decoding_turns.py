"""Whose turn it is to decode: a few pictures at a time, and of the large ones one.

A decoded picture takes eleven bytes a pixel while transparency is laid on white: without turns, six
people who send 50 megapixels at once take 3 GB. A small picture never waits for a large one, and a
large one is decoded by a thread that yields to everything else: nobody's slider waits for it.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from sing_core.allocator import step_back

_LARGE_PIXELS = 16_000_000
_LOOK_S = 0.1

_T = TypeVar("_T")
GoOn = Callable[[], object]


class _LeftError(Exception):
    """Nobody waits for the picture any more."""


class DecodingTurns:
    """Turns for threads of one process; its owner decides how long it lives."""

    def __init__(self, small: int = 2) -> None:
        """Let ``small`` ordinary pictures be decoded at once, and one large one beside them."""
        self._small, self._large = threading.BoundedSemaphore(small), threading.BoundedSemaphore(1)

    def run(self, pixels: int, work: Callable[[GoOn], _T], go_on: GoOn) -> _T:
        """Wait for the turn of a picture of so many pixels, and return what ``work`` makes.

        ``go_on`` is called ten times a second meanwhile: what it raises ends the waiting, and the
        work, which is given a function to call now and then. What ``work`` raises passes through.
        """
        large = pixels > _LARGE_PIXELS
        lane = self._large if large else self._small
        while not lane.acquire(timeout=_LOOK_S):
            go_on()
        if large:
            return _aside(work, go_on, lane.release)
        try:
            return work(go_on)
        finally:
            lane.release()


def _aside(work: Callable[[GoOn], _T], go_on: GoOn, ended: Callable[[], None]) -> _T:
    """Return what ``work`` makes in a thread that yields to all others; ``ended`` once it ends."""
    left, made = threading.Event(), Future[_T]()

    def check() -> None:
        if left.is_set():
            raise _LeftError

    def do() -> None:
        step_back()
        try:
            made.set_result(work(check))
        except BaseException as error:  # whoever waits is told
            made.set_exception(error)
        finally:
            ended()

    threading.Thread(target=do, name="large picture", daemon=True).start()
    try:
        while True:
            go_on()
            try:
                return made.result(timeout=_LOOK_S)
            except TimeoutError:
                if made.done():
                    return made.result()
    finally:
        left.set()
