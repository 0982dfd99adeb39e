"""Renderings in the background: one at a time, watched while they run, dropped when nobody looks.

One desk serves a process: two people who ask for the same strip share one rendering.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sing_core.errors import RenderCancelledError, SingError
from sing_core.images import Photo
from sing_core.pictures import Strip, Studio
from sing_core.render.audit import PictureAudit
from sing_core.render.protocol import Frames, RenderProgress
from sing_core.reports import ImageReport

_FORGOTTEN_AFTER_S = 8.0
_KEPT = 24
_log = logging.getLogger(__name__)


class PictureJob:
    """One strip under way; the worker writes, watchers read.

    Attributes:
        strip: what is drawn; None until it is known.
        frames: a picture per row ``(h, w, 3)`` as it looks now; empty before the first preview.
        audits: per row, once the pictures are final.
        step: steps done of ``steps``; both 0 before the first.
        error: one sentence when the rendering failed, else "".
        done: whether nothing more will come.
    """

    def __init__(self) -> None:
        """Wait for the worker."""
        self.strip: Strip | None = None
        self.frames: list[Frames] = []
        self.audits: tuple[PictureAudit, ...] = ()
        self.step = self.steps = 0
        self.error = ""
        self.done = False
        self._seen = time.monotonic()
        self._stopped = threading.Event()

    def look(self) -> None:
        """Say that somebody is watching; a job that nobody watches stops after a while."""
        self._seen = time.monotonic()

    def stop(self) -> None:
        """Ask the worker to stop before its next step."""
        self._stopped.set()

    def should_stop(self) -> bool:
        """Whether to go on is no longer worth it."""
        return self._stopped.is_set() or time.monotonic() - self._seen > _FORGOTTEN_AFTER_S


class PictureDesk:
    """Runs jobs one after the other and remembers the last ones by key."""

    def __init__(self) -> None:
        """Start no thread yet."""
        self._jobs: OrderedDict[str, PictureJob] = OrderedDict()
        self._guard = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="renders")

    def job(self, key: str, work: Callable[[PictureJob], None]) -> PictureJob:
        """Return the job of ``key``, started now if there is none or if it was stopped."""
        with self._guard:
            found = self._jobs.get(key)
            if found is None or (found.done and not found.error and not found.audits):
                found = PictureJob()
                self._jobs[key] = found
                self._worker.submit(_run, found, work)
            self._jobs.move_to_end(key)
            while len(self._jobs) > _KEPT:
                self._jobs.popitem(last=False)[1].stop()
        found.look()
        return found

    def close(self) -> None:
        """Stop everything and wait for the worker: no thread stays inside torch."""
        with self._guard:
            for job in self._jobs.values():
                job.stop()
        self._worker.shutdown(wait=True, cancel_futures=True)


def _run(job: PictureJob, work: Callable[[PictureJob], None]) -> None:
    try:
        if not job.should_stop():
            work(job)
    except RenderCancelledError as error:
        _log.info("%s", error)
    except SingError as error:
        job.error = str(error)
    except Exception:
        _log.exception("A rendering failed.")
        job.error = "The rendering failed for a reason that is in the log."
    finally:
        job.done = True


def strip_work(
    studio: Studio,
    photo: Photo,
    report: ImageReport,
    *,
    renderer: str = "inversion",
    seed: int = 0,
    feasible: bool = False,
) -> Callable[[PictureJob], None]:
    """Return the work that draws the strip of a report: small at first, then in full, then read."""

    def work(job: PictureJob) -> None:
        drawer = studio.renderer(renderer, report.model)
        strip = job.strip = studio.strip(photo, report, feasible=feasible)

        def tell(progress: RenderProgress) -> None:
            job.step, job.steps = progress.step, progress.steps
            if progress.preview is None:
                return
            if len(job.frames) != len(strip.indices):
                job.frames = [progress.preview[0]] * len(strip.indices)
            for row, frame in zip(progress.rows, progress.preview, strict=True):
                job.frames[row] = frame

        for size in drawer.sizes:
            request = studio.request(drawer, photo, report, strip.features, seed=seed, size=size)
            drawn = studio.draw(drawer, request, on_progress=tell, should_stop=job.should_stop)
            job.frames = list(drawn.frames)
        job.audits = studio.audit(photo, report, drawn.frames, strip.features, strip.text)

    return work
