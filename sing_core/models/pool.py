"""Loaded networks, shared by everybody in the process: one registry within one memory budget."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from sing_core.allocator import give_back_freed_memory
from sing_core.models.backbones import Backbone, load_backbone
from sing_core.models.centred_reference import CentredReference
from sing_core.models.names import file_state
from sing_core.models.readings import find_centre
from sing_core.models.reference_files import folder_state
from sing_core.models.references import Reference, load_reference
from sing_core.models.registry import base_of, is_centred
from sing_core.models.shelf import Shelf
from sing_core.settings import Settings

Kind = Literal["classifier", "reference"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Something in memory: its kind, its name, and what its weights take in bytes."""

    kind: Kind
    name: str
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class _Key:
    kind: Kind
    name: str
    state: str = ""  # of local files: a changed file is another network


def _key(kind: Kind, name: str) -> _Key:
    return _Key(kind, name, file_state(name) if kind == "classifier" else folder_state(name))


class ModelPool:
    """The process's loaded classifiers and references; safe to use from several threads.

    Everybody who asks for the same one gets the same one, and it is loaded once. The least
    recently used ones leave when all together take more than ``settings.max_models_mb``, or when
    there are too many of a kind.

    Attributes:
        settings: where weights lie, which device computes, and the memory budget.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        max_backbones: int = 8,
        tell: Callable[[str], None] = lambda note: None,
    ) -> None:
        """Load nothing yet; keep at most ``max_backbones`` classifiers and as many references.

        ``tell`` hears a sentence where the weights of a classifier were not read plainly.
        """
        self.settings, self._tell = settings, tell
        self._shelf: Shelf[_Key, Backbone | Reference] = Shelf(
            self._load,
            max_backbones,
            kind=lambda key: key.kind,
            size=_bytes,
            budget=self.budget_bytes,
        )

    @property
    def budget_bytes(self) -> int:
        """What all loaded weights together may take."""
        return self.settings.max_models_mb * 2**20

    def backbone(self, name: str) -> Backbone:
        """Return the classifier, loading it on first use.

        Raises:
            SingError: it cannot be loaded (see ``load_backbone``); what was loaded stays usable.
        """
        return cast("Backbone", self._shelf.get(_key("classifier", name)))

    def reference(self, name: str) -> Reference | CentredReference:
        """Return the reference in the reading that its name says, loading it on first use.

        Both readings share one network.

        Raises:
            SingError: it cannot be loaded (see ``load_reference``), or has no centre.
        """
        found = self.raw_reference(name)
        if not is_centred(name):
            return found
        centre = find_centre(base_of(name), found.space_id, self.settings)
        return CentredReference(name, found, centre)

    def raw_reference(self, name: str) -> Reference:
        """Return the network of a reference, in whatever reading ``name`` asks for it.

        Raises:
            SingError: it cannot be loaded (see ``load_reference``).
        """
        return cast("Reference", self._shelf.get(_key("reference", base_of(name))))

    def unload(self, name: str) -> bool:
        """Forget everything called ``name``, in all readings; return whether there was anything.

        Its memory is free as soon as nobody computes with it any longer.
        """
        keys = [key for key in self._shelf.names() if key.name == base_of(name)]
        found = sum(self._shelf.forget(key) for key in keys) > 0
        give_back_freed_memory()
        return found

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of everything in memory: classifiers, then references."""
        keys = sorted(self._shelf.names(), key=lambda key: key.kind == "reference")
        return tuple(key.name for key in keys)

    @property
    def classifiers(self) -> tuple[str, ...]:
        """Names of the classifiers in memory that can be had: see ``references``."""
        return self._at_hand("classifier")

    @property
    def references(self) -> tuple[str, ...]:
        """Names of the references in memory whose local files, if any, are as they were loaded.

        A file that is gone or another one by now makes what was loaded from it unreachable.
        """
        return self._at_hand("reference")

    def _at_hand(self, kind: Kind) -> tuple[str, ...]:
        return tuple(key.name for key in self._shelf.names() if key == _key(kind, key.name))

    def contents(self) -> tuple[Loaded, ...]:
        """Return what is in memory and what it takes, least recently used first."""
        return tuple(Loaded(k.kind, k.name, size) for k, size in self._shelf.sizes().items())

    def _load(self, key: _Key) -> Backbone | Reference:
        try:
            if key.kind == "reference":
                return load_reference(key.name, self.settings)
            backbone = load_backbone(key.name, self.settings)
            for note in backbone.notes:
                self._tell(note)
            return backbone
        finally:  # what reading the files took, and what left the shelf the last time
            give_back_freed_memory()


def _bytes(thing: Backbone | Reference) -> int:
    return int(getattr(thing, "memory_bytes", 0))
