"""What a rendering job draws: the pair that is looked at first, then the rest; each read again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

import numpy as np

from sing_core.files.images import Photo
from sing_core.models.side_by_side import side_by_side
from sing_core.pictures.catalogue import INVERSION, NEIGHBOURS
from sing_core.pictures.jobs import PictureJob
from sing_core.pictures.protocol import Frames, Renderer, RenderProgress, RenderRequest
from sing_core.pictures.studio import Studio
from sing_core.sets.stored import StoredImage
from sing_core.studies import strips
from sing_core.studies.reports import ImageReport
from sing_core.studies.subject import Subject

Work = Callable[[PictureJob], None]
RENDERER_SEEDS = 4  # of the pictures beside controls (Fig. 13)


@dataclass(frozen=True, slots=True, eq=False)
class Commission:
    """What is to be drawn, and how.

    Attributes:
        studio: who draws.
        photo: whose feature, or what a set holds of it.
        report: its analysis, at the step that is looked at.
        renderer: name of the renderer.
        seed: chooses the noise.
        feasible: whether steps are steered inside what the network can produce.
    """

    studio: Studio
    photo: Photo | StoredImage
    report: ImageReport
    renderer: str = INVERSION.name
    seed: int = 0
    feasible: bool = True

    def subject(self) -> Subject:
        """Return the report's question, resolved.

        Raises:
            SingError: something it names cannot be loaded.
        """
        return Subject.of(self.studio.bench, self.photo, self.report.question)


def strip_work(asked: Commission) -> Work:
    """Return the work that draws the report's step, also larger than the rest, then the rest."""

    def work(job: PictureJob) -> None:
        subject = asked.subject()
        strip = _solved_beside_the_start(asked, subject, job)
        easel = _Easel(asked, job, subject, strip)
        pair = sorted({0, strip.row_of(asked.report.index)})
        rest = [row for row in range(len(strip.indices)) if row not in pair]
        drawer = easel.drawer
        easel.recall([*pair, *rest])
        # Nobody sees less than the strip's size: a smaller one before it would only take time.
        sizes = tuple(size for size in drawer.sizes if size >= drawer.strip_size)
        easel.draw(pair, sizes, asked.seed)
        easel.read(pair)
        easel.draw(rest, (drawer.strip_size,), asked.seed)
        easel.read(rest)

    return work


def _solved_beside_the_start(asked: Commission, subject: Subject, job: PictureJob) -> strips.Strip:
    """Return the strip; what its pictures start from is drawn meanwhile."""
    drawer = asked.studio.renderer(asked.renderer, asked.report.model, asked.report.reference)

    def solve() -> strips.Strip:
        return strips.along(subject, asked.report, feasible=asked.feasible)

    def start() -> None:
        size, stop = drawer.strip_size, job.should_stop
        asked.studio.begin(drawer, subject, seed=asked.seed, size=size, stop=stop)

    strip, _ = side_by_side([solve, start])
    return cast("strips.Strip", strip)


def scale_work(asked: Commission) -> Work:
    """Return the work that draws the photo's feature at the image scores of ``SCALE_DEG``."""

    def work(job: PictureJob) -> None:
        subject = asked.subject()
        strip = strips.at_angles(subject, asked.report)
        easel = _Easel(asked, job, subject, strip, in_proportion=True)
        rows = range(len(strip.indices))
        easel.draw(rows, (easel.drawer.strip_size,), asked.seed)
        easel.read(rows)

    return work


def seeds_beside(renderer: str, seed: int) -> tuple[int, ...]:
    """Return the seeds that pictures beside controls are drawn with: neighbours draw nothing."""
    return tuple(range(seed, seed + (1 if renderer == NEIGHBOURS.name else RENDERER_SEEDS)))


def controls_work(asked: Commission) -> Work:
    """Return the work that draws the step beside equally long controls, with four seeds."""

    def work(job: PictureJob) -> None:
        subject, step = asked.subject(), strips.step_of(asked.report)
        seeds = seeds_beside(asked.renderer, asked.seed)
        strip = strips.beside_controls(subject, step, times=len(seeds), feasible=asked.feasible)
        easel, width = _Easel(asked, job, subject, strip), len(strips.CONTROLS)
        for turn, seed in enumerate(seeds):
            rows = range(turn * width, (turn + 1) * width)
            easel.draw(rows, (easel.drawer.strip_size,), seed)
            easel.read(rows)

    return work


class _Easel:
    """Draws rows of a job's strip into the job."""

    def __init__(
        self,
        asked: Commission,
        job: PictureJob,
        subject: Subject,
        strip: strips.Strip,
        *,
        in_proportion: bool = False,
    ) -> None:
        self.asked, self.job, self.subject, self.strip = asked, job, subject, strip
        job.strip = strip
        report = asked.report
        self.drawer: Renderer = asked.studio.renderer(
            asked.renderer, report.model, report.reference, in_proportion=in_proportion
        )

    def recall(self, rows: Iterable[int]) -> None:
        """Show what the cache has of ``rows``, so that nobody waits for what was drawn before."""
        missing, cache = list(rows), self.asked.studio.cache
        for size in sorted(self.drawer.sizes, reverse=True):  # the largest that there is
            if not missing:
                return
            request = self._request(missing, size, self.asked.seed)
            found = {r: cache.find(self.drawer, request, at) for at, r in enumerate(missing)}
            self.job.frames.update({r: frame for r, frame in found.items() if frame is not None})
            missing = [row for row, frame in found.items() if frame is None]

    def draw(self, rows: Iterable[int], sizes: tuple[int, ...], seed: int) -> None:
        """Draw ``rows``, at one size after the other; a smaller picture than is there is no use."""
        listed = list(rows)
        for size in sizes:
            last = size == sizes[-1]
            wanted = [row for row in listed if last or len(self.job.frames.get(row, ())) < size]
            if wanted:
                self._draw(wanted, size, seed)

    def _draw(self, rows: list[int], size: int, seed: int) -> None:
        def tell(progress: RenderProgress) -> None:
            self.job.step, self.job.steps = progress.step, progress.steps
            if progress.preview is None:
                return
            for row, frame in zip(progress.rows, progress.preview, strict=True):
                self.show(rows[row], frame)

        drawn = self.asked.studio.draw(
            self.drawer,
            self._request(rows, size, seed),
            on_progress=tell,
            should_stop=self.job.should_stop,
        )
        for row, frame in zip(rows, drawn.frames, strict=True):
            self.show(row, frame)

    def show(self, row: int, frame: Frames) -> None:
        """Put ``frame`` into the job, unless a larger one of the row is there."""
        before = self.job.frames.get(row)
        if before is None or len(before) <= len(frame):
            self.job.frames[row] = frame

    def read(self, rows: Iterable[int]) -> None:
        """Read the pictures of ``rows`` again, those of one size together."""
        of_size: dict[int, list[int]] = {}
        for row in rows:
            of_size.setdefault(len(self.job.frames[row]), []).append(row)
        for listed in of_size.values():
            audits = self.asked.studio.audit(
                self.subject,
                np.stack([self.job.frames[row] for row in listed]),
                self.strip.features[listed],
            )
            self.job.audits.update(zip(listed, audits, strict=True))

    def _request(self, rows: list[int], size: int, seed: int) -> RenderRequest:
        return self.asked.studio.request(
            self.drawer, self.subject, self.strip.features[rows], seed=seed, size=size
        )
