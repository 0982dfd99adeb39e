"""What the pages load: one workbench per process, pictures and reports by content digest.

Cached functions draw nothing, and no photo, array or prompt is ever a cache key: keys are digests.
"""

import atexit
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner_utils.script_run_context import get_run_yield_check

from pages._view.photo_desk import PhotoDesk
from sing_core.files.digests import content_key
from sing_core.files.images import Photo, picture_url, thumbnail
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.files.store import Store
from sing_core.models import registry
from sing_core.models.device import prepare_torch
from sing_core.models.library import reference_was_fetched, was_fetched
from sing_core.models.names import file_state
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.pictures.jobs import PictureDesk
from sing_core.pictures.studio import Studio
from sing_core.sets.stored import StoredImage
from sing_core.settings import Settings
from sing_core.studies.heads import class_names as names_of
from sing_core.studies.photo import analyse_image
from sing_core.studies.question import Question
from sing_core.studies.reports import ImageReport

if TYPE_CHECKING:
    from pages._view.library.turns import Preparations

UPLOADS = "uploads"
_UPLOAD_BYTES = 512 * 2**20
_SQUARE_PX = 384
_WARM_AFTER_S = 1.0  # the browser, often on the same machine, paints meanwhile
_DRAW_AFTER_S = 20.0  # where no page came to its end
_WARM_AT_MOST_S = 60.0
_REST_S = 0.6


@st.cache_resource
def bench() -> Workbench:
    """Return the process's workbench; it loads no network yet, see ``warm_up``."""
    settings = Settings()
    prepare_torch(settings)
    return Workbench(settings, ModelPool(settings), Store(settings.cache_dir))


def _end(made: "PictureDesk | Preparations | _WarmUp") -> None:
    """Close what the caches forget, and let the process forget it too."""
    atexit.unregister(made.close)
    made.close()


class _WarmUp:
    """Loads what the first prompt and the first upload need, a moment after the first page."""

    def __init__(self, made: Workbench, pictures: PictureDesk) -> None:
        self._behind = threading.Timer(_WARM_AFTER_S, _warm, args=(made, pictures))
        self._behind.daemon = True
        self._behind.start()

    def close(self) -> None:
        """Let what is under way end: a process that leaves a thread inside torch aborts."""
        self._behind.cancel()
        self._behind.join(_WARM_AT_MOST_S)


@st.cache_resource(on_release=_end)
def warm_up() -> _WarmUp:
    """Load the default classifier and the reference, once a process, behind the first page.

    That page needs no network; importing them beside it would only make it late.
    """
    made = _WarmUp(bench(), desk())
    atexit.register(made.close)
    return made


@st.cache_resource
def studio() -> Studio:
    """Return the process's renderers and frame cache."""
    return Studio(bench())


@st.cache_resource(on_release=_end)
def desk() -> PictureDesk:
    """Return the process's one worker for pictures."""
    made = PictureDesk(settings().render_timeout_s, _DRAW_AFTER_S, is_here)
    atexit.register(made.close)
    return made


def is_here(who: str) -> bool:
    """Return whether the page is open of somebody whose name is ``session/…``."""
    session = who.split("/")[0]
    return not runtime.exists() or runtime.get_instance().is_active_session(session)


def rest() -> None:
    """Let drawing and preparing wait a moment: a page is about to compute its numbers."""
    desk().rest.begin(_REST_S)


@st.cache_resource(on_release=_end)
def preparations() -> "Preparations":
    """Return the process's one worker for preparations; it rests when the drawing does."""
    from pages._view.library.turns import Preparations

    made = Preparations(desk().rest)
    atexit.register(made.close)
    return made


def _warm(made: Workbench, pictures: PictureDesk) -> None:
    """Load what the first prompt and the first upload need, then let pictures be drawn."""
    from sing_core.errors import SingError

    try:
        made.pool.reference(registry.references(made.settings)[0].name).embed_texts(["warm"])
        made.pool.backbone(registry.models(made.settings)[0].name)
    except (SingError, OSError):
        # The page meets the same error when it needs the network, and shows it.
        return
    finally:
        pictures.wake()


def settings() -> Settings:
    """Return the process's settings."""
    return bench().settings


def models() -> dict[str, registry.ModelEntry]:
    """Return the classifiers that can be chosen by name; the first is the default.

    Those that ship, those of the table that were fetched here, and those in memory by a typed name.
    """
    rows = {entry.name: entry for entry in registry.catalogue(settings())}
    loaded = bench().pool.classifiers
    chosen = {name: entry for name, entry in rows.items() if entry.ships or name in loaded}
    chosen |= {name: entry for name, entry in rows.items() if was_fetched(entry, settings())}
    return chosen | {name: bench().entry(name) for name in loaded if name not in rows}


def titles() -> dict[str, str]:
    """Return what people call the classifiers that can be chosen, by name."""
    return {name: entry.title for name, entry in models().items()}


# One choice for all pages: their scores shall be comparable.
REFERENCE = "app.reference"
READING = "app.reading"
RAW_READING, CENTRED_READING = "raw", "centred"


def references() -> dict[str, str]:
    """Return the references that can be chosen, name to title; the first is the default.

    Those that ship, those of the table that were fetched here, and those in memory by a typed name.
    """
    rows = registry.all_references(settings())
    loaded = bench().pool.references
    known = {
        row.name: row.title
        for row in rows
        if row.ships or row.name in loaded or reference_was_fetched(row, settings())
    }
    return known | {name: name for name in loaded if name not in known}


def reference_title(name: str) -> str:
    """Return what people call a reference in its reading, raw being the usual one."""
    base = registry.base_of(name)
    title = references().get(base, base)
    return f"{title}, centred" if registry.is_centred(name) else title


def reference() -> str:
    """Return the reference that is chosen on all pages, by the name of its chosen reading."""
    offered = references()
    chosen = st.session_state.get(REFERENCE)
    centred = st.session_state.get(READING) == CENTRED_READING
    return registry.in_reading(
        chosen if chosen in offered else next(iter(offered)), centred=centred
    )


def photo_bytes(name: str) -> bytes | None:
    """Return the file of a sample's name or of an upload's digest; None when it is not here.

    Raises:
        SingError: the sample's file is missing, or the stored upload is damaged.
    """
    if name in {sample.name for sample in SAMPLES}:
        return sample_bytes(name)
    return bench().store.load_blob(UPLOADS, name)


def keep_upload(payload: bytes, digest: str) -> bool:
    """Keep an uploaded file by its digest, so that a link to it works; False when it cannot be."""
    limit = settings().keep_uploads
    return bench().store.save_blob(
        UPLOADS, digest, payload, max_files=limit, max_bytes=_UPLOAD_BYTES
    )


@st.cache_resource
def photo_desk() -> PhotoDesk:
    """Return the process's one place where photos of visitors are decoded."""
    return PhotoDesk(settings().max_pixels, settings().max_photos_mb * 2**20)


def decoded(digest: str, payload: bytes) -> Photo:
    """Return the photo whose file has this digest, decoded at least once.

    Decoding ends where the visitor has left or asks for something else.

    Raises:
        UnsupportedImageError: the file cannot be used.
    """
    return photo_desk().photo(digest, payload, get_run_yield_check() or _nobody_left)


def _nobody_left() -> None:
    """Go on: no visitor's run waits for this."""


@st.cache_data(max_entries=64, show_spinner=False)
def photo_square(digest: str, _photo: Photo) -> str:
    """Return the photo's centre square, as pictures of it are drawn, as a data URL."""
    image = _photo.image
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = image.crop((left, top, left + side, top + side))
    return picture_url(thumbnail(square, _SQUARE_PX))


@st.cache_data(max_entries=64, show_spinner=False)
def photo_url(digest: str, _photo: Photo) -> str:
    """Return the photo, longest side 480 pixels, as a data URL.

    Streamlit's own files are gone for a moment while a page is run again: a browser that asks
    just then shows a broken picture until something else is shown.
    """
    return picture_url(thumbnail(_photo.image, 480))


def class_labels() -> tuple[str, ...]:
    """Return the 1,000 class labels in ImageNet-1k order.

    Raises:
        SingError: the reference cannot be loaded to embed the vocabulary.
    """
    vocabulary = bench().vocabulary(registry.references(settings())[0].name)
    return vocabulary.labels[: vocabulary.n_classes]


def class_names(model: str) -> tuple[str, ...]:
    """Return the names of a classifier's classes.

    Raises:
        SingError: it cannot be loaded.
    """
    return names_of(bench(), model)


def identity(photo: Photo | StoredImage) -> str:
    """Return what tells a photo from any other, and from a set's feature of it."""
    return photo.digest if isinstance(photo, Photo) else f"stored {photo.address}"


def report(photo: Photo | StoredImage, question: Question) -> ImageReport:
    """Return the analysis of one photo, or stored feature, computed once per distinct question.

    Raises:
        SingError: see ``analyse_image``.
    """
    model, reference = question.model, question.reference
    state = bench().translator_state(model, reference)
    key = content_key(identity(photo), question.key, file_state(model), state)
    return _kept(key, lambda: analyse_image(bench(), photo, question))


@st.cache_data(max_entries=256, show_spinner=False)
def _kept(key: str, _analyse: Callable[[], ImageReport]) -> ImageReport:
    return _analyse()
