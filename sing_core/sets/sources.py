"""Where the images of a set come from: class folders, Parquet files, zips or tars; as a stream.

A source is a fixed list of rows. What cannot be used keeps its row and is named later; nothing
is dropped here but what systems leave behind (``._`` files, ``Thumbs.db``). This is the one reader
of sets: preparing, fitting and checking heads all open them here.
"""

import os
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from sing_core.errors import ImageSetError
from sing_core.files.digests import digest_of_listing
from sing_core.files.regular import open_regular, read_regular
from sing_core.models.class_names import wnid_of
from sing_core.sets.archives import ArchiveSource
from sing_core.sets.class_folders import classes_of, key_of_reading
from sing_core.sets.items import MOST_BYTES, Item, Source, is_hidden
from sing_core.sets.parquet_source import ParquetSource

_PARQUET, _ARCHIVES = (".parquet",), (".zip", ".tar")
_MAGIC = b"PAR1"
_PICTURES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic",
    ".heif", ".avif",
)  # fmt: skip


def open_source(path: Path, *, key: str = "") -> Source:
    """Return the source at ``path``: class folders, Parquet, a zip or a tar, or a folder of these.

    A ``key`` that is known already spares reading every byte of such files again.

    Raises:
        ImageSetError: there is nothing there, or it is none of these.
    """
    if os.path.isdir(path):  # `Path.is_dir` raises where a name is too long, or a folder closed
        return _of_folder(path, key)
    try:
        with open_regular(path) as file:
            is_parquet = file.read(len(_MAGIC)) == _MAGIC
    except FileNotFoundError as error:
        raise ImageSetError(f"There is no image set at {path}: no such folder or file.") from error
    except OSError as error:
        raise ImageSetError(f"{path.name} cannot be read: {error.strerror}.") from error
    if is_parquet or path.suffix.lower() in _PARQUET:
        return ParquetSource(path.stem, [path], key)
    if zipfile.is_zipfile(path) or _is_tar(path):
        return ArchiveSource(path.stem, [path], key)
    raise ImageSetError(
        f"{path.name} is no image set: give class folders, a Parquet file with the images in a "
        "column jpeg or image and their classes in wnid or label, or a zip or tar of class folders."
    )


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except OSError:
        return False


def _of_folder(path: Path, key: str) -> Source:
    try:
        files = [file for file in files_under(path) if not is_hidden(file.relative_to(path).name)]
    except OSError as error:
        raise ImageSetError(f"The folder {path.name} cannot be read: {error.strerror}.") from error
    shards, archives = _ending(files, _PARQUET), _ending(files, _ARCHIVES)
    has_pictures = any(file.suffix.lower() in _PICTURES for file in files)
    if any(shard.parent == path for shard in shards) or (shards and not has_pictures):
        return ParquetSource(path.name, shards, key)
    if archives and not has_pictures:
        return ArchiveSource(path.name, archives, key)
    return FolderSource(path, files)


def _ending(files: Sequence[Path], suffixes: tuple[str, ...]) -> list[Path]:
    return [file for file in files if file.suffix.lower() in suffixes]


def files_under(root: Path) -> Iterator[Path]:
    """Yield the files under ``root``: a folder's own in their order, then those of its folders.

    Files and folders whose name begins with a dot are left out; links to folders are not followed.

    Raises:
        OSError: ``root`` cannot be read.
    """
    os.listdir(root)  # a walk passes over what it cannot read
    for folder, inside, files in os.walk(root):
        inside[:] = sorted(name for name in inside if not is_hidden(name))
        for name in sorted(name for name in files if not name.startswith(".")):
            yield Path(folder, name)


class FolderSource:
    """Class folders: ``<class>/…/<file>``; hidden files are no images."""

    def __init__(self, root: Path, files: Sequence[Path]) -> None:
        """Take ``files`` of ``root``; their names, sizes and times of change make the key.

        Raises:
            ImageSetError: there is no file.
        """
        self._root = root
        self._names = [path.relative_to(root).as_posix() for path in files]
        if not self._names:
            raise ImageSetError(f"The folder {root.name} holds no file.")
        self._classes = classes_of(self._names)
        facts: list[tuple[str, ...]] = []
        for path, name in zip(files, self._names, strict=True):
            stat = path.stat() if path.exists() else path.lstat()
            facts.append((name, str(stat.st_size), str(stat.st_mtime_ns)))
        self.name, self.key, self.total = root.name, digest_of_listing(facts), len(self._names)
        self.key = key_of_reading(self.key, self._names, self._classes)
        self.notes = _linked(root)

    def items(self, start: int, stop: int) -> Iterator[Item]:
        """Yield rows ``start`` to ``stop - 1`` in order."""
        for row in range(start, min(stop, self.total)):
            name, own = self._names[row], self._classes[row]
            yield Item(row, name, wnid_of(own) or own, lambda name=name: self._read(name))  # type: ignore[misc]

    def listing(self) -> Iterator[tuple[str, str]]:
        """Yield name and class of every row."""
        yield from zip(self._names, self._classes, strict=True)

    def _read(self, name: str) -> bytes:
        try:
            return read_regular(self._root / name, MOST_BYTES)
        except OSError as error:
            raise ImageSetError(f"It cannot be read: {error.strerror}.") from error


def _linked(root: Path) -> tuple[str, ...]:
    """Say which folders of ``root`` are links, which are not followed."""
    with os.scandir(root) as entries:
        names = sorted(entry.name for entry in entries if entry.is_symlink() and entry.is_dir())
    if not names:
        return ()
    if len(names) == 1:
        return (
            f"The linked folder “{names[0][:60]}” of {root.name} is not followed: give the folder "
            "that it leads to.",
        )
    return (
        f"{len(names):,} linked folders of {root.name} are not followed, “{names[0][:60]}” first: "
        "give the folders that they lead to.",
    )
