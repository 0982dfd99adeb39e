"""Images of a set in Parquet files: a column of image files, and one of their classes.

The column may hold bytes, or what the datasets library writes: a struct of ``bytes`` and ``path``.
Labels may be texts or numbers; numbers with names in the file's own metadata are these names.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.errors import ImageSetError
from sing_core.files.digests import content_key, sha256_of_files
from sing_core.files.regular import MB, open_regular
from sing_core.models.class_names import wnid_of
from sing_core.sets.items import MOST_BYTES, Item, refuse_size, shown
from sing_core.sets.parquet_columns import LONGEST_NAME, Columns

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_PLAIN = ("jpeg", "wnid")
_ROWS_AT_ONCE, _LABELS_AT_ONCE = 32, 65_536
_BYTES_AT_ONCE = 64 * MB
_LARGE_BYTES = 512 * MB  # a part in which a few values may be most of it


class ParquetSource:
    """Parquet files of one kind, read as one list."""

    def __init__(self, name: str, paths: Sequence[Path], key: str = "") -> None:
        """Read the schemas; the files' bytes make the key unless it is known.

        Raises:
            ImageSetError: a file is damaged, has no images, or there is no row.
        """
        self._paths, rows, self._columns = list(paths), [], list[Columns]()
        for path in paths:
            with _opened(path) as file:
                self._columns.append(Columns.of(shown(path.name), file.schema_arrow))
                rows.append(file.metadata.num_rows)
        self._ends = list(accumulate(rows))
        if not self._ends[-1]:
            raise ImageSetError(f"{name} has no row.")
        self.name, self.total = name, self._ends[-1]
        self.key = key or _key_of(paths, self._columns)
        several = f"{len(paths):,} Parquet files were read."
        self.notes: tuple[str, ...] = (several,) if len(paths) > 1 else ()

    def items(self, start: int, stop: int) -> Iterator[Item]:
        """Yield rows ``start`` to ``stop - 1`` in order.

        Raises:
            ImageSetError: a file is damaged.
        """
        first = bisect_right(self._ends, start)
        for number in range(first, len(self._paths)):
            offset = self._ends[number - 1] if number else 0
            if offset >= stop:
                return
            yield from self._of_file(number, offset, start, stop)

    def listing(self) -> Iterator[tuple[str, str]]:
        """Yield name and class of every row; the images' columns are not read.

        Raises:
            ImageSetError: a file is damaged.
        """
        for path, columns in zip(self._paths, self._columns, strict=True):
            wanted = [column for column in (columns.label, columns.file) if column]
            prefix, row = f"{shown(path.name)}#", 0
            with _opened(path) as file:
                if not wanted:
                    yield from ((f"{prefix}{i}", "") for i in range(file.metadata.num_rows))
                    continue
                for group in range(file.num_row_groups):
                    for begin, batch in _batches(file, group, wanted, row, _LABELS_AT_ONCE):
                        for at in range(batch.num_rows):
                            yield _labelled(batch, at, columns, f"{prefix}{begin + at}")
                    row += file.metadata.row_group(group).num_rows

    def _of_file(self, number: int, offset: int, start: int, stop: int) -> Iterator[Item]:
        path, columns = self._paths[number], self._columns[number]
        prefix, most = f"{shown(path.name)}#", _ROWS_AT_ONCE
        with _opened(path) as file:
            row = offset
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if row + rows > start and row < stop:
                    for place, batch in _batches(file, group, columns.all, row, most):
                        inside = range(max(start - place, 0), min(stop - place, batch.num_rows))
                        for at in inside:
                            yield _item(batch, at, columns, place + at, prefix, offset)
                        if place + batch.num_rows >= stop:
                            return
                row += rows


def _batches(
    file: "pq.ParquetFile", group: int, columns: list[str], row: int, most: int
) -> "Iterator[tuple[int, pa.RecordBatch]]":
    """Yield parts of a row group that begins at ``row``, each with the row that it begins at."""
    rows = _rows_at_once(file, group, columns, most)
    for batch in file.iter_batches(rows, row_groups=[group], columns=columns):
        yield row, batch
        row += batch.num_rows


def _rows_at_once(file: "pq.ParquetFile", group: int, columns: list[str], most: int) -> int:
    """Return how many rows of a group to read at once: up to ``most``, by what they may take.

    A value that lies in the file once and is named by many rows is as large in each.
    """
    facts = file.metadata.row_group(group)
    for place in range(facts.num_columns):
        column = facts.column(place)
        path, size = column.path_in_schema, column.total_uncompressed_size
        if any(path == name or path.startswith(f"{name}.") for name in columns):
            may_repeat = any("DICTIONARY" in encoding for encoding in column.encodings)
            alike = not may_repeat and size <= _LARGE_BYTES
            each = size / max(facts.num_rows, 1) if alike else size
            most = min(most, int(_BYTES_AT_ONCE / max(each, 1)))
    return max(most, 1)


def _item(
    batch: "pa.RecordBatch", place: int, columns: Columns, row: int, prefix: str, offset: int
) -> Item:
    value, path = batch[columns.image][place], ""
    if columns.is_struct:
        fields = value if value.is_valid else {}
        path = str(fields["path"].as_py() or "") if "path" in fields else ""
        value = fields.get("bytes")
    payload, size = _held(value)
    name, own = _labelled(batch, place, columns, f"{prefix}{row - offset}")
    return Item(row, name, wnid_of(own) or own, partial(_bytes, payload, path, size))


def _held(value: "pa.Scalar | None") -> tuple[bytes | None, int]:
    """Return the bytes that a row holds, None where there are none or too many, and their size."""
    if value is None or not value.is_valid:
        return None, 0
    buffer = value.as_buffer()
    return (buffer.to_pybytes() if buffer.size <= MOST_BYTES else None), buffer.size


def _bytes(payload: bytes | None, path: str, size: int) -> bytes:
    refuse_size(size)
    if payload is None:
        raise ImageSetError(
            f"The row names the file “{path[:120]}” and does not hold it."
            if path
            else "The row holds no image."
        )
    return payload


def _labelled(batch: "pa.RecordBatch", place: int, columns: Columns, name: str) -> tuple[str, str]:
    """Return the name of a row, and its class as the file says it."""
    own = columns.class_in(batch[columns.label][place].as_py()) if columns.label else ""
    own_name = str(batch[columns.file][place].as_py() or name) if columns.file else name
    return own_name[:LONGEST_NAME], own


@contextmanager
def _opened(path: Path) -> "Iterator[pq.ParquetFile]":
    """Open a Parquet file.

    Raises:
        ImageSetError: it cannot be read, or a part of it that is read here is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Arrow takes a path that is UTF-8, and reads faster from it.
        name = path if shown(str(path)) == str(path) else None
        with open_regular(path) as opened, pq.ParquetFile(name or opened) as file:
            yield file
    # Names that are no UTF-8, times that Python has no number for: Arrow leaves them to Python.
    except (OSError, ValueError, OverflowError, pa.ArrowException) as error:
        raise ImageSetError(f"{shown(path.name)} cannot be read as Parquet.") from error


def _key_of(paths: Sequence[Path], columns: Sequence[Columns]) -> str:
    """Return the digest of the files; another one where earlier versions read them otherwise."""
    own = sha256_of_files(paths)
    if all((found.image, found.label) == _PLAIN and not found.names for found in columns):
        return own
    return content_key(own, *(repr(found) for found in columns))
