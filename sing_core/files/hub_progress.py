"""Who watches a download; where nobody does, huggingface_hub's own bar on a terminal remains."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tqdm.auto import tqdm

Watcher = Callable[[str, int, int], None]
_watcher: ContextVar[Watcher | None] = ContextVar("watcher", default=None)


@contextmanager
def watching(see: Watcher) -> Iterator[None]:
    """Call ``see(file, bytes there, bytes in all)`` while this thread fetches; 0: not known.

    Large files may come through threads of huggingface_hub: ``see`` is then called from those.
    """
    token = _watcher.set(see)
    try:
        yield
    finally:
        _watcher.reset(token)


def bar_of(name: str) -> type | None:
    """Return the class of a bar that tells the watcher about ``name``; None without a watcher."""
    watcher = _watcher.get()
    if watcher is None:
        return None
    see = watcher

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: object, **options: Any) -> None:  # noqa: ANN401
            options.pop("name", None)  # huggingface_hub's own bars have one
            super().__init__(*arguments, **options)
            self._there = int(options.get("initial") or 0)  # a switched-off bar counts nothing

        def update(self, n: float | None = 1) -> None:
            self._there += int(n or 0)
            see(name, self._there, int(self.total or 0))
            super().update(n)

    return Bar
