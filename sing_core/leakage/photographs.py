"""Photographs of this machine to plant nuisances in: samples, files, those behind a prepared set.

None is decoded before it is asked for, and one at a time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from PIL import Image

from sing_core.errors import ImageSetError
from sing_core.files.digests import sha256_of_bytes
from sing_core.files.images import decode_image
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.sets.chunks import Problem
from sing_core.sets.image_sets import open_image_set
from sing_core.sets.originals import found_originals


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """A photograph that nuisances are planted in.

    Attributes:
        digest: SHA-256 of its file: the translator that did not see it is found by it.
        kin: its class, or whatever makes photographs resemble each other; "" for none.
        picture: decodes it, RGB.
    """

    digest: str
    kin: str
    picture: Callable[[], Image.Image]


def sample_photographs() -> tuple[Photograph, ...]:
    """Return the sample photos.

    Raises:
        OptionalDependencyError: they are not on this machine.
    """
    payloads = [sample_bytes(sample.name) for sample in SAMPLES]
    return tuple(
        Photograph(sha256_of_bytes(payload), "", partial(_decoded, payload)) for payload in payloads
    )


def _decoded(payload: bytes) -> Image.Image:
    return decode_image(payload).image


def photographs_at(
    path: Path, most: int, problems: list[Problem], *, max_pixels: int
) -> Iterator[Photograph]:
    """Yield at most ``most`` photographs of a source (see ``open_source``), evenly spread.

    One that cannot be used is left out, and said in ``problems``.

    Raises:
        ImageSetError: there is nothing there, or not a single image can be used.
    """
    images = open_image_set(path).at_most(most)
    for place, photo in images.photos(problems, max_pixels=max_pixels):
        yield Photograph(photo.digest, images.labels[place], photo.pixels)


def photographs_of(scored: ScoredSet, most: int) -> tuple[Photograph, ...]:
    """Return at most ``most`` photographs behind a prepared set, evenly spread.

    Their files are looked for when the first one is asked for.

    Raises:
        StaleArtefactError: the score file is damaged.
    """
    rows = scored.ask("SELECT row, wnid, digest FROM images ORDER BY row").to_pylist()
    count = min(most, len(rows))
    chosen = [rows[i * len(rows) // count] for i in range(count)]
    settings, folder = scored.bench.settings, scored.folder

    @cache
    def files() -> dict[int, bytes]:
        return found_originals(folder, {row["row"]: row["digest"] for row in chosen}, settings)

    def picture(row: int) -> Image.Image:
        if row not in files():
            raise ImageSetError(
                f"Image {row} of the set {folder.facts.name} is no longer where it was prepared "
                "from, or is another one by now."
            )
        return decode_image(files()[row], max_pixels=settings.max_pixels).image

    return tuple(
        Photograph(row["digest"], row["wnid"], partial(picture, row["row"])) for row in chosen
    )
