"""Weight files before they are opened: safetensors only, whole, and what their owner meant them."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.errors import WeightsUnavailableError
from sing_core.files.digests import sha256_of

if TYPE_CHECKING:
    from torch import Tensor

_PICKLES = (b"PK\x03\x04", b"\x80")  # torch's zip archives, plain pickles
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
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        reason = error.strerror or str(error)
        raise WeightsUnavailableError(
            f"The weights {path} cannot be read: {reason.lower()}."
        ) from error
    if start.startswith(_PICKLES):
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


def check_beside(path: Path) -> None:
    """Check a file against ``<file>.sha256`` (as sha256sum writes it) where one lies beside it.

    Raises:
        WeightsUnavailableError: the checksum differs, or cannot be read.
    """
    note = path.with_name(f"{path.name}.sha256")
    if not note.is_file():
        return
    promised = _CHECKSUM.match(note.read_text("utf-8", errors="replace").strip())
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

    The head is called ``weight`` alone, or after ``classifier``, ``head``, ``fc`` or ``linear``;
    whatever else lies in the file is not read.

    Raises:
        WeightsUnavailableError: the file cannot be read, or holds no head or several.
    """
    import torch
    from safetensors import safe_open

    shapes = shapes_in(path)
    found = [
        name.removesuffix("weight")
        for name, shape in shapes.items()
        if len(shape) == 2 and (name == "weight" or _ends_as_head(name))
    ]
    if len(found) != 1:
        what = "several heads" if found else "no head"
        raise WeightsUnavailableError(
            f"{path.name} holds {what}: one matrix called head.weight or classifier.weight is "
            "needed, of the shape (classes, features)."
        )
    with safe_open(path, framework="pt") as file:
        weight = file.get_tensor(f"{found[0]}weight").float()
        has_bias = shapes.get(f"{found[0]}bias") == weight.shape[:1]
        bias = file.get_tensor(f"{found[0]}bias").float() if has_bias else torch.zeros(len(weight))
    return weight, bias


def _ends_as_head(name: str) -> bool:
    parts = name.split(".")
    return len(parts) > 1 and parts[-1] == "weight" and parts[-2] in _HEAD_NAMES


def labels_beside(path: Path) -> tuple[str, ...]:
    """Return the class names in ``<file>.txt`` beside the weights, one a line; () without it."""
    listing = path.with_suffix(".txt")
    if not listing.is_file():
        return ()
    lines = listing.read_text("utf-8", errors="replace").splitlines()
    return tuple(line.strip() for line in lines if line.strip())
