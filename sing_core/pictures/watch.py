"""One rendering under way: asked before each step whether to stop, told after it what is done."""

from collections.abc import Callable

from sing_core.errors import RenderCancelledError
from sing_core.pictures.protocol import Frames, ProgressCallback, RenderProgress, StopQuestion


class Watch:
    """Asks whether to stop before each step and tells what is done after it."""

    def __init__(
        self,
        rows: tuple[int, ...],
        steps: int,
        on_progress: ProgressCallback | None,
        should_stop: StopQuestion,
        preview_every: int,
        done: int = 0,
    ) -> None:
        """Watch over ``rows``, of whose ``steps`` so many are ``done`` already."""
        self._rows, self._steps, self._done = rows, steps, done
        self._on_progress, self._should_stop = on_progress, should_stop
        self._preview_every = preview_every

    def before(self) -> None:
        """Ask.

        Raises:
            RenderCancelledError: the answer was yes.
        """
        if self._should_stop():
            raise RenderCancelledError(
                f"The rendering was stopped after {self._done} of {self._steps} steps."
            )

    def skip(self, steps: int, pictures: Callable[[], Frames]) -> None:
        """Tell, with a preview, that ``steps`` need not be done: they were done before."""
        self._done += steps
        if self._on_progress is not None:
            self._on_progress(RenderProgress(self._rows, self._done, self._steps, pictures()))

    def after(self, pictures: Callable[[], Frames], *, last: bool) -> None:
        """Tell, with a preview of ``pictures`` when one is due or this was the ``last`` step."""
        self._done += 1
        if self._on_progress is None:
            return
        shown = self._preview_every > 0 and (last or self._done % self._preview_every == 0)
        preview = pictures() if shown else None
        self._on_progress(RenderProgress(self._rows, self._done, self._steps, preview))
