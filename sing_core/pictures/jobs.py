"""Renderings in the background: one at a time, watched while they run, dropped when nobody looks.

One desk serves a process: two people who ask for the same strip share one rendering.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sing_core.allocator import step_back
from sing_core.errors import RenderCancelledError, SingError
from sing_core.pictures.audit import PictureAudit
from sing_core.pictures.frame_cache import encode_webp
from sing_core.pictures.protocol import Frames
from sing_core.studies.strips import Strip

_FORGOTTEN_AFTER_S = 8.0
_LOOKS_PER_S = 4.0  # of all pages together: each costs the processor what a small answer does
_LOOK_AGAIN_S = 1.0, 5.0  # for whoever is alone, and in the largest crowd
_LEFT_AFTER_S = 2.0  # whose page is closed; a connection may break for a moment
_TRIED_AGAIN_AFTER_S = 10.0
_KEPT = 24
_log = logging.getLogger(__name__)


class PictureJob:
    """One rendering; the worker writes, watchers read.

    Attributes:
        strip: what is drawn; None until it is known.
        frames: the picture of a row ``(h, w, 3)`` as it looks now, once there is one.
        audits: of the rows whose pictures are final.
        step: steps done of ``steps`` for the rows under way; both 0 before the first.
        error: one sentence when the rendering failed, else "".
        done: whether nothing more will come.
        finished: whether all was drawn.
    """

    def __init__(
        self,
        timeout_s: float,
        rest: "Rest | None" = None,
        is_here: Callable[[str], bool] = lambda who: True,
    ) -> None:
        """Wait for the worker; stop ``timeout_s`` seconds after it began, rest when asked to.

        ``is_here`` says whether somebody's page is still open.
        """
        self.strip: Strip | None = None
        self.frames: dict[int, Frames] = {}
        self.audits: dict[int, PictureAudit] = {}
        self.step = self.steps = 0
        self.error = ""
        self.finished = False
        self._timeout_s, self._begun, self._failed = timeout_s, float("inf"), 0.0
        self._rest, self._is_here = rest or Rest(), is_here
        self._seen: dict[str, tuple[float, float]] = {}  # when, and how soon again
        self._files: dict[int, tuple[Frames, bytes]] = {}
        self._stopped, self._ended = threading.Event(), threading.Event()

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self._ended.is_set()

    def files(self) -> dict[int, bytes]:
        """Return the pictures by row, each as a WebP file; it is encoded once until it changes."""
        for row, frame in list(self.frames.items()):
            if row not in self._files or self._files[row][0] is not frame:
                self._files[row] = (frame, encode_webp(frame))
        return {row: file for row, (_, file) in list(self._files.items())}

    @property
    def can_be_tried_again(self) -> bool:
        """Whether it ended without its pictures, and if by an error, a while ago."""
        if not self.done or self.finished:
            return False
        return not self.error or time.monotonic() - self._failed > _TRIED_AGAIN_AFTER_S

    def look(self, who: str = "", again_s: float = _LOOK_AGAIN_S[0]) -> None:
        """Say that ``who`` is watching, and looks again in ``again_s`` seconds.

        A job that nobody watches stops after a while, in a crowd after four looks that are missed.
        """
        self._seen[who] = time.monotonic(), again_s

    def leave(self, who: str = "") -> None:
        """Say that ``who`` watches no more; when nobody else does, the job stops."""
        self._seen.pop(who, None)
        if not self._seen:
            self.stop()

    def wait(self, seconds: float) -> None:
        """Return when the job is done, or after ``seconds``: what is kept takes no longer."""
        self._ended.wait(seconds)

    def stop(self) -> None:
        """Ask the worker to stop before its next step."""
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopped.is_set()

    @property
    def is_wanted(self) -> bool:
        """Whether anybody watches: looked lately, from a page that is still open."""
        return self.watchers > 0

    @property
    def watchers(self) -> int:
        """How many pages watch."""
        now = time.monotonic()
        return sum(
            now - seen
            <= (_FORGOTTEN_AFTER_S * max(1.0, again_s / 2) if self._is_here(who) else _LEFT_AFTER_S)
            for who, (seen, again_s) in list(self._seen.items())
        )

    def should_stop(self) -> bool:
        """Whether to go on is no longer worth it; answers when the rest is over."""
        while (left := self._rest.left_s) > 0 and not self._stopped.wait(left):
            pass
        if time.monotonic() - self._begun > self._timeout_s:
            self.error = f"The rendering was stopped: it took longer than {self._timeout_s:g} s."
            return True
        return self._stopped.is_set() or not self.is_wanted

    def run(self, work: "Callable[[PictureJob], None]") -> None:
        """Do ``work``; what goes wrong becomes ``error``."""
        self._begun = time.monotonic()
        try:
            if not self.should_stop():
                work(self)
                self.finished = True
        except RenderCancelledError as error:
            _log.info("%s", error)
        except SingError as error:
            self.error = str(error)
        except Exception:
            _log.exception("A rendering failed.")
            self.error = "The rendering failed for a reason that is in the log."
        finally:
            self._failed = time.monotonic()
            self._ended.set()


class Rest:
    """A pause that pages ask for while they compute: numbers go before pictures."""

    def __init__(self) -> None:
        """Rest not at all."""
        self._until = 0.0

    @property
    def left_s(self) -> float:
        """Seconds that are left of the rest; 0 or less when it is over."""
        return self._until - time.monotonic()

    def begin(self, seconds: float) -> None:
        """Rest for ``seconds`` from now on, whatever was asked for before."""
        self._until = time.monotonic() + seconds


class PictureDesk:
    """Runs jobs one after the other and remembers the last ones by key.

    Attributes:
        rest: how a page makes the worker wait.
        awake: whether the wait before the very first job is over.
    """

    def __init__(
        self,
        timeout_s: float,
        first_after_s: float = 0.0,
        is_here: Callable[[str], bool] = lambda who: True,
    ) -> None:
        """Start no thread yet; no job runs longer than ``timeout_s`` seconds.

        ``is_here`` says whether somebody's page is still open: nothing is drawn for one that was
        left. The first job waits for ``wake``, at most ``first_after_s`` seconds: it loads a
        network, and the page that asks for it shall be there before.
        """
        self._timeout_s, self._first_after_s, self._is_here = timeout_s, first_after_s, is_here
        self._woken = threading.Event()
        self.rest = Rest()
        self.awake = first_after_s == 0.0
        self._jobs: OrderedDict[str, PictureJob] = OrderedDict()
        self._queue: list[PictureJob] = []
        self._guard = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="renders", initializer=self._begin)

    def job(self, key: str, work: Callable[[PictureJob], None], who: str = "") -> PictureJob:
        """Return the job of ``key``, started now for ``who`` if there is none.

        One that was stopped is started again, and one that failed after a while: what was missing
        may be there now.
        """
        with self._guard:
            found = self._jobs.get(key)
            if found is None or found.can_be_tried_again:
                found = PictureJob(self._timeout_s, self.rest, self._is_here)
                found.look(who)  # before the worker asks whether anybody does
                self._jobs[key] = found
                self._queue = [job for job in self._queue if not job.done] + [found]
                self._worker.submit(found.run, work)
            self._jobs.move_to_end(key)
            while len(self._jobs) > _KEPT:
                self._jobs.popitem(last=False)[1].stop()
        found.look(who, self.look_again_s)
        return found

    @property
    def look_again_s(self) -> float:
        """In how many seconds a page should look again: all together look a few times a second."""
        with self._guard:
            waiting = [job for job in self._queue if not job.done]
        soonest, latest = _LOOK_AGAIN_S
        return min(latest, max(soonest, sum(job.watchers for job in waiting) / _LOOKS_PER_S))

    def ahead_of(self, job: PictureJob) -> int:
        """Return how many renderings come before ``job``; 0 when it runs or is done.

        One that was stopped, or that nobody watches any longer, ends with its step and does not
        count.
        """
        with self._guard:
            waiting = [
                other
                for other in self._queue
                if not (other.done or other.is_stopped) and (other is job or other.is_wanted)
            ]
        return waiting.index(job) if job in waiting else 0

    def wake(self) -> None:
        """Let the first job begin: what goes before it is done."""
        self._woken.set()

    def close(self) -> None:
        """Stop everything and wait for the worker: no thread stays inside torch."""
        self.wake()
        with self._guard:
            for job in self._jobs.values():
                job.stop()
        self._worker.shutdown(wait=True, cancel_futures=True)

    def _begin(self) -> None:
        """Let the worker, and the threads that torch starts for it, yield to everything else."""
        step_back()
        self._woken.wait(self._first_after_s)
        self.awake = True
