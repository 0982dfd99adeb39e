"""The images behind a prepared set, as long as they are still where they were prepared from.

A set holds features and scores, no image. Where its images lie is written under the cache folder,
not in the set: one that is copied elsewhere tells nothing of it.
"""

from pathlib import Path

from sing_core.errors import ImageSetError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import sha256_of_bytes
from sing_core.sets.chunks import SetFolder
from sing_core.sets.sources import open_source
from sing_core.settings import Settings


def remember(folder: SetFolder, images: Path, settings: Settings) -> None:
    """Write down that the images of ``folder`` are those at ``images``.

    Raises:
        OSError: the disk refuses.
    """
    write_atomically(_note(folder, settings), str(images.resolve()).encode())


def original(folder: SetFolder, row: int, digest: str, settings: Settings) -> bytes:
    """Return the file of the image in ``row``, whose SHA-256 is ``digest``.

    Raises:
        ImageSetError: the images are not on this machine, were moved, or are others by now.
    """
    name = folder.facts.name
    try:
        place = Path(_note(folder, settings).read_text("utf-8"))
    except OSError:
        raise ImageSetError(
            f"The images of the set {name} are not on this machine, only their features and "
            "scores: upload the image to explore it."
        ) from None
    moved = f"The images of the set {name} are no longer where they were prepared from."
    if not place.exists():
        raise ImageSetError(moved)
    source = open_source(place)
    item = next(iter(source.items(row, row + 1)), None)
    payload = item.read() if item else b""
    if sha256_of_bytes(payload) != digest:
        raise ImageSetError(moved)
    return payload


def _note(folder: SetFolder, settings: Settings) -> Path:
    return settings.cache_dir / "originals" / f"{folder.facts.key[:32]}.path"
