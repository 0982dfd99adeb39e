"""Where the images of a set come from: class folders, Parquet files, or a zip; read as a stream.

A source is a fixed list of rows. What cannot be used keeps its row and is named later; nothing
is dropped here.
"""

import os
import re
import zipfile
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from sing_core.errors import ImageSetError
from sing_core.files.digests import digest_of_listing, sha256_of_files

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_MAX_FILE_MB = 100
_PARQUET_COLUMNS = ("jpeg", "wnid")
_ROWS_AT_ONCE = 32
_WNID = re.compile(r"n\d{8}")


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a set.

    Attributes:
        row: its place in the list, from 0.
        name: what a person finds it by.
        wnid: the class as the source names it; "" where it names none.
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
    """

    name: str
    key: str
    total: int

    def items(self, start: int, stop: int) -> Iterator[Item]:
        """Yield rows ``start`` to ``stop - 1`` in order."""


def open_source(path: Path, *, key: str = "") -> Source:
    """Return the source at ``path``: class folders, Parquet (a file or a folder of them), a zip.

    A ``key`` that is known already spares reading every byte of Parquet files and zips again.

    Raises:
        ImageSetError: there is nothing there, or it is none of the three.
    """
    if path.is_dir():
        shards = sorted(path.glob("*.parquet"))
        return ParquetSource(path.name, shards, key) if shards else FolderSource(path)
    if not path.is_file():
        raise ImageSetError(f"There is no image set at {path}: no such folder or file.")
    if path.suffix.lower() == ".parquet":
        return ParquetSource(path.stem, [path], key)
    if zipfile.is_zipfile(path):
        return ZipSource(path, key)
    raise ImageSetError(
        f"{path.name} is no image set: give class folders, a Parquet file with the columns "
        "jpeg and wnid, or a zip of class folders."
    )


def class_of(name: str) -> str:
    """Return the class part of a path: the last folder that looks like a wnid, else the first."""
    folders = PurePosixPath(name).parts[:-1]
    wnids = [part for part in folders if _WNID.fullmatch(part)]
    return wnids[-1] if wnids else (folders[0] if folders else "")


def files_under(root: Path, *, hidden: bool = False) -> Iterator[Path]:
    """Yield the files under ``root``: a folder's own in their order, then those of its folders.

    Files and folders whose name begins with a dot are left out unless ``hidden``.
    """
    for folder, inside, files in os.walk(root):
        inside[:] = sorted(name for name in inside if hidden or not name.startswith("."))
        for name in sorted(name for name in files if hidden or not name.startswith(".")):
            yield Path(folder, name)


class FolderSource:
    """Class folders: ``<wnid>/…/<file>``; hidden files are no images."""

    def __init__(self, root: Path) -> None:
        """List the files; their names, sizes and times of change make the key.

        Raises:
            ImageSetError: there is no file.
        """
        self._root = root
        self._names: list[str] = []
        facts: list[tuple[str, ...]] = []
        for path in files_under(root):
            stat = path.stat() if path.exists() else path.lstat()
            self._names.append(path.relative_to(root).as_posix())
            facts.append((self._names[-1], str(stat.st_size), str(stat.st_mtime_ns)))
        if not self._names:
            raise ImageSetError(f"The folder {root.name} holds no file.")
        self.name, self.key, self.total = root.name, digest_of_listing(facts), len(self._names)

    def items(self, start: int, stop: int) -> Iterator[Item]:
        """Yield rows ``start`` to ``stop - 1`` in order."""
        for row in range(start, min(stop, self.total)):
            name = self._names[row]
            yield Item(row, name, class_of(name), lambda name=name: _read_file(self._root / name))  # type: ignore[misc]


class ZipSource:
    """A zip of class folders."""

    def __init__(self, path: Path, key: str = "") -> None:
        """Read the zip's directory; its bytes make the key unless it is known.

        Raises:
            ImageSetError: it is damaged or holds no file.
        """
        try:
            self._zip = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile) as error:
            raise ImageSetError(f"{path.name} cannot be read as a zip.") from error
        entries = (info for info in self._zip.infolist() if not info.is_dir())
        self._entries = sorted(
            (info for info in entries if not _hidden(info.filename)), key=lambda i: i.filename
        )
        if not self._entries:
            raise ImageSetError(f"The zip {path.name} holds no file.")
        self.name, self.total = path.stem, len(self._entries)
        self.key = key or sha256_of_files([path])

    def items(self, start: int, stop: int) -> Iterator[Item]:
        """Yield rows ``start`` to ``stop - 1`` in order."""
        for row in range(start, min(stop, self.total)):
            info = self._entries[row]
            yield Item(row, info.filename, class_of(info.filename), lambda i=info: self._read(i))  # type: ignore[misc]

    def _read(self, info: zipfile.ZipInfo) -> bytes:
        _refuse_size(info.file_size)
        try:
            return self._zip.read(info)
        except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
            # RuntimeError is how zipfile says that a password is needed.
            raise ImageSetError("The zip holds it encrypted or damaged.") from error


class ParquetSource:
    """Parquet files with columns ``jpeg`` (bytes), ``wnid`` and, if they name images, ``file``."""

    def __init__(self, name: str, paths: list[Path], key: str = "") -> None:
        """Read the schema; the files' bytes make the key unless it is known.

        Raises:
            ImageSetError: a file is damaged, lacks a column, or there is no row.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._paths, rows = paths, []
        for path in paths:
            try:
                file = pq.ParquetFile(path)
            except (OSError, pa.ArrowException) as error:
                raise ImageSetError(f"{path.name} cannot be read as Parquet.") from error
            with file:
                _check_columns(path.name, file.schema_arrow)
                rows.append(file.metadata.num_rows)
        self._ends = list(accumulate(rows))
        if not self._ends[-1]:
            raise ImageSetError(f"{name} has no row.")
        self.name, self.key, self.total = name, key or sha256_of_files(paths), self._ends[-1]

    def items(self, start: int, stop: int) -> Iterator[Item]:
        """Yield rows ``start`` to ``stop - 1`` in order."""
        first = bisect_right(self._ends, start)
        for number in range(first, len(self._paths)):
            offset = self._ends[number - 1] if number else 0
            if offset >= stop:
                return
            yield from self._of_file(self._paths[number], offset, start, stop)

    def _of_file(self, path: Path, offset: int, start: int, stop: int) -> Iterator[Item]:
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            row = offset
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if row + rows > start and row < stop:
                    yield from _of_group(file, path.name, group, row, offset, start, stop)
                row += rows


def _of_group(
    file: "pq.ParquetFile", name: str, group: int, row: int, offset: int, start: int, stop: int
) -> Iterator[Item]:
    """Yield what ``[start, stop)`` holds of a row group that begins at ``row`` of the set."""
    named = "file" in file.schema_arrow.names
    columns = [*_PARQUET_COLUMNS, *(["file"] if named else [])]
    for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=[group], columns=columns):
        inside = range(max(start - row, 0), min(stop - row, batch.num_rows))
        for place in inside:
            payload, wnid = batch["jpeg"][place].as_py(), batch["wnid"][place].as_py()
            label = batch["file"][place].as_py() if named else f"{name}#{row + place - offset}"
            yield Item(row + place, label, wnid or "", lambda p=payload: p or b"")  # type: ignore[misc]
        row += batch.num_rows
        if row >= stop:
            return


def _check_columns(name: str, schema: "pa.Schema") -> None:
    missing = [column for column in _PARQUET_COLUMNS if column not in schema.names]
    if missing:
        raise ImageSetError(
            f"{name} has no column {' and no column '.join(missing)}; its columns are "
            f"{', '.join(schema.names)[:200]}."
        )
    import pyarrow as pa

    kinds = (pa.types.is_binary, pa.types.is_large_binary)
    if not any(kind(schema.field("jpeg").type) for kind in kinds):
        raise ImageSetError(f"The column jpeg of {name} holds {schema.field('jpeg').type}, "
                            "and should hold the bytes of image files.")  # fmt: skip


def _read_file(path: Path) -> bytes:
    try:
        _refuse_size(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise ImageSetError(f"It cannot be read: {error.strerror}.") from error


def _refuse_size(size: int) -> None:
    if size > _MAX_FILE_MB * 2**20:
        raise ImageSetError(f"The file has {size / 2**20:,.0f} MB; up to {_MAX_FILE_MB} are read.")


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)
