"""What somebody sends as a set: images one by one, or one zip, laid down as class folders.

Names are data: of them only the class is taken, and a plain name for people; no path of a zip is
followed. What a zip says of its sizes is not trusted either: reading stops at the limit. What lies
here is bounded: the sets that were sent longest ago go first.
"""

import re
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sing_core.errors import ImageSetError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import digest_of_listing, sha256_of_bytes
from sing_core.models.class_names import wnid_of
from sing_core.sets.archives import members_of_bytes, most_entries
from sing_core.sets.class_folders import class_of

MAX_FILES = 20_000
MAX_TOTAL_MB = 2_048
KEPT_MB = 4 * MAX_TOTAL_MB
_BUSY_S = 2 * 3600.0  # a set that was sent so lately may be about to be prepared
_ENTRIES_OF_A_FILE = 4  # in a zip: its folder, and what a Mac writes beside it
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
    set that was begun from them goes on. Of what was sent before, the latest ``KEPT_MB`` stay.

    Raises:
        ImageSetError: there is no image, too much, a zip among other files, or one that is
            damaged, encrypted or not made of plain files; an image has no class; or there is no
            room.
        OSError: the disk refuses.
    """
    facts = [(name, sha256_of_bytes(payload)) for name, payload in files]
    key = digest_of_listing([*facts, (wnid,)])
    root = place / key[:24] / _plain(PurePosixPath(files[0][0]).stem if files else "", "images")
    if (root / _DONE).is_file():
        (root / _DONE).touch()  # in use
        return root
    make_room(place, KEPT_MB - MAX_TOTAL_MB)
    try:
        _write(_images(files), wnid, root)
        write_atomically(root / _DONE, b"")  # hidden: no image
    except BaseException:
        shutil.rmtree(root.parent, ignore_errors=True)
        raise
    return root


def make_room(place: Path, room_mb: float) -> None:
    """Take away what was sent longest ago until no more than ``room_mb`` lies under ``place``.

    Raises:
        ImageSetError: what was sent within two hours, which stays, is more than that.
    """
    held = 0.0
    for used, folder in sorted(((_last_use(one), one) for one in place.glob("*/")), reverse=True):
        size = sum(_size(path) for path in folder.rglob("*")) / _MB
        if held + size > room_mb and time.time() - used > _BUSY_S:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            held += size
    if held > room_mb:
        raise ImageSetError(
            f"Sets of {held:,.0f} MB were sent here within two hours, and there is no room for "
            "more: send yours later, or prepare a folder of this computer."
        )


def _size(path: Path) -> int:
    try:
        found = path.lstat()
    except OSError:  # it is gone
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _last_use(folder: Path) -> float:
    """Return when a set was sent, or sent again; of one that is not whole, when it was begun."""
    found = 0.0
    for path in (folder, *folder.glob(f"*/{_DONE}")):
        with suppress(OSError):
            found = max(found, path.stat().st_mtime)
    return found


def _write(images: Iterator[Sent], wnid: str, root: Path) -> None:
    """Write each of ``images`` into the folder of its class under ``root``."""
    count = size = 0
    for sent in images:
        count, size = count + 1, size + len(sent.payload)
        if count > MAX_FILES or size > MAX_TOTAL_MB * _MB:
            raise ImageSetError(_too_much())
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


def _too_much() -> str:
    return (
        f"That is too much at once: up to {MAX_FILES:,} images of {MAX_TOTAL_MB:,} MB together. "
        "Put them into a folder of this computer and prepare that."
    )


def _of_zip(name: str, payload: bytes) -> Iterator[Sent]:
    if most_entries(payload) > _ENTRIES_OF_A_FILE * MAX_FILES:
        raise ImageSetError(_too_much())
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
