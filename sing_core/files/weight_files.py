"""Weight files before they are opened: safetensors only, whole, and what their owner meant them."""

import os
import re
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

Shapes = dict[str, tuple[int, ...]]


def shapes_in(path: Path) -> Shapes:
    """Return entry -> shape of a safetensors file, from its header alone.

    Raises:
        WeightsUnavailableError: there is no such file, it is a pickle, or it is cut short or no
            safetensors file.
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
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsUnavailableError(
            f"{path.name} is damaged, cut short or no safetensors file. Copy or fetch it again."
        ) from error


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
        WeightsUnavailableError: the file cannot be read, holds no head or several, or a bias that
            is not the head's.
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
