"""Loaded networks, shared by everybody in the process and bounded in number."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from sing_core.backbones import Backbone, load_backbone
from sing_core.clip_space import Reference, load_reference
from sing_core.settings import Settings


T = TypeVar("T")


class _Shelf(Generic[T]):
    """At most ``limit`` loaded things; each is loaded once, the least recently used one leaves."""

    def __init__(self, load: Callable[[str], T], limit: int) -> None:
        self._load = load
        self._limit = limit
        self._guard = threading.Lock()
        self._loading: dict[str, threading.Lock] = {}
        self._loaded: OrderedDict[str, T] = OrderedDict()

    def get(self, name: str) -> T:
        with self._guard:
            own = self._loading.setdefault(name, threading.Lock())
        # Loading holds only this name's lock: another model is not kept waiting.
        with own:
            with self._guard:
                if name in self._loaded:
                    self._loaded.move_to_end(name)
                    return self._loaded[name]
            fresh = self._load(name)
            with self._guard:
                self._loaded[name] = fresh
                while len(self._loaded) > self._limit:
                    self._loaded.popitem(last=False)
            return fresh

    def names(self) -> tuple[str, ...]:
        with self._guard:
            return tuple(self._loaded)


class ModelPool:
    """The process's loaded classifiers and references; safe to use from several threads.

    Attributes:
        settings: where weights lie and which device computes.
    """

    def __init__(self, settings: Settings, *, max_backbones: int = 3) -> None:
        """Load nothing yet; keep at most ``max_backbones`` classifiers and two references."""
        self.settings = settings
        self._backbones = _Shelf(lambda name: load_backbone(name, settings), max_backbones)
        self._references = _Shelf(lambda name: load_reference(name, settings), 2)

    def backbone(self, name: str) -> Backbone:
        """Return the classifier, loading it on first use.

        Raises:
            SingError: it cannot be loaded (see ``load_backbone``).
        """
        return self._backbones.get(name)

    def reference(self, name: str) -> Reference:
        """Return the reference, loading it on first use.

        Raises:
            SingError: it cannot be loaded (see ``load_reference``).
        """
        return self._references.get(name)

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of everything in memory."""
        return self._backbones.names() + self._references.names()
