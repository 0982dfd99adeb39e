"""The images behind a prepared set, as long as they are still where they were prepared from.

A set holds features and scores, no image. Where its images lie is written under the cache folder,
not in the set: one that is copied elsewhere tells nothing of it.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from sing_core.errors import ImageSetError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import sha256_of_bytes
from sing_core.sets.chunks import SetFolder
from sing_core.sets.items import Item
from sing_core.sets.sources import open_source
from sing_core.settings import Settings


def remember(folder: SetFolder, images: Path, settings: Settings) -> None:
    """Write down that the images of ``folder`` are those at ``images``.

    Raises:
        OSError: the disk refuses.
    """
    write_atomically(_note(folder, settings), os.fsencode(images.resolve()))


def are_here(folder: SetFolder, settings: Settings) -> bool:
    """Return whether there is something where the images of ``folder`` were prepared from."""
    try:
        return os.path.exists(_noted(folder, settings))
    except (OSError, ValueError):  # gone, or no path any longer
        return False


def place_of(folder: SetFolder, settings: Settings) -> Path:
    """Return where the images of ``folder`` were prepared from; there is something.

    Raises:
        ImageSetError: the images are not on this machine, or were moved.
    """
    try:
        place = _noted(folder, settings)
    except (OSError, ValueError):
        raise ImageSetError(
            f"The images of the set {folder.facts.name} are not on this machine, only their "
            "features and scores: upload the image to explore it."
        ) from None
    if not os.path.exists(place):  # `Path.exists` raises where a folder is closed
        raise ImageSetError(_moved(folder))
    return place


def original(folder: SetFolder, row: int, digest: str, settings: Settings) -> bytes:
    """Return the file of the image in ``row``, whose SHA-256 is ``digest``.

    Raises:
        ImageSetError: the images are not on this machine, were moved, or are others by now.
    """
    found = found_originals(folder, {row: digest}, settings)
    if row not in found:
        raise ImageSetError(_moved(folder))
    return found[row]


def found_originals(
    folder: SetFolder, wanted: Mapping[int, str], settings: Settings
) -> dict[int, bytes]:
    """Return the files of the ``wanted`` images, row to SHA-256, that are still what they were.

    Raises:
        ImageSetError: the images are not on this machine, or none of the set is where it was.
    """
    source = open_source(place_of(folder, settings), key=folder.facts.key)  # each file is checked
    found = {}
    for row, digest in sorted(wanted.items()):
        for item in source.items(row, row + 1):
            payload = _read(item)
            if sha256_of_bytes(payload) == digest:
                found[row] = payload
    return found


def _read(item: Item) -> bytes:
    try:
        return item.read()
    except ImageSetError:  # it was taken away since the source was listed
        return b""


def _moved(folder: SetFolder) -> str:
    return f"The images of the set {folder.facts.name} are no longer where they were prepared from."


def _noted(folder: SetFolder, settings: Settings) -> Path:
    return Path(os.fsdecode(_note(folder, settings).read_bytes()))


def _note(folder: SetFolder, settings: Settings) -> Path:
    return settings.cache_dir / "originals" / f"{folder.facts.key[:32]}.path"
