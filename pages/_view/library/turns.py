"""Preparations of visitors: one at a time, behind everybody's numbers, dropped when its page goes.

They run in a thread of their own that yields to all others; the page that asked looks on.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from sing_core.allocator import step_back
from sing_core.pictures.jobs import Rest
from sing_core.sets.extract import Progress

_LOOK_S = 0.2
_REST_AT_MOST_S = 2.0  # a batch: where many ask all the time, a preparation still goes on
Made = TypeVar("Made")
Report = Callable[[Progress], None]


class Preparations:
    """The one worker for preparations; safe for several threads at once."""

    def __init__(self, rest: Rest) -> None:
        """Start no thread yet; between two batches a preparation waits while pages ``rest`` it."""
        self._rest, self._guard = rest, threading.Lock()
        self._queue: list[_Turn] = []
        self._worker = ThreadPoolExecutor(1, "prepares", initializer=step_back)

    def do(
        self,
        work: Callable[[Report], Made],
        see: Callable[[Progress], object],
        queue: Callable[[int], object],
        ended: threading.Event,
    ) -> Made:
        """Return what ``work`` returns, once its turn has come and it is done.

        Meanwhile ``queue`` hears how many come before, then ``see`` how far it is; what either
        raises stops the work before its next batch. ``ended`` is set when nothing runs any more.

        Raises:
            Exception: whatever ``work`` raises.
        """
        turn = _Turn(self._rest)
        with self._guard:
            self._queue = [other for other in self._queue if not other.ended.is_set()] + [turn]
            future = self._worker.submit(turn.run, work)

        def end(_: object) -> None:
            turn.ended.set()
            ended.set()

        future.add_done_callback(end)
        try:
            while not future.done():
                if turn.progress is not None:
                    see(turn.progress)
                else:
                    queue(self.ahead_of(turn))
                wait([future], _LOOK_S)
            return future.result()
        finally:
            turn.stopped.set()
            future.cancel()

    def ahead_of(self, turn: "_Turn") -> int:
        """Return how many preparations come before this one; 0 when it runs or is done."""
        with self._guard:
            waiting = [other for other in self._queue if not other.ended.is_set()]
        return waiting.index(turn) if turn in waiting else 0

    def close(self) -> None:
        """Stop everything and wait for the worker: no thread stays inside torch."""
        with self._guard:
            for turn in self._queue:
                turn.stopped.set()
        self._worker.shutdown(wait=True, cancel_futures=True)


class _Turn:
    """One preparation; the worker writes, its page reads."""

    def __init__(self, rest: Rest) -> None:
        self.progress: Progress | None = None
        self.stopped, self.ended = threading.Event(), threading.Event()
        self._rest = rest

    def run(self, work: Callable[[Report], Made]) -> Made:
        if self.stopped.is_set():
            raise _LeftError
        return work(self._report)

    def _report(self, progress: Progress) -> None:
        """Note how far it is; give way to pages that compute, and end where nobody looks on."""
        self.progress, latest = progress, time.monotonic() + _REST_AT_MOST_S
        while (left := min(self._rest.left_s, latest - time.monotonic())) > 0:
            if self.stopped.wait(left):
                break
        if self.stopped.is_set():
            raise _LeftError


class _LeftError(Exception):
    """Nobody waits for this preparation any longer."""
