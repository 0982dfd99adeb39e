"""Which classifiers and references the product knows by name: facts read from one table."""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sing_core.settings import Settings


# The first row of the table's references; what is measured in when nothing else is asked for.
DEFAULT_REFERENCE = "mini"
CENTRED = "centred:"  # in front of a reference's name: its centred reading (``readings``)


def base_of(reference: str) -> str:
    """Return the name of a reference without its reading."""
    return reference.removeprefix(CENTRED)


def is_centred(reference: str) -> bool:
    """Return whether a reference's name asks for its centred reading."""
    return reference.startswith(CENTRED)


def in_reading(reference: str, *, centred: bool) -> str:
    """Return the name of a reference in one of its two readings."""
    return f"{CENTRED}{base_of(reference)}" if centred else base_of(reference)


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One classifier: a row of ``assets/registry.toml``, or what is known of a typed name.

    Attributes:
        name: what is typed, used in URLs and on the command line.
        title: name for people.
        architecture: timm architecture, with its tag where the tag decides preprocessing.
        source: where the weights come from, for people.
        licence: licence of the weights.
        feature_dim: m.
        nullity: m - r of its head.
        classes: c, how many logits it has.
        weights_digest: ``Backbone.weights_digest`` that the loaded network must have; "" where
            the weights do not ship, so that nobody here could measure it.
        repository: hub repository of the weights; "" where they ship or lie in a file.
        revision: full commit hash to take; "" takes the one taken first on this machine.
        head_repository: hub repository of a head that is published apart from its backbone.
        side: side of the square input in pixels where it is not the architecture's own; 0 if it is.
        top1_percent: ImageNet-1k top-1 accuracy as published, in percent; None where unknown.
        non_commercial: whether the licence forbids commercial use.
        shares_tower_with: a reference built on the same image tower; "" if none.
        note: what its title alone would leave misunderstood, in whole sentences; "" for most.
        ships: whether the weights come with the product's own packages: the table has their digest.
    """

    name: str
    title: str
    architecture: str
    source: str
    licence: str
    feature_dim: int
    nullity: int
    classes: int = 1000
    weights_digest: str = ""
    repository: str = ""
    revision: str = ""
    head_repository: str = ""
    side: int = 0
    top1_percent: float | None = None
    non_commercial: bool = False
    shares_tower_with: str = ""
    note: str = ""
    ships: bool = False

    def shares_tower(self, reference: str) -> bool:
        """Return whether ``reference``, in whatever reading, is built on the same image tower."""
        return self.shares_tower_with == base_of(reference)


@dataclass(frozen=True, slots=True)
class ReferenceEntry:
    """One image-text reference of ``assets/registry.toml``.

    Attributes:
        name: short name, used in URLs and on the command line.
        title: name for people.
        source: where the weights come from.
        licence: licence of the weights.
        dim: d, width of the embeddings.
        repository: hub repository of the weights; "" where they ship.
        is_additive: whether its image side is a transformer whose output is a sum of its units.
    """

    name: str
    title: str
    source: str
    licence: str
    dim: int
    repository: str = ""
    is_additive: bool = False

    @property
    def ships(self) -> bool:
        """Whether it is assembled from what comes with the product."""
        return not self.repository


def catalogue(settings: "Settings") -> tuple[ModelEntry, ...]:
    """Return every classifier of the table, in its order: what ships, then what can be fetched."""
    rows = _table(settings)["model"]
    return tuple(ModelEntry(**row, ships="weights_digest" in row) for row in rows)


def models(settings: "Settings") -> tuple[ModelEntry, ...]:
    """Return the classifiers that ship, in the table's order; the first one is the default."""
    return tuple(entry for entry in catalogue(settings) if entry.ships)


def all_references(settings: "Settings") -> tuple[ReferenceEntry, ...]:
    """Return every image-text reference of the table: what ships, then what can be fetched."""
    return tuple(ReferenceEntry(**row) for row in _table(settings)["reference"])


def references(settings: "Settings") -> tuple[ReferenceEntry, ...]:
    """Return the references that ship, in the table's order; the first one is the default."""
    return tuple(entry for entry in all_references(settings) if entry.ships)


def spaces_from(reference: str, settings: "Settings") -> tuple[str, ...]:
    """Return ``reference``, then every other one of the table in the same reading."""
    base, centred = base_of(reference), is_centred(reference)
    others = (entry.name for entry in all_references(settings) if entry.name != base)
    return (reference, *(in_reading(name, centred=centred) for name in others))


def find_model(name: str, settings: "Settings") -> ModelEntry | None:
    """Return the row called ``name``, or None when the table has none (timm may know it)."""
    return next((entry for entry in catalogue(settings) if entry.name == name), None)


def find_reference(name: str, settings: "Settings") -> ReferenceEntry | None:
    """Return the reference called ``name``, in whatever reading; None when the table has none."""
    base = base_of(name)
    return next((entry for entry in all_references(settings) if entry.name == base), None)


def file_stem(name: str) -> str:
    """Return ``name`` as part of a file name: what a path or a URL could misread becomes ``_``."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)


def _table(settings: "Settings") -> dict[str, list[dict[str, Any]]]:
    path = settings.assets_dir / "registry.toml"
    return _parsed(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _parsed(path: Path, changed: int) -> dict[str, list[dict[str, Any]]]:
    """Read the table once as long as it does not change: a page asks for it many times."""
    return tomllib.loads(path.read_text("utf-8"))


def typed_entry(name: str) -> ModelEntry:
    """Return what the typed name of a classifier says of itself; the network says the rest."""
    return ModelEntry(
        name=name,
        title=name,
        architecture="",
        source="typed by its name",
        licence="as its owner states",
        feature_dim=0,
        nullity=0,
    )
