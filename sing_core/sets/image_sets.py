"""Sets of images somebody has: a folder (class folders or not) or a Parquet file, read lazily."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sing_core.errors import UnsupportedImageError
from sing_core.files.images import Photo, decode_image
from sing_core.sets.sources import files_under

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_LABEL_COLUMNS = ("wnid", "label")


@dataclass(frozen=True, slots=True, eq=False)
class ImageSet:
    """Images by position; nothing is decoded before it is asked for.

    Attributes:
        names: a name for each, for messages.
        labels: a class for each; empty texts where the source has no classes.
        payload: position -> the file's bytes.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    payload: Callable[[int], bytes]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.names)

    def take(self, rows: Sequence[int]) -> Self:
        """Return the images at ``rows``."""
        return type(self)(
            tuple(self.names[i] for i in rows),
            tuple(self.labels[i] for i in rows),
            lambda row: self.payload(rows[row]),
        )

    def at_most(self, count: int) -> Self:
        """Return ``count`` images evenly spread over the set, or all where there are fewer."""
        if len(self) <= count:
            return self
        return self.take([i * len(self) // count for i in range(count)])

    def photos(self, *, max_pixels: int) -> Iterator[Photo]:
        """Decode one image after the other.

        Raises:
            UnsupportedImageError: an image cannot be used; the message names it.
        """
        for row, name in enumerate(self.names):
            try:
                yield decode_image(self.payload(row), max_pixels=max_pixels)
            except UnsupportedImageError as error:
                raise UnsupportedImageError(f"{name}: {error}") from error


def open_image_set(path: Path) -> ImageSet:
    """Return the images under a folder, or in the ``jpeg`` column of a Parquet file.

    An image's class is the name of the folder it lies in, unless that is ``path`` itself; in a
    Parquet file it is the column ``wnid`` or ``label``.

    Raises:
        UnsupportedImageError: there is nothing there, or not a single image.
    """
    if path.is_dir():
        return _folder(path)
    if path.suffix == ".parquet" and path.is_file():
        return _parquet(path)
    raise UnsupportedImageError(
        f"{path.name} is neither a folder of images nor a Parquet file with a column `jpeg`."
    )


def _folder(path: Path) -> ImageSet:
    found = files_under(path, hidden=True)
    files = sorted(p for p in found if p.suffix.lower() in _SUFFIXES and p.is_file())
    if not files:
        raise UnsupportedImageError(f"There is no JPEG, PNG or WebP file in {path.name}.")
    return ImageSet(
        tuple(str(file.relative_to(path)) for file in files),
        tuple("" if file.parent == path else file.parent.name for file in files),
        lambda row: files[row].read_bytes(),
    )


def _parquet(path: Path) -> ImageSet:
    import pyarrow
    import pyarrow.parquet as pq

    try:
        known = pq.read_schema(path).names
        label = next((name for name in _LABEL_COLUMNS if name in known), None)
        table = pq.read_table(path, columns=["jpeg", *([label] if label else [])])
    except (pyarrow.ArrowException, OSError, KeyError) as error:
        raise UnsupportedImageError(
            f"{path.name} cannot be read as Parquet with a column `jpeg`."
        ) from error
    if "jpeg" not in table.column_names or len(table) == 0:
        raise UnsupportedImageError(f"{path.name} has no images in a column `jpeg`.")
    files = table["jpeg"]
    labels = [str(value) for value in table[label].to_pylist()] if label else [""] * len(table)
    return ImageSet(
        tuple(f"row {row}" for row in range(len(table))),
        tuple(labels),
        lambda row: bytes(files[row].as_py()),
    )
