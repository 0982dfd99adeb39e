"""What is asked about a head over many photographs: the samples, or a set that is on this machine.

What was recorded of a set lies on disk, a chunk at a time: a page that is left half way goes on
there when it is asked again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st
import torch
from torch import Tensor

from pages._view import loaders
from pages._view.tables.opened import kept
from pages._view.tables.originals import small_copies
from pages._view.units import asks, word_asks
from pages._view.units.by_hand import answers, bar, once
from pages._view.units.scene import Asked
from sing_core.errors import UnitsError
from sing_core.files.digests import content_key
from sing_core.files.images import decode_image
from sing_core.files.samples import SAMPLES
from sing_core.models.imagenet import imagenet_labels, imagenet_wnids
from sing_core.models.text_pools import general_properties
from sing_core.sets import catalogue, originals
from sing_core.sets.chunks import ImageRow, SetFolder
from sing_core.sets.extract import Progress
from sing_core.sets.sources import open_source
from sing_core.units import properties, retrieval
from sing_core.units.recorded import Recorded, record, were_recorded
from sing_core.units.residual import sums_of
from sing_core.units.tokens import pulled_back

TOP = 12
Head = tuple[int, int]
_MOST_RECORDS = 3
_Hits = tuple[retrieval.Hit, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Among:
    """The photographs that are looked at: those of the set ``images``, "" for the samples."""

    recorded: Recorded
    images: str


def sets_here() -> dict[str, SetFolder]:
    """Return the prepared sets whose photographs are on this machine, by name.

    Raises:
        SingError: a set's folder is damaged.
    """
    settings = loaders.settings()
    return {
        folder.facts.name: folder
        for folder in catalogue.image_sets(settings)
        if originals.are_here(folder, settings)
    }


def still_to_do(asked: Asked, folder: SetFolder) -> int:
    """Return how many photographs a set has that was not looked at whole; 0 where it was.

    Raises:
        SingError: the images cannot be read, or were moved.
    """
    place = originals.place_of(folder, loaders.settings())
    done, total = were_recorded(loaders.bench(), asks.inside_of(asked), place)
    return 0 if done else total


def samples(asked: Asked) -> Among:
    """Return the sample photos, looked at now.

    Raises:
        SingError: see ``open_inside``.
    """
    inside = asks.inside_of(asked)

    def ask() -> Recorded:
        loaders.rest()
        rows, batch = [], []
        for place, sample in enumerate(SAMPLES):
            if payload := loaders.photo_bytes(sample.name):
                photo = decode_image(payload, max_pixels=loaders.settings().max_pixels)
                rows.append(ImageRow(place, sample.title, "", photo.digest))
                batch.append(inside.prepare(photo.image))
        return Recorded(sums_of(inside.tower, torch.stack(batch)), tuple(rows), ())

    return Among(once(_records(), _of_network("samples", asked), ask, _MOST_RECORDS), "")


def recorded(asked: Asked, folder: SetFolder, report: Callable[[Progress], object]) -> Among:
    """Return what was recorded of a set, after looking at what was not yet looked at.

    Raises:
        SingError: the images cannot be read, or another process looks at them.
    """
    inside = asks.inside_of(asked)
    place = originals.place_of(folder, loaders.settings())

    def ask() -> Recorded:
        return record(loaders.bench(), inside, place, report)

    key = _of_network("recorded", asked, open_source(place).key)
    return Among(once(_records(), key, ask, _MOST_RECORDS), folder.facts.name)


@st.cache_resource(show_spinner=False)
def _records() -> dict[str, Recorded]:
    return {}


def alike(asked: Asked, among: Among, head: Head) -> _Hits:
    """Return the photographs that a head finds most like the photo on screen, that one left out."""
    photo = asks.taken_apart(asked)
    usual = None if among.images else _usual(asked, head)
    some = retrieval.images_like_photo(
        photo.inside, among.recorded, *head, photo.parts.sums, TOP + 1, usual
    )
    others = [hit for hit in some if hit.image.digest != asked.photo.digest]
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(others[:TOP], start=1))


def _usual(asked: Asked, head: Head) -> Tensor | None:
    """Return what a head writes on average over the embedded set, where its moments ship."""
    try:
        recorded = word_asks.recorded_in(asked)
        return retrieval.usual_output(asks.inside_of(asked), recorded, *head)
    except UnitsError:
        return None


def shown_most(asked: Asked, among: Among, head: Head) -> tuple[_Hits, str]:
    """Return the photographs in which a head writes most along the prompt, and the prompt.

    Raises:
        SingError: the prompt cannot be embedded.
    """
    photo = asks.taken_apart(asked)
    text, said = asks.text_of(asked, asked.prompt)
    direction = pulled_back(photo.inside, text, "full", None)
    return retrieval.images_of_text(photo.inside, among.recorded, *head, direction, TOP), said


def found_again(asked: Asked, among: Among, head: Head) -> retrieval.FoundAgain:
    """Return how often the head finds photographs of an image's own class.

    Raises:
        UnitsError: there are no two classes.
    """
    digests = [row.digest for row in among.recorded.images]

    def ask() -> retrieval.FoundAgain:
        return retrieval.found_again(asks.inside_of(asked), among.recorded, *head, TOP)

    key = _of_network("found again", asked, str(head), *digests)
    found: retrieval.FoundAgain = kept(key, ask)
    return found


def subjects() -> tuple[str, ...]:
    """Return the properties that the general texts are about, in the order in which they stand.

    Raises:
        WeightsUnavailableError: the texts are missing.
    """
    return tuple(dict.fromkeys(general_properties(loaders.settings())))


def best_head(asked: Asked, subject: str) -> tuple[Head, float]:
    """Return the head whose texts are most about one property, and their share of it.

    Raises:
        SingError: nothing was recorded of this network, or the texts cannot be embedded.
    """
    inside, moments = asks.inside_of(asked), word_asks.recorded_in(asked)
    _, embeddings = word_asks.pool_of(asked.reference)
    about = general_properties(loaders.settings())

    def ask() -> dict[Head, tuple[tuple[str, float], ...]]:
        with bar("heads are put into words") as report:
            return properties.heads_by_subject(inside, moments, embeddings, about, report)

    found = once(answers(), _of_network("heads by subject", asked, moments.identity), ask)
    head = max(found, key=lambda one: dict(found[one]).get(subject, 0.0))
    return head, dict(found[head]).get(subject, 0.0)


def specialisation_of(asked: Asked, head: Head) -> properties.Specialisation:
    """Return how far a head's texts are about one property, beside random heads.

    Raises:
        SingError: nothing was recorded of this network, or the texts cannot be embedded.
    """
    inside, moments = asks.inside_of(asked), word_asks.recorded_in(asked)
    _, embeddings = word_asks.pool_of(asked.reference)
    about = general_properties(loaders.settings())

    def ask() -> properties.Specialisation:
        loaders.rest()
        with bar("random heads are put into words") as report:
            return properties.specialisation(
                inside, moments, embeddings, about, *head, report=report
            )

    key = _of_network("specialisation", asked, moments.identity, str(head))
    found: properties.Specialisation = once(answers(), key, ask)
    return found


def tiles(hits: _Hits, among: Among) -> dict[int, str]:
    """Return the photographs of some hits as small squares, data URLs by row.

    Raises:
        SingError: the set is gone.
    """
    rows = [hit.image for hit in hits]
    if among.images:
        wanted = [{"row": row.row, "digest": row.digest} for row in rows]
        return small_copies(among.images, wanted)
    named = {row.row: loaders.photo_bytes(SAMPLES[row.row].name) for row in rows}
    decoded = {row.row: loaders.decoded(row.digest, named[row.row] or b"") for row in rows}
    return {row.row: loaders.photo_square(row.digest, decoded[row.row]) for row in rows}


def class_labels() -> dict[str, str]:
    """Return the labels of the classes by wnid."""
    return dict(zip(imagenet_wnids(), imagenet_labels(), strict=True))


def _of_network(verb: str, asked: Asked, *more: str) -> str:
    """Return a key that changes with the network alone, not with the photo and the prompt."""
    return content_key(verb, asks.state_of(asked.model, asked.reference), *more)
