"""One image of a set, a list of them, and how much of one is read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from sing_core.errors import ImageSetError
from sing_core.files.regular import MOST_IMAGE_BYTES

MOST_BYTES = MOST_IMAGE_BYTES
_NO_IMAGES = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a set.

    Attributes:
        row: its place in the list, from 0.
        name: what a person finds it by.
        wnid: its class of ImageNet-1k; what the source says where that is none; "" where it says
            nothing.
        read: returns the file's bytes; raises ``ImageSetError`` where that is not possible.
    """

    row: int
    name: str
    wnid: str
    read: Callable[[], bytes]


class Source(Protocol):
    """A list of images with an identity.

    Attributes:
        name: of the folder or file.
        key: digest of what the list holds; another list has another key.
        total: number of rows.
        notes: whole sentences about how the list was read, where that is not plain.
    """

    name: str
    key: str
    total: int
    notes: tuple[str, ...]

    def items(self, start: int, stop: int) -> Iterator[Item]:
        """Yield rows ``start`` to ``stop - 1`` in order."""

    def listing(self) -> Iterator[tuple[str, str]]:
        """Yield the name of every row and its class as the source names it; no image is read."""


def refuse_size(size: int) -> None:
    """Refuse what is too large for an image file.

    Raises:
        ImageSetError: ``size`` bytes are more than are read.
    """
    if size > MOST_BYTES:
        raise ImageSetError(
            f"The file has {size / 2**20:,.0f} MB; up to {MOST_BYTES // 2**20} are read."
        )


def is_hidden(name: str) -> bool:
    """Return whether a path inside a set is one that systems leave behind: no image of anybody."""
    parts = [part for part in PurePosixPath(name).parts if part not in (".", "..")]
    return any(part.startswith(".") or part.casefold() in _NO_IMAGES for part in parts)


def shown(name: str) -> str:
    """Return a name as it is shown and stored: what is no UTF-8 in it became “�”.

    Files are still found by the name that the system gave.
    """
    if name.isascii():
        return name
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:  # half of a pair, as JSON can say it
        return name.encode("utf-8", "replace").decode("utf-8")
