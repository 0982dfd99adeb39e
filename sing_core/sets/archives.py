"""Images of a set in zips or tars: class folders packed up, or WebDataset shards."""

import json
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path, PurePosixPath

from sing_core.errors import ImageSetError
from sing_core.files.digests import content_key, sha256_of_files
from sing_core.files.regular import open_regular
from sing_core.models.class_names import wnid_of
from sing_core.sets.class_folders import classes_of, key_of_reading
from sing_core.sets.items import MOST_BYTES, Item, is_hidden, refuse_size, shown
from sing_core.sets.tar_members import is_compressed, is_tar, tar_infos

_TROUBLE = (
    OSError, RuntimeError, NotImplementedError, EOFError, ValueError, MemoryError, OverflowError,
    zipfile.BadZipFile, zlib.error, lzma.LZMAError,
)  # fmt: skip
_ENTRY = b"PK\x01\x02"
_SIDE = (".cls", ".json", ".txt")  # beside an image of a WebDataset, under its name
_CLASS_ENTRIES = ("wnid", "synset", "label", "class", "class_name", "cls")
_MOST_SIDE_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive.

    Attributes:
        name: its path inside, with slashes.
        read: returns its bytes; raises ``ImageSetError`` where that is not possible.
        as_before: whether earlier versions listed it, and by this name.
    """

    name: str
    read: Callable[[], bytes]
    as_before: bool = True


def members_of(path: Path) -> list[Member]:
    """Return the files in a zip or a tar, sorted by name; hidden ones are left out.

    Links and devices in it are listed and cannot be read; but hard links of a tar are the files
    that they stand for. Backslashes, which some programs of Windows write, count as slashes.

    Raises:
        ImageSetError: it is neither, is damaged or cut off, or is a tar that was compressed as a
            whole.
    """
    name = shown(path.name)
    try:
        open_regular(path).close()
        if is_compressed(path):
            raise ImageSetError(f"{name} is compressed as a whole: unpack it to a plain tar.")
        found = _of_tar(path) if is_tar(path) else _of_zip(path)
    except (*_TROUBLE, tarfile.TarError) as error:
        raise ImageSetError(f"{name} cannot be read as a zip or tar.") from error
    return _listed(found)


def members_of_bytes(payload: bytes, name: str) -> list[Member]:
    """Return the files in the zip ``payload`` that is called ``name``: see ``members_of``.

    Raises:
        ImageSetError: it is damaged.
    """
    try:
        return _listed(_of_zip(BytesIO(payload)))
    except _TROUBLE as error:
        raise ImageSetError(f"{name} cannot be read as a zip.") from error


def most_entries(payload: bytes) -> int:
    """Return how many files and folders a zip lists, or more: told before it is opened.

    Listing some hundred thousand takes hundreds of MB, whatever its own count says.
    """
    return payload.count(_ENTRY)


def _listed(members: list[Member]) -> list[Member]:
    return sorted((m for m in members if not is_hidden(m.name)), key=lambda member: member.name)


def _of_zip(file: Path | BytesIO) -> list[Member]:
    archive = zipfile.ZipFile(file)
    return [
        Member(_slashed(info.filename), partial(_unzip, archive, info))
        for info in archive.infolist()
        if not _slashed(info.filename).endswith("/")
    ]


def _slashed(name: str) -> str:
    return name.replace("\\", "/")


def _unzip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    refuse_size(info.file_size)
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise ImageSetError("The zip holds a link or a device there, no file.")
    try:
        with archive.open(info) as file:
            payload = file.read(MOST_BYTES + 1)
    except _TROUBLE as error:  # RuntimeError is how zipfile says that a password is needed
        raise ImageSetError("The zip holds it encrypted or damaged.") from error
    refuse_size(len(payload))
    return payload


def _of_tar(path: Path) -> list[Member]:
    known: dict[str, tarfile.TarInfo] = {}
    found = []
    for info in tar_infos(path):
        held = known.get(info.linkname) if info.islnk() else info
        if held is not None and held.isreg():
            known[info.name] = held
        name = shown(info.name)
        plain = info.isreg() and not info.issparse()
        found.append(Member(name, partial(_untar, path, held), plain and name == info.name))
    return found


def _untar(path: Path, info: tarfile.TarInfo | None) -> bytes:
    if info is None or not info.isreg():
        raise ImageSetError("The tar holds a link or a device there, no file.")
    if info.issparse():
        raise ImageSetError("The tar holds it as a sparse file: pack it without --sparse.")
    refuse_size(info.size)
    try:
        with open_regular(path) as file:
            file.seek(info.offset_data)
            payload = file.read(info.size)
    except OSError as error:
        raise ImageSetError("The tar cannot be read any longer.") from error
    if len(payload) < info.size:
        raise ImageSetError("The tar ends before this file does.")
    return payload


class ArchiveSource:
    """The files of zips and tars of class folders, or of WebDataset shards."""

    def __init__(self, name: str, paths: Sequence[Path], key: str = "") -> None:
        """List the files; the bytes of the archives make the key unless it is known.

        Raises:
            ImageSetError: one is damaged, or there is no file.
        """
        found: list[Member] = []
        classes: list[str] = []
        for path in paths:
            members, own = _with_classes(members_of(path))
            found += members
            classes += own
        if not found:
            what = "zip" if paths[0].suffix.lower() == ".zip" else "archive"
            raise ImageSetError(f"The {what} {shown(paths[0].name)} holds no file.")
        self._members, self._classes = found, classes
        names = [member.name for member in found]
        self.name, self.total, self.notes = name, len(found), tuple[str, ...]()
        self.key = key or self._own_key(paths, names)

    def _own_key(self, paths: Sequence[Path], names: Sequence[str]) -> str:
        key = key_of_reading(sha256_of_files(paths), names, self._classes)
        if all(member.as_before for member in self._members):
            return key
        return content_key(key, "with links")

    def items(self, start: int, stop: int) -> Iterator[Item]:
        """Yield rows ``start`` to ``stop - 1`` in order."""
        for row in range(start, min(stop, self.total)):
            member, own = self._members[row], self._classes[row]
            yield Item(row, member.name, wnid_of(own) or own, member.read)

    def listing(self) -> Iterator[tuple[str, str]]:
        """Yield name and class of every row."""
        yield from zip((member.name for member in self._members), self._classes, strict=True)


def _with_classes(members: list[Member]) -> tuple[list[Member], list[str]]:
    """Return the images among ``members``, and their classes: from their folders, or beside them.

    In a WebDataset ``key.jpg`` has its class in ``key.cls`` or ``key.json``.
    """
    beside: dict[str, dict[str, Member]] = {}
    for member in members:
        if PurePosixPath(member.name).suffix in _SIDE:
            beside.setdefault(_key(member.name), {})[PurePosixPath(member.name).suffix] = member
    own = [m for m in members if _key(m.name) in beside and not m.name.endswith(_SIDE)]
    if not own:
        return members, classes_of([member.name for member in members])
    images = [member for member in members if not member.name.endswith(_SIDE)]
    folders = classes_of([member.name for member in images])
    noted = [_noted(beside.get(_key(member.name), {})) for member in images]
    return images, [note or folder for note, folder in zip(noted, folders, strict=True)]


def _key(name: str) -> str:
    """Return what the files of one sample share: the path up to the first dot of the name."""
    folder, _, own = name.rpartition("/")
    return f"{folder}/{own.partition('.')[0]}"


def _noted(beside: dict[str, Member]) -> str:
    """Return the class that the files beside an image say, "" where they say none."""
    try:
        if ".cls" in beside:
            return beside[".cls"].read()[:_MOST_SIDE_BYTES].decode("utf-8").strip()
        if ".json" in beside:
            found = json.loads(beside[".json"].read()[:_MOST_SIDE_BYTES])
            known = found if isinstance(found, dict) else {}
            return next((shown(str(known[name])) for name in _CLASS_ENTRIES if name in known), "")
    except (ImageSetError, ValueError, RecursionError):
        return ""
    return ""
