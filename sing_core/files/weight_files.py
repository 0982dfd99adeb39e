"""Weight files before they are opened: safetensors only, whole, and what their owner meant them."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.errors import WeightsUnavailableError
from sing_core.files.digests import sha256_of
from sing_core.files.regular import open_regular, read_regular
from sing_core.files.text_lists import TextList, read_list

if TYPE_CHECKING:
    from torch import Tensor

_PICKLES = (b"PK\x03\x04", b"\x80")  # torch's zip archives, plain pickles
_LENGTH = 8  # bytes at the start of a safetensors file: how long its JSON header is
_MOST_NOTE_BYTES = 2**16
_CHECKSUM = re.compile(r"[0-9a-fA-F]{64}")
# The last part of a head's name where only it and its bias lie in the file, or beside a backbone.
_HEAD_NAMES = ("classifier", "head", "fc", "linear", "linear_head")
_WEIGHTS = ("weight", "bias")

# Kinds of numbers that weights are computed with; those of 8 bits need a scale to be read.
FLOATS = ("F32", "F16", "BF16", "F64")
_LONGEST_NAME, _MOST_PARTS = 500, 40

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A tensor of a weights file, as its header describes it.

    Attributes:
        shape: its sizes.
        kind: of its numbers, in the words of safetensors: ``F32``, ``I8``.
    """

    shape: tuple[int, ...]
    kind: str


def shapes_in(path: Path) -> Shapes:
    """Return entry -> shape of a safetensors file, from its header alone.

    Raises:
        WeightsUnavailableError: as ``entries_in``.
    """
    return {name: entry.shape for name, entry in entries_in(path).items()}


def entries_in(path: Path) -> dict[str, Entry]:
    """Return what lies in a safetensors file, from its header alone.

    Raises:
        WeightsUnavailableError: there is no such file, it is a pickle, it is cut short or no
            safetensors file, or its names are none of weights.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with open_regular(path) as stream:
            start, size = stream.read(_LENGTH + 1), os.fstat(stream.fileno()).st_size
    except OSError as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise WeightsUnavailableError(
            f"The weights {path} cannot be read: {reason.lower()}."
        ) from error
    # The first byte of a good file can be any: it is the low byte of the header's length.
    if not _has_header(start, size) and start.startswith(_PICKLES):
        raise WeightsUnavailableError(
            f"{path.name} is a pickle, and opening one can run code. Convert it where you trust it "
            "(safetensors.torch.save_file) and give the .safetensors file."
        )
    if path.suffix != ".safetensors":
        raise WeightsUnavailableError(
            f"{path.name} is no .safetensors file; weights of another format are not opened."
        )
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118
            held = {n: Entry(tuple(s.get_shape()), str(s.get_dtype())) for n, s in found.items()}
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsUnavailableError(
            f"{path.name} is damaged, cut short or no safetensors file. Copy or fetch it again."
        ) from error
    _refuse_odd_names(path.name, held)
    return held


def _refuse_odd_names(where: str, names: Iterable[str]) -> None:
    odd = next((n for n in names if len(n) > _LONGEST_NAME or n.count(".") > _MOST_PARTS), None)
    if odd is not None:
        raise WeightsUnavailableError(
            f"{where} has an entry whose name, “{odd[:60]}…”, has {len(odd):,} characters and "
            f"{len(odd.split('.')):,} parts: that is no name of weights."
        )


def refuse_other_kinds(path: Path, names: Iterable[str] | None = None) -> None:
    """Refuse a file some of whose weights are whole or complex numbers, or of 8 bits.

    ``names`` are those that are read as floats; None takes every weight and bias.

    Raises:
        WeightsUnavailableError: as ``entries_in``; or an entry is of such a kind.
    """
    held = entries_in(path)
    asked = (n for n in held if n.endswith(_WEIGHTS)) if names is None else names
    for name in asked:
        if held[name].kind not in FLOATS:
            raise WeightsUnavailableError(other_kind(path.name, name, held[name].kind))


def other_kind(where: str, name: str, kind: str) -> str:
    """Return what is said of an entry that does not hold floating-point numbers."""
    return (
        f"{where} has {name} as {kind} numbers; weights have to be {', '.join(FLOATS[:-1])} or "
        f"{FLOATS[-1]}. What was quantised cannot be read without its scale."
    )


def _has_header(start: bytes, size: int) -> bool:
    """Return whether a file of ``size`` bytes begins as safetensors do: a length, then JSON."""
    length = int.from_bytes(start[:_LENGTH], "little")
    return start[_LENGTH:] == b"{" and 2 <= length <= size - _LENGTH


def check_beside(path: Path) -> None:
    """Check a file against ``<file>.sha256`` (as sha256sum writes it) where one lies beside it.

    Raises:
        WeightsUnavailableError: the checksum differs, or cannot be read.
    """
    note = path.with_name(f"{path.name}.sha256")
    if not note.is_file():
        return
    try:
        text = read_regular(note, _MOST_NOTE_BYTES).decode("utf-8", errors="replace")
    except OSError as error:
        raise WeightsUnavailableError(f"{note.name} cannot be read: {error.strerror}.") from error
    promised = _CHECKSUM.match(text.strip())
    if promised is None:
        raise WeightsUnavailableError(f"{note.name} holds no SHA-256 of {path.name}.")
    found = sha256_of(path)
    if found != promised[0].lower():
        raise WeightsUnavailableError(
            f"{path.name} was changed or damaged: its SHA-256 is {found[:12]}…, and {note.name} "
            f"says {promised[0][:12].lower()}…."
        )


def read_head(path: Path) -> "tuple[Tensor, Tensor]":
    """Return ``(c, m)`` weight and ``(c,)`` bias of the one head in ``path``, float32.

    The head is called ``weight`` alone, or after ``classifier``, ``head``, ``fc`` or ``linear``
    (``head.1`` where it stood in a row of layers); whatever else lies in the file is not read.

    Raises:
        WeightsUnavailableError: the file cannot be read, holds no head or several, a bias that
            is not the head's, or no floating-point numbers.
    """
    import torch
    from safetensors import safe_open

    shapes = shapes_in(path)
    found = [
        name.removesuffix("weight")
        for name, shape in shapes.items()
        if len(shape) == 2 and min(shape) > 0 and (name == "weight" or _ends_as_head(name))
    ]
    if len(found) != 1:
        what = "several heads" if found else "no head"
        raise WeightsUnavailableError(
            f"{path.name} holds {what}: one matrix called head.weight or classifier.weight is "
            "needed, of the shape (classes, features)."
        )
    bias_shape = shapes.get(f"{found[0]}bias")
    if bias_shape not in (None, shapes[f"{found[0]}weight"][:1]):
        raise WeightsUnavailableError(
            f"{path.name} has {found[0]}weight for {shapes[f'{found[0]}weight'][0]} classes and "
            f"{found[0]}bias in the shape {bias_shape}."
        )
    read = (f"{found[0]}{part}" for part in _WEIGHTS)
    refuse_other_kinds(path, [name for name in read if name in shapes])
    with safe_open(path, framework="pt") as file:
        weight = file.get_tensor(f"{found[0]}weight").float()
        if bias_shape is None:
            return weight, torch.zeros(len(weight))
        return weight, file.get_tensor(f"{found[0]}bias").float()


def _ends_as_head(name: str) -> bool:
    *parts, last = name.split(".")
    if parts and parts[-1].isdecimal():
        parts.pop()
    return last == "weight" and bool(parts) and parts[-1] in _HEAD_NAMES


def labels_beside(path: Path, classes: int) -> TextList:
    """Return the class names in ``<file>.txt`` beside the weights, one a line; none without it.

    Raises:
        WeightsUnavailableError: they are not ``classes`` names.
        TextListError: the list cannot be read.
    """
    listing = path.with_suffix(".txt")
    if not listing.is_file():
        return TextList(())
    found = read_list(listing)
    if len(found.lines) != classes:
        raise WeightsUnavailableError(
            f"{listing.name} has {len(found.lines)} names, and the head in {path.name} has "
            f"{classes} classes. Give every class its line, or take the list away."
        )
    return found
