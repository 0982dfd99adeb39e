"""What the Units page asks the core in words: the texts, those of a head, those of a set."""

import streamlit as st
from torch import Tensor

from pages._view import loaders
from pages._view.tables.opened import kept
from pages._view.units.asks import inside_of, state_of, taken_apart
from pages._view.units.pick_class import PartAsked
from pages._view.units.scene import Asked
from sing_core.files.digests import content_key
from sing_core.leakage import strata
from sing_core.models.references import space_id
from sing_core.models.registry import base_of
from sing_core.models.text_pools import pool_embeddings, text_pool, were_read
from sing_core.units import heads, moments, set_words
from sing_core.units.words import SpanWords

POOL = "general"
Pool = tuple[tuple[str, ...], Tensor]


@st.cache_resource(show_spinner=False)
def _pools() -> dict[str, Pool]:
    return {}


def pool_of(reference: str) -> Pool:
    """Return the general descriptions and their embeddings ``(M, d)``; a bar where they are read.

    Raises:
        SingError: they cannot be embedded.
    """
    bench = loaders.bench()
    texts = text_pool(POOL, bench.settings)
    key = pool_key(reference, texts)
    if (found := _pools().get(key)) is not None:
        return found
    place = st.empty()

    def report(done: int, total: int) -> None:
        place.progress(done / total, f"{done:,} of {total:,} texts are read")

    found = texts, pool_embeddings(bench, reference, texts, report)
    place.empty()
    _pools()[key] = found
    return found


def texts_were_read(reference: str) -> bool:
    """Whether the general descriptions are embedded, here or on disk: else somebody waits.

    Raises:
        SingError: there are none, or no such reference.
    """
    bench = loaders.bench()
    texts = text_pool(POOL, bench.settings)
    return pool_key(reference, texts) in _pools() or were_read(bench, reference, texts)


def pool_key(reference: str, texts: tuple[str, ...]) -> str:
    """Return what changes with the texts of a pool and with who reads them."""
    return content_key(reference, space_id(base_of(reference), loaders.settings()), *texts)


def recorded_in(asked: Asked) -> moments.HeadMoments:
    """Return what was recorded of the network's heads.

    Raises:
        UnitsError: nothing was.
        SingError: see ``open_inside``.
    """
    return moments.shipped_moments(inside_of(asked), loaders.settings())


def pooled_in(asked: Asked) -> str:
    """Return which kinds of images were pooled in what was recorded, in brackets; else "".

    Raises:
        UnitsError: nothing was recorded.
        SingError: the scores of its set cannot be read.
    """
    kinds = strata.pooled_in(loaders.bench(), recorded_in(asked).prepared)
    return f" ({kinds})" if kinds else ""


def words_of_head(asked: Asked, head: tuple[int, int]) -> heads.HeadWords:
    """Return the texts that describe a head over the images that were recorded.

    Raises:
        UnitsError: none were.
        SingError: the texts cannot be embedded.
    """
    inside, recorded = inside_of(asked), recorded_in(asked)
    texts, embeddings = pool_of(asked.reference)

    def ask() -> heads.HeadWords:
        loaders.rest()
        return heads.head_words(inside, recorded, texts, embeddings, *head)

    state = state_of(asked.model, asked.reference)
    recording = (recorded.identity, str(recorded.images), repr(recorded.details))
    key = content_key("head words", state, *recording, str(head))
    found: heads.HeadWords = kept(key, ask)
    return found


def texts_on_photo(asked: Asked, head: tuple[int, int]) -> tuple[heads.PhotoText, ...]:
    """Return the texts of a head that the photo on screen shows most and least.

    Raises:
        UnitsError: no images were recorded.
        SingError: the texts cannot be embedded.
    """
    photo, recorded = taken_apart(asked), recorded_in(asked)
    texts, embeddings = pool_of(asked.reference)

    def ask() -> tuple[heads.PhotoText, ...]:
        loaders.rest()
        return heads.photo_texts(photo, recorded, texts, embeddings, *head)

    state, pool = state_of(asked.model, asked.reference), pool_key(asked.reference, texts)
    key = content_key(
        "texts on photo", asked.photo.digest, state, recorded.identity, str(head), pool
    )
    found: tuple[heads.PhotoText, ...] = kept(key, ask)
    return found


def words_of(asked: PartAsked) -> tuple[tuple[SpanWords, ...], str]:
    """Return the words of what is hidden of a set, or of one class, and of its two controls.

    Raises:
        SingError: see ``words_of_set``.
    """
    bench, reference = loaders.bench(), loaders.reference()
    set_words.hiding(bench, asked.model, asked.variant)  # refused before texts are read
    texts, embeddings = pool_of(reference)

    def ask() -> tuple[tuple[SpanWords, ...], str]:
        loaders.rest()
        return set_words.words_of_set(
            bench, asked.images, asked.model, reference, asked.variant, texts, embeddings,
            class_name=asked.class_name,
        )  # fmt: skip

    key = content_key("set words", state_of(asked.model, reference), *map(repr, asked))
    found: tuple[tuple[SpanWords, ...], str] = kept(key, ask)
    return found
