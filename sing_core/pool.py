"""Loaded networks, shared by everybody in the process and bounded in number."""

from sing_core.backbones import Backbone, load_backbone
from sing_core.clip_space import Reference, load_reference
from sing_core.settings import Settings
from sing_core.shelf import Shelf


class ModelPool:
    """The process's loaded classifiers and references; safe to use from several threads.

    Attributes:
        settings: where weights lie and which device computes.
    """

    def __init__(self, settings: Settings, *, max_backbones: int = 3) -> None:
        """Load nothing yet; keep at most ``max_backbones`` classifiers and two references."""
        self.settings = settings
        self._backbones: Shelf[str, Backbone] = Shelf(
            lambda name: load_backbone(name, settings), max_backbones
        )
        self._references: Shelf[str, Reference] = Shelf(
            lambda name: load_reference(name, settings), 2
        )

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
