"""What the Library does: load a classifier or a reference, let one go, prepare a set of images."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pages._view import loaders
from sing_core.errors import UnknownNameError
from sing_core.maths.head_variants import WHOLE_HEAD
from sing_core.models import registry
from sing_core.models.library import LibraryRow, survey
from sing_core.studies.heads import HeadReport, describe_head

if TYPE_CHECKING:
    from sing_core.leakage.set_scores import Prepared
    from sing_core.sets.extract import Progress


def library() -> tuple[LibraryRow, ...]:
    """Return every classifier with its state on disk and in memory."""
    return survey(loaders.bench(), loaders.reference())


def load(name: str) -> HeadReport:
    """Load a classifier, fetching it if needed, and return what its head is.

    Raises:
        SingError: it cannot be loaded or analysed, or typed names are switched off.
    """
    known = registry.find_model(name, loaders.settings()) is not None
    if not (known or loaders.settings().typed_models):
        raise UnknownNameError("Only the classifiers of the list can be loaded on this server.")
    loaders.bench().pool.backbone(name)  # the head alone may lie on disk since an earlier start
    return describe_head(loaders.bench(), name, WHOLE_HEAD)


def load_reference(name: str) -> str:
    """Load a reference, fetching it if needed, embed the vocabulary, and return its space's id.

    Raises:
        SingError: it cannot be loaded, or typed names are switched off.
    """
    known = registry.find_reference(name, loaders.settings()) is not None
    if not (known or loaders.settings().typed_models):
        raise UnknownNameError("Only the references of the list can be loaded on this server.")
    space = loaders.bench().pool.reference(name).space_id
    loaders.bench().vocabulary(name)
    return space


def unload(name: str) -> bool:
    """Free the memory of a classifier, or reference, and of what draws with it.

    Returns whether there was anything.
    """
    found = loaders.bench().pool.unload(name)
    loaders.studio().forget(name)
    return found


def prepare_set(
    images: Path,
    models: tuple[str, ...],
    name: str | None,
    see: "Callable[[Progress], object]",
    *,
    fit: bool = False,
) -> "tuple[Prepared, ...]":
    """Prepare a set of images under the chosen reference, telling ``see`` how far it is.

    ``fit``: a classifier without translator gets one from this set.

    Raises:
        SingError: see ``prepare``.
        OSError: the disk refuses.
    """
    from sing_core.leakage.prepare import prepare

    return prepare(
        loaders.bench(),
        images,
        models=models,
        reference=loaders.reference(),
        name=name,
        fit=fit,
        report=see,
    )
