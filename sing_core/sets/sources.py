"""Where the images of a set come from: class folders, Parquet files, zips or tars; as a stream.

A source is a fixed list of rows. What cannot be used keeps its row and is named later; nothing
is dropped here but what systems leave behind (``._`` files, ``Thumbs.db``). This is the one reader
of sets: preparing, fitting and checking heads all open them here.
"""

import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sing_core.errors import ImageSetError
from sing_core.files.digests import digest_of_listing
from sing_core.files.regular import open_regular, read_regular
from sing_core.models.class_names import wnid_of
from sing_core.sets.archives import ArchiveSource
from sing_core.sets.class_folders import classes_of, is_between, key_of_reading
from sing_core.sets.items import MOST_BYTES, Item, Source, is_hidden, shown
from sing_core.sets.parquet_source import ParquetSource
from sing_core.sets.tar_members import is_tar

_PARQUET, _ARCHIVES = (".parquet",), (".zip", ".tar")
_MAGIC = b"PAR1"
_PICTURES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic",
    ".heif", ".avif",
)  # fmt: skip
_BEGIN_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_LOOKED_INTO = 1_000  # files without a known ending, where it matters what they are
# Folders beside the data of a repository: pictures in them are of its page.
_OF_A_PAGE = ("assets", "doc", "docs", "fig", "figs", "figures", "media", "static", "thumbnails")


def open_source(path: Path, *, key: str = "") -> Source:
    """Return the source at ``path``: class folders, Parquet, a zip or a tar, or a folder of these.

    A ``key`` that is known already spares reading every byte of such files again.

    Raises:
        ImageSetError: there is nothing there, or it is none of these.
    """
    if os.path.isdir(path):  # `Path.is_dir` raises where a name is too long, or a folder closed
        return _of_folder(path, key)
    name = shown(path.name)
    try:
        with open_regular(path) as file:
            is_parquet = file.read(len(_MAGIC)) == _MAGIC
        is_archive = is_tar(path) or zipfile.is_zipfile(path)
    except FileNotFoundError as error:
        raise ImageSetError(
            f"There is no image set at {shown(str(path))}: no such folder or file."
        ) from error
    except OSError as error:
        raise ImageSetError(f"{name} cannot be read: {error.strerror}.") from error
    if is_parquet or path.suffix.lower() in _PARQUET:
        return ParquetSource(shown(path.stem), [path], key)
    if is_archive:
        return ArchiveSource(shown(path.stem), [path], key)
    raise ImageSetError(
        f"{name} is no image set: give class folders, a Parquet file with the images in a "
        "column jpeg or image and their classes in wnid or label, or a zip or tar of class folders."
    )


def _of_folder(path: Path, key: str) -> Source:
    try:
        found = files_under(path)
    except OSError as error:
        raise ImageSetError(
            f"The folder {shown(path.name)} cannot be read: {error.strerror}."
        ) from error
    shards, archives = _ending(found.files, _PARQUET), _ending(found.files, _ARCHIVES)
    pictures = _pictures_of(found.files, [*shards, *archives])
    notes = _left_out(shown(path.name), found)
    source: Source
    if any(shard.parent == path for shard in shards) or _lead(path, shards, pictures):
        source = ParquetSource(shown(path.name), shards, key)
        notes += _beside(path, [*pictures, *archives])
    elif _lead(path, archives, pictures):
        source = ArchiveSource(shown(path.name), archives, key)
        notes += _beside(path, pictures)
    else:
        source = FolderSource(path, found.files, notes)
        return source
    source.notes += notes
    return source


def _ending(files: Sequence[Path], suffixes: tuple[str, ...]) -> list[Path]:
    return [file for file in files if file.suffix.lower() in suffixes]


def _pictures_of(files: Sequence[Path], packed: Sequence[Path]) -> list[Path]:
    """Return those of ``files`` that are pictures by their ending, or, where none is, by content.

    Only beside ``packed`` images it matters what is inside files of other endings.
    """
    named = _ending(files, _PICTURES)
    if named or not packed:
        return named
    known = set(packed)
    others = [file for file in files if file not in known][:_LOOKED_INTO]
    return [file for file in others if _begins_as_picture(file)]


def _begins_as_picture(path: Path) -> bool:
    try:
        with open_regular(path) as file:
            return file.read(4).startswith(_BEGIN_PICTURES)
    except OSError:
        return False


def _lead(root: Path, packed: Sequence[Path], pictures: Sequence[Path]) -> bool:
    """Return whether the set is ``packed`` in files, and ``pictures`` are of its page at most."""
    if not packed or not pictures:
        return bool(packed)
    places = [picture.relative_to(root) for picture in pictures]
    if any(wnid_of(own) for own in classes_of([place.as_posix() for place in places])):
        return False
    in_data = all(is_between(file.relative_to(root).parts[0]) for file in packed)
    return all(
        place.parts[0].casefold() in _OF_A_PAGE
        or (in_data and (len(place.parts) == 1 or is_between(place.parts[0])))
        for place in places
    )


def _beside(root: Path, files: Sequence[Path]) -> tuple[str, ...]:
    """Say which files are no part of a set that is packed in others."""
    if not files:
        return ()
    first, name = shown(files[0].relative_to(root).as_posix())[:60], shown(root.name)
    if len(files) == 1:
        return (f"The file “{first}” beside the packed images of {name} is not read.",)
    return (
        f"{len(files):,} files beside the packed images of {name} are not read, “{first}” first.",
    )


@dataclass(frozen=True, slots=True)
class Listed:
    """What lies under a folder.

    Attributes:
        files: a folder's own in their order, then those of its folders; hidden ones are left out.
        linked: folders that are links; they are not followed.
        closed: folders that cannot be read, and ``why`` the first cannot.
    """

    files: tuple[Path, ...]
    linked: tuple[str, ...]
    closed: tuple[str, ...]
    why: str


def files_under(root: Path) -> Listed:
    """Return the files under ``root``, and the folders there that were not looked into.

    Files and folders whose name begins with a dot, or that systems leave behind, are left out.

    Raises:
        OSError: ``root`` cannot be read.
    """
    os.listdir(root)  # a walk passes over what it cannot read
    files, linked, faults = list[Path](), list[str](), list[OSError]()
    for folder, inside, names in os.walk(root, onerror=faults.append):
        inside[:] = sorted(name for name in inside if not is_hidden(name))
        paths = [Path(folder, name) for name in inside]
        linked += [path.relative_to(root).as_posix() for path in paths if path.is_symlink()]
        files += [Path(folder, name) for name in sorted(names) if not is_hidden(name)]
    closed = [os.path.relpath(fault.filename or root, root) for fault in faults]
    why = (faults[0].strerror or "") if faults else ""
    return Listed(tuple(files), tuple(linked), tuple(closed), why)


class FolderSource:
    """Class folders: ``<class>/…/<file>``; hidden files are no images."""

    def __init__(self, root: Path, files: Sequence[Path], notes: tuple[str, ...] = ()) -> None:
        """Take ``files`` of ``root``; their names, sizes and times of change make the key.

        Raises:
            ImageSetError: there is no file; the message ends in ``notes``.
        """
        self._files, self.name = files, shown(root.name)
        if not files:
            raise ImageSetError(" ".join([f"The folder {self.name} holds no file.", *notes]))
        given = [path.relative_to(root).as_posix() for path in files]
        self._names = [shown(name) for name in given]
        self._classes = classes_of(self._names)
        facts = [(name, *_state(path)) for path, name in zip(files, given, strict=True)]
        self.key = key_of_reading(digest_of_listing(facts), self._names, self._classes)
        self.total, self.notes = len(files), notes

    def items(self, start: int, stop: int) -> Iterator[Item]:
        """Yield rows ``start`` to ``stop - 1`` in order."""
        for row in range(start, min(stop, self.total)):
            path, own = self._files[row], self._classes[row]
            yield Item(row, self._names[row], wnid_of(own) or own, lambda path=path: _read(path))  # type: ignore[misc]

    def listing(self) -> Iterator[tuple[str, str]]:
        """Yield name and class of every row."""
        yield from zip(self._names, self._classes, strict=True)


def _state(path: Path) -> tuple[str, str]:
    """Return size and time of change of a file; of a link that leads nowhere, its own."""
    for follow in (True, False):
        try:
            found = os.stat(path, follow_symlinks=follow)
        except OSError:
            continue
        return str(found.st_size), str(found.st_mtime_ns)
    return "", ""


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, MOST_BYTES)
    except OSError as error:
        raise ImageSetError(f"It cannot be read: {error.strerror}.") from error


def _left_out(name: str, found: Listed) -> tuple[str, ...]:
    """Say which folders of the folder ``name`` were not looked into, and why."""
    notes = []
    if len(found.linked) == 1:
        notes.append(
            f"The linked folder “{shown(found.linked[0])[:60]}” of {name} is not followed: give "
            "the folder that it leads to."
        )
    elif found.linked:
        notes.append(
            f"{len(found.linked):,} linked folders of {name} are not followed, "
            f"“{shown(found.linked[0])[:60]}” first: give the folders that they lead to, or put "
            "links to their files there."
        )
    if len(found.closed) == 1:
        notes.append(
            f"The folder “{shown(found.closed[0])[:60]}” of {name} cannot be read ({found.why}): "
            "what it holds is left out."
        )
    elif found.closed:
        notes.append(
            f"{len(found.closed):,} folders of {name} cannot be read, "
            f"“{shown(found.closed[0])[:60]}” first ({found.why}): what they hold is left out."
        )
    return tuple(notes)
