"""What the Library does: load a classifier or a reference, let one go, prepare a set of images."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pages._view import loaders
from pages._view.library import typed_paths
from sing_core.errors import ImageSetError, UnknownNameError
from sing_core.maths.head_variants import WHOLE_HEAD
from sing_core.models import registry
from sing_core.models.imagenet import imagenet_labels, imagenet_wnids
from sing_core.models.library import LibraryRow, survey
from sing_core.sets import received
from sing_core.studies.heads import HeadReport, describe_head

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from pages._view.library.turns import Report
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
    if not known:
        typed_paths.check_classifier(name)
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
    if not known:
        typed_paths.check_reference(name)
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


def classes() -> dict[str, str]:
    """Return the wnid of every class of ImageNet-1k by its label, the labels in order."""
    return dict(sorted(zip(imagenet_labels(), imagenet_wnids(), strict=True)))


def lay_down(files: "Sequence[UploadedFile]", wnid: str) -> Path:
    """Keep uploaded files as class folders under the cache folder; return where.

    ``wnid``: the class of what lies in no class folder.

    Raises:
        SingError: there is too much of it, or it is no set of images.
        OSError: the disk refuses.
    """
    size, limit = sum(file.size for file in files), received.MAX_TOTAL_MB * 2**20
    if size > limit or len(files) > received.MAX_FILES:
        raise ImageSetError(
            f"That is too much at once: {len(files):,} files of {size / 2**20:,.0f} MB; up to "
            f"{received.MAX_FILES:,} of {received.MAX_TOTAL_MB:,} MB together can be sent."
        )
    sent = [(file.name, file.getvalue()) for file in files]
    return received.lay_down(sent, wnid, loaders.settings().cache_dir / "received")


def prepare_set(
    images: Path,
    models: tuple[str, ...],
    name: str | None,
    see: "Callable[[Progress], object]",
    *,
    queue: "Callable[[int], object]" = lambda ahead: None,
    ended: threading.Event | None = None,
    fit: bool = False,
    say: "Callable[[str], object]" = lambda note: None,
) -> "tuple[Prepared, ...]":
    """Prepare a set of images under the chosen reference, telling ``see`` how far it is.

    Until its turn comes ``queue`` hears how many others come first; ``ended`` is set when nothing
    of it runs any more. ``fit``: a classifier without translator gets one from this set. ``say``
    hears a sentence where classes were not read plainly.

    Raises:
        SingError: see ``prepare``.
        OSError: the disk refuses.
    """
    from sing_core.leakage.prepare import prepare

    bench, reference = loaders.bench(), loaders.reference()  # of this session: not the worker's

    def work(report: "Report") -> "tuple[Prepared, ...]":
        return prepare(
            bench,
            images,
            models=models,
            reference=reference,
            name=name,
            fit=fit,
            report=report,
            say=say,
        )

    return loaders.preparations().do(work, see, queue, ended or threading.Event())
