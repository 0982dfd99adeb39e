"""A bounded shelf of loaded things, shared by threads; its owner decides how long it lives."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


def _weightless(_: object) -> int:
    return 0


class Shelf(Generic[K, T]):
    """Loaded things, each loaded once; the least recently used ones leave when there are too many.

    Too many is more than ``limit`` of one kind, or more than ``budget`` bytes together; the thing
    that was loaded last stays even where it alone is over the budget.
    """

    def __init__(
        self,
        load: Callable[[K], T],
        limit: int,
        *,
        kind: Callable[[K], Hashable] = _weightless,
        size: Callable[[T], int] = _weightless,
        budget: float = math.inf,
    ) -> None:
        """Load nothing yet; ``kind`` of a name and ``size`` of a thing in bytes."""
        self._load, self._limit = load, limit
        self._kind, self._size, self._budget = kind, size, budget
        self._guard = threading.Lock()
        self._loading: dict[K, threading.Lock] = {}
        self._loaded: OrderedDict[K, tuple[T, int]] = OrderedDict()

    def get(self, name: K) -> T:
        """Return the thing called ``name``, loading it on first use; errors are not kept."""
        with self._guard:
            if name in self._loaded:
                self._loaded.move_to_end(name)
                return self._loaded[name][0]
            own = self._loading.setdefault(name, threading.Lock())
        # Loading holds only this name's lock: another model is not kept waiting.
        with own:
            with self._guard:
                if name in self._loaded:
                    return self._loaded[name][0]
            try:
                return self._put(name, self._load(name))
            finally:
                with self._guard:
                    self._loading.pop(name, None)

    def forget(self, name: K) -> bool:
        """Take ``name`` off the shelf; return whether it was there. Who uses it keeps it alive."""
        with self._guard:
            return self._loaded.pop(name, None) is not None

    def names(self) -> tuple[K, ...]:
        """Return what is on the shelf, least recently used first."""
        with self._guard:
            return tuple(self._loaded)

    def sizes(self) -> dict[K, int]:
        """Return what is on the shelf with its size in bytes, least recently used first."""
        with self._guard:
            return {name: size for name, (_, size) in self._loaded.items()}

    def _put(self, name: K, fresh: T) -> T:
        size = self._size(fresh)
        with self._guard:
            self._loaded[name] = fresh, size
            kind = self._kind(name)
            alike = [other for other in self._loaded if self._kind(other) == kind]
            for other in alike[: max(0, len(alike) - self._limit)]:
                del self._loaded[other]
            while len(self._loaded) > 1 and self._total() > self._budget:
                self._loaded.popitem(last=False)
        return fresh

    def _total(self) -> int:
        return sum(size for _, size in self._loaded.values())
