"""Images of a set in Parquet files: a column of image files, and one of their classes.

The column may hold bytes, or what the datasets library writes: a struct of ``bytes`` and ``path``.
Labels may be texts or numbers; numbers with names in the file's own metadata are these names.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sing_core.errors import ImageSetError
from sing_core.files.digests import content_key, sha256_of_files
from sing_core.files.regular import open_regular
from sing_core.models.class_names import wnid_of
from sing_core.models.head_classes import is_imagenet
from sing_core.models.imagenet import imagenet_wnids
from sing_core.sets.items import Item, refuse_size

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_IMAGES = ("jpeg", "image", "img", "png", "jpg", "webp", "image_bytes", "bytes", "picture", "photo")
_LABELS = (
    "wnid", "synset", "label", "labels", "class", "class_name", "category", "fine_label", "cls",
    "target", "class_id",
)  # fmt: skip
_PLAIN = ("jpeg", "wnid")
_ROWS_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a Parquet file has its images.

    Attributes:
        image: the column of image files; ``is_struct`` whether each is a struct of bytes and path.
        label: the column of classes; "" where there is none.
        file: the column of names; "" where there is none.
        names: of the classes that numbers stand for; () where the file does not say.
    """

    image: str
    is_struct: bool
    label: str
    file: str
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, schema: "pa.Schema") -> "Columns":
        """Find them in the schema of the file called ``name``.

        Raises:
            ImageSetError: no column holds image files; the message names what there is.
        """
        image = _image_column(name, schema)
        label = next((column for column in _LABELS if column in schema.names), "")
        file = "file" if "file" in schema.names else ""
        is_struct = _is_struct(schema.field(image).type)
        return cls(image, is_struct, label, file, _names_in(schema, label))

    @property
    def all(self) -> list[str]:
        """Names of the columns to read."""
        return [column for column in (self.image, self.label, self.file) if column]

    def class_in(self, value: object) -> str:
        """Return the class that a row's label says."""
        if value is None or value != value:  # NaN, where a table of numbers lacked one
            return ""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and 0 <= value < len(self.names):
            return self.names[value]
        return str(value).strip()


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
                self._columns.append(Columns.of(path.name, file.schema_arrow))
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
            with _opened(path) as file:
                if not wanted:
                    yield from ((f"{path.name}#{i}", "") for i in range(file.metadata.num_rows))
                    continue
                row = 0
                for batch in file.iter_batches(columns=wanted):
                    for place in range(batch.num_rows):
                        yield _labelled(batch, place, columns, f"{path.name}#{row + place}")
                    row += batch.num_rows

    def _of_file(self, number: int, offset: int, start: int, stop: int) -> Iterator[Item]:
        path, columns = self._paths[number], self._columns[number]
        with _opened(path) as file:
            row = offset
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if row + rows > start and row < stop:
                    for place, batch in _batches(file, group, columns, row):
                        inside = range(max(start - place, 0), min(stop - place, batch.num_rows))
                        for at in inside:
                            yield _item(batch, at, columns, place + at, f"{path.name}#", offset)
                        if place + batch.num_rows >= stop:
                            return
                row += rows


def _batches(
    file: "pq.ParquetFile", group: int, columns: Columns, row: int
) -> "Iterator[tuple[int, pa.RecordBatch]]":
    """Yield parts of a row group that begins at ``row``, each with the row that it begins at."""
    for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=[group], columns=columns.all):
        yield row, batch
        row += batch.num_rows


def _item(
    batch: "pa.RecordBatch", place: int, columns: Columns, row: int, prefix: str, offset: int
) -> Item:
    payload, path = batch[columns.image][place].as_py(), ""
    if columns.is_struct:
        held = payload or {}
        payload, path = held.get("bytes"), held.get("path") or ""
    name, own = _labelled(batch, place, columns, f"{prefix}{row - offset}")
    return Item(row, name, wnid_of(own) or own, partial(_bytes, payload, path))


def _bytes(payload: bytes | None, path: str) -> bytes:
    if payload is None:
        raise ImageSetError(
            f"The row names the file “{path[:120]}” and does not hold it."
            if path
            else "The row holds no image."
        )
    refuse_size(len(payload))
    return payload


def _labelled(batch: "pa.RecordBatch", place: int, columns: Columns, name: str) -> tuple[str, str]:
    """Return the name of a row, and its class as the file says it."""
    own = columns.class_in(batch[columns.label][place].as_py()) if columns.label else ""
    return (str(batch[columns.file][place].as_py() or name) if columns.file else name), own


@contextmanager
def _opened(path: Path) -> "Iterator[pq.ParquetFile]":
    """Open a Parquet file.

    Raises:
        ImageSetError: it cannot be read, or a part of it that is read here is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        open_regular(path).close()
        with pq.ParquetFile(path) as file:
            yield file
    # Names that are no UTF-8, times that Python has no number for: Arrow leaves them to Python.
    except (OSError, ValueError, OverflowError, pa.ArrowException) as error:
        raise ImageSetError(f"{path.name} cannot be read as Parquet.") from error


def _image_column(name: str, schema: "pa.Schema") -> str:
    known = [column for column in _IMAGES if column in schema.names]
    holding = [column for column in known if _holds_files(schema.field(column).type)]
    holding += [field.name for field in schema if _holds_files(field.type)]
    if holding:
        return holding[0]
    columns = ", ".join(schema.names)[:200]
    if not known:
        raise ImageSetError(
            f"{name} has no column jpeg or image; its columns are {columns}. Rename the one that "
            "holds the bytes of image files, and the one of their classes to wnid or label."
        )
    hint = (
        " Addresses (URLs) and paths are not followed: put the files themselves there."
        if _is_text(schema.field(known[0]).type)
        else ""
    )
    raise ImageSetError(
        f"The column {known[0]} of {name} holds {schema.field(known[0]).type}, and should hold the "
        f"bytes of image files.{hint}"
    )


def _holds_files(kind: "pa.DataType") -> bool:
    return _is_bytes(kind) or _is_struct(kind)


def _is_bytes(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    kinds: tuple[Callable[[Any], bool], ...] = (pa.types.is_binary, pa.types.is_large_binary)
    return any(of_kind(kind) for of_kind in kinds)


def _is_struct(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    if not pa.types.is_struct(kind):
        return False
    place = kind.get_field_index("bytes")
    return place >= 0 and _is_bytes(kind.field(place).type)


def _is_text(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _names_in(schema: "pa.Schema", label: str) -> tuple[str, ...]:
    """Return the names of the classes that the datasets library wrote into a file's metadata.

    Those of ImageNet-1k in their order are its wnids: some of its names mean two classes.
    """
    try:
        facts = json.loads((schema.metadata or {})[b"huggingface"])
        names = facts["info"]["features"][label]["names"]
        found = tuple(str(name) for name in names) if isinstance(names, list) else ()
    except (KeyError, ValueError, TypeError, RecursionError):
        return ()
    return tuple(imagenet_wnids()) if found and is_imagenet(found, len(found)) else found


def _key_of(paths: Sequence[Path], columns: Sequence[Columns]) -> str:
    """Return the digest of the files; another one where earlier versions read them otherwise."""
    own = sha256_of_files(paths)
    if all((found.image, found.label) == _PLAIN and not found.names for found in columns):
        return own
    return content_key(own, *(repr(found) for found in columns))
