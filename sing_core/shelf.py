"""A bounded shelf of loaded things, shared by threads; its owner decides how long it lives."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Shelf(Generic[K, T]):
    """At most ``limit`` loaded things; each is loaded once, the least recently used one leaves."""

    def __init__(self, load: Callable[[K], T], limit: int) -> None:
        """Load nothing yet."""
        self._load = load
        self._limit = limit
        self._guard = threading.Lock()
        self._loading: dict[K, threading.Lock] = {}
        self._loaded: OrderedDict[K, T] = OrderedDict()

    def get(self, name: K) -> T:
        """Return the thing called ``name``, loading it on first use; errors are not kept."""
        with self._guard:
            if name in self._loaded:
                self._loaded.move_to_end(name)
                return self._loaded[name]
            own = self._loading.setdefault(name, threading.Lock())
        # Loading holds only this name's lock: another model is not kept waiting.
        with own:
            with self._guard:
                if name in self._loaded:
                    return self._loaded[name]
            try:
                return self._put(name, self._load(name))
            finally:
                with self._guard:
                    self._loading.pop(name, None)

    def _put(self, name: K, fresh: T) -> T:
        with self._guard:
            self._loaded[name] = fresh
            while len(self._loaded) > self._limit:
                self._loaded.popitem(last=False)
        return fresh

    def names(self) -> tuple[K, ...]:
        """Return what is on the shelf, least recently used first."""
        with self._guard:
            return tuple(self._loaded)
