"""Images that somebody has, of any source, decoded one after the other for a fit or a check."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sing_core.errors import ImageSetError, UnsupportedImageError
from sing_core.files.images import Photo, decode_image
from sing_core.models.class_names import wnid_of
from sing_core.sets.chunks import Problem
from sing_core.sets.items import Item, Source
from sing_core.sets.sources import open_source

_RUN = 256  # rows that a source is asked for at a time


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """Some rows of a source; nothing is decoded before it is asked for.

    Attributes:
        source: where they come from.
        rows: their places in it, ascending.
        names: a name for each, for messages.
        labels: a class for each; empty texts where the source has no classes.
    """

    source: Source
    rows: tuple[int, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.names)

    def take(self, places: Sequence[int]) -> Self:
        """Return the images at ``places``, ascending."""
        return type(self)(
            self.source,
            tuple(self.rows[i] for i in places),
            tuple(self.names[i] for i in places),
            tuple(self.labels[i] for i in places),
        )

    def at_most(self, count: int) -> Self:
        """Return ``count`` images evenly spread over the set, or all where there are fewer."""
        if len(self) <= count:
            return self
        return self.take([i * len(self) // count for i in range(count)])

    def photos(self, problems: list[Problem], *, max_pixels: int) -> Iterator[tuple[int, Photo]]:
        """Decode one image after the other; yield each with its place in this set.

        One that cannot be used is left out, and said in ``problems``.

        Raises:
            ImageSetError: the source is damaged; or not a single image could be used.
        """
        found = False
        for place, item in enumerate(self._items()):
            try:
                photo = decode_image(item.read(), max_pixels=max_pixels)
            except (UnsupportedImageError, ImageSetError) as error:
                problems.append(Problem(item.row, item.name, str(error)))
                continue
            found = True
            yield place, photo
        if not found:
            first = problems[0]
            raise ImageSetError(
                f"Not one of the {len(self):,} images of {self.source.name} can be used. "
                f"{first.name}: {first.reason}"
            )

    def _items(self) -> Iterator[Item]:
        """Yield the rows, in order; a source is read once from its start to its end."""
        wanted = iter(self.rows)
        following = next(wanted, None)
        while following is not None:
            start, stop = following, following + _RUN
            for item in self.source.items(start, stop):
                if item.row == following:
                    yield item
                    following = next(wanted, None)
                if following is None or following >= stop:
                    break


def open_image_set(path: Path) -> ImageSet:
    """Return the images of a source: see ``open_source``.

    Raises:
        ImageSetError: there is nothing there, or not a single image.
    """
    source = open_source(path)
    listed = list(source.listing())
    names, classes = zip(*listed, strict=True)
    labels = tuple(wnid_of(own) or own for own in classes)
    return ImageSet(source, tuple(range(len(listed))), names, labels)
