"""What somebody sends as a set: images one by one, or one zip, laid down as class folders.

Names are data: of them only the class is taken, and a plain name for people; no path of a zip is
followed. What a zip says of its sizes is not trusted either: reading stops at the limit.
"""

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sing_core.errors import ImageSetError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import digest_of_listing, sha256_of_bytes
from sing_core.models.class_names import wnid_of
from sing_core.sets.archives import members_of_bytes
from sing_core.sets.class_folders import class_of

MAX_FILES = 20_000
MAX_TOTAL_MB = 2_048
_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")  # with files, and empty
_MB = 2**20
_DONE = ".whole"


@dataclass(frozen=True, slots=True)
class Sent:
    """One image as it was sent: its name there, folders included, and its bytes."""

    name: str
    payload: bytes


def lay_down(files: Sequence[tuple[str, bytes]], wnid: str, place: Path) -> Path:
    """Write what was sent under ``place`` as class folders; return the folder that holds them.

    ``files`` are images, or one zip of them, by name. ``wnid`` is the class of what lies in no
    class folder; "" where that was not said. The same files lie in the same folder, unchanged: a
    set that was begun from them goes on.

    Raises:
        ImageSetError: there is no image, too much, a zip among other files, or one that is
            damaged, encrypted or not made of plain files; or an image has no class.
        OSError: the disk refuses.
    """
    facts = [(name, sha256_of_bytes(payload)) for name, payload in files]
    key = digest_of_listing([*facts, (wnid,)])
    root = place / key[:24] / _plain(PurePosixPath(files[0][0]).stem if files else "", "images")
    if (root / _DONE).is_file():
        return root
    try:
        _write(_images(files), wnid, root)
        write_atomically(root / _DONE, b"")  # hidden: no image
    except BaseException:
        shutil.rmtree(root.parent, ignore_errors=True)
        raise
    return root


def _write(images: Iterator[Sent], wnid: str, root: Path) -> None:
    """Write each of ``images`` into the folder of its class under ``root``."""
    count = size = 0
    for sent in images:
        count, size = count + 1, size + len(sent.payload)
        if count > MAX_FILES or size > MAX_TOTAL_MB * _MB:
            raise ImageSetError(
                f"That is too much at once: up to {MAX_FILES:,} images of {MAX_TOTAL_MB:,} MB "
                "together. Put them into a folder of this computer and prepare that."
            )
        path = PurePosixPath(sent.name.replace("\\", "/"))
        own = wnid_of(class_of(str(path))) or wnid
        if not own:
            raise ImageSetError(_no_class(path))
        (root / own).mkdir(parents=True, exist_ok=True)
        (root / own / f"{count:05d}-{_plain(path.name, 'image')}").write_bytes(sent.payload)
    if not count:
        raise ImageSetError("There is no image in what was sent.")


def _images(files: Sequence[tuple[str, bytes]]) -> Iterator[Sent]:
    zips = [name for name, payload in files if payload.startswith(_ZIPS)]
    if zips and len(files) > 1:
        raise ImageSetError("Send images, or one zip of them: not a zip beside other files.")
    for name, payload in files:
        if not zips and name.lower().endswith(".zip"):
            raise ImageSetError(
                f"“{name[:80]}” is no zip, whatever its name says: it may have been damaged on "
                "its way. Send it again, or send the images themselves."
            )
        if zips:
            yield from _of_zip(name, payload)
        else:
            yield Sent(name, payload)


def _of_zip(name: str, payload: bytes) -> Iterator[Sent]:
    for member in members_of_bytes(payload, name[:80]):
        try:
            yield Sent(member.name, member.read())
        except ImageSetError as error:
            raise ImageSetError(f"“{member.name[:80]}” in {name[:80]}: {error}") from error


def _no_class(path: PurePosixPath) -> str:
    where = f"“{path.parts[-2][:40]}” is no class" if len(path.parts) > 1 else "it has no folder"
    return (
        f"Of “{path.name[:80]}” the class is not known ({where}): choose what the images are of, "
        "or send a zip of folders that are named by class, such as goldfish or n01443537."
    )


def _plain(text: str, otherwise: str) -> str:
    """Return a name for people, of letters, digits, dots and dashes, that is no hidden file."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text)[-60:].strip("-.") or otherwise
