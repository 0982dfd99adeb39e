"""Which classifiers and references ship with the product: facts read from one table."""

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sing_core.settings import Settings


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One classifier of ``assets/registry.toml``.

    Attributes:
        name: short name, used in URLs and on the command line.
        title: name for people.
        architecture: timm architecture.
        source: where the weights come from.
        licence: licence of the weights.
        weights_digest: ``Backbone.weights_digest`` that the loaded network must have.
        feature_dim: m.
        nullity: m - r of its head.
        shares_tower_with: a reference built on the same image tower; "" if none.
    """

    name: str
    title: str
    architecture: str
    source: str
    licence: str
    weights_digest: str
    feature_dim: int
    nullity: int
    shares_tower_with: str = ""


@dataclass(frozen=True, slots=True)
class ReferenceEntry:
    """One image-text reference of ``assets/registry.toml``.

    Attributes:
        name: short name, used in URLs and on the command line.
        title: name for people.
        source: where the weights come from.
        licence: licence of the weights.
        dim: d, width of the embeddings.
    """

    name: str
    title: str
    source: str
    licence: str
    dim: int


def models(settings: "Settings") -> tuple[ModelEntry, ...]:
    """Return the classifiers in the table's order; the first one is the default."""
    return tuple(ModelEntry(**row) for row in _table(settings)["model"])


def references(settings: "Settings") -> tuple[ReferenceEntry, ...]:
    """Return the image-text references in the table's order; the first one is the default."""
    return tuple(ReferenceEntry(**row) for row in _table(settings)["reference"])


def find_model(name: str, settings: "Settings") -> ModelEntry | None:
    """Return the entry called ``name``, or None when the table has none (timm may know it)."""
    return next((entry for entry in models(settings) if entry.name == name), None)


def find_reference(name: str, settings: "Settings") -> ReferenceEntry | None:
    """Return the reference called ``name``, or None when the table has none."""
    return next((entry for entry in references(settings) if entry.name == name), None)


def _table(settings: "Settings") -> dict[str, list[dict[str, Any]]]:
    return tomllib.loads((settings.assets_dir / "registry.toml").read_text("utf-8"))
