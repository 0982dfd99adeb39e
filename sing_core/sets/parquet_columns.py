"""Which columns of a Parquet file hold images, their classes and their names."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sing_core.errors import ImageSetError
from sing_core.models.head_classes import is_imagenet
from sing_core.models.imagenet import imagenet_wnids
from sing_core.sets.items import shown

if TYPE_CHECKING:
    import pyarrow as pa

_IMAGES = ("jpeg", "image", "img", "png", "jpg", "webp", "image_bytes", "bytes", "picture", "photo")
_LABELS = (
    "wnid", "synset", "label", "labels", "class", "class_name", "category", "fine_label", "cls",
    "target", "class_id",
)  # fmt: skip
LONGEST_NAME = 1_000  # of a class or a file: letters


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
        known = _by_name(schema)
        label = next((known[column] for column in _LABELS if column in known), "")
        file = known.get("file", "")
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
        return str(value)[:LONGEST_NAME].strip()


def _image_column(name: str, schema: "pa.Schema") -> str:
    by_name = _by_name(schema)
    known = [by_name[column] for column in _IMAGES if column in by_name]
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


def _by_name(schema: "pa.Schema") -> dict[str, str]:
    """Return the columns by their names in small letters; one that is written so goes first."""
    found = {name.casefold(): name for name in reversed(schema.names)}
    return found | {name: name for name in schema.names if name == name.casefold()}


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
        found = tuple(shown(str(name)) for name in names) if isinstance(names, list) else ()
    except (KeyError, ValueError, TypeError, RecursionError):
        return ()
    return tuple(imagenet_wnids()) if found and is_imagenet(found, len(found)) else found
