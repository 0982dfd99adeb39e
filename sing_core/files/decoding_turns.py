"""Whose turn it is to decode: a few pictures at a time, and of the large ones one.

A decoded picture takes eleven bytes a pixel while transparency is laid on white: without turns, six
people who send 50 megapixels at once take 3 GB. A small picture never waits for a large one.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_LARGE_PIXELS = 16_000_000
_LOOK_S = 0.1


class DecodingTurns:
    """Turns for threads of one process; its owner decides how long it lives."""

    def __init__(self, small: int = 2) -> None:
        """Let ``small`` ordinary pictures be decoded at once, and one large one beside them."""
        self._small, self._large = threading.BoundedSemaphore(small), threading.BoundedSemaphore(1)

    @contextmanager
    def turn(self, pixels: int, go_on: Callable[[], object]) -> Iterator[None]:
        """Wait for the turn of a picture of so many pixels, and have it.

        ``go_on`` is called ten times a second meanwhile; what it raises ends the waiting.
        """
        lane = self._large if pixels > _LARGE_PIXELS else self._small
        while not lane.acquire(timeout=_LOOK_S):
            go_on()
        try:
            yield
        finally:
            lane.release()
