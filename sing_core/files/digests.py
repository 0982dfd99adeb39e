"""Every digest: of files, of bytes, of tensors, of parts that make a key."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def content_key(*parts: str | bytes) -> str:
    """Return the SHA-256 over length-prefixed parts: 64 hexadecimal digits.

    The prefixes (and a letter for text or bytes) keep ``("ab", "c")`` and ``("a", "bc")`` apart.
    """
    digest = hashlib.sha256()
    for part in parts:
        payload = part.encode() if isinstance(part, str) else part
        digest.update(f"{'t' if isinstance(part, str) else 'b'}{len(payload)}:".encode())
        digest.update(payload)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of the file at ``path``."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_of_bytes(payload: bytes) -> str:
    """Return the hexadecimal SHA-256 of ``payload``: of a file that is in memory already."""
    return hashlib.sha256(payload).hexdigest()


def sha256_of_files(paths: Iterable[Path]) -> str:
    """Return the SHA-256 over the files' own SHA-256, in their order."""
    return sha256_of_bytes(b"".join(bytes.fromhex(sha256_of(path)) for path in paths))


def git_sha1_of(path: Path) -> str:
    """Return the SHA-1 by which git, and the model hub for small files, names a file."""
    payload = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(payload) + payload, usedforsecurity=False).hexdigest()


def tensor_digest(tensors: Mapping[str, "Tensor"]) -> str:
    """Return the SHA-256 over names and bytes of ``tensors``: 64 hexadecimal digits."""
    import torch

    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(content_key(name).encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def nameless_digest(*tensors: "Tensor") -> str:
    """Return the SHA-256 over bytes alone: what older files noted in place of ``tensor_digest``."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def network_digest(state: Mapping[str, "Tensor"]) -> str:
    """Return the SHA-256 over names, shapes, types and bytes of a network's ``state``.

    The registry pins classifiers by it.
    """
    import torch

    digest = hashlib.sha256()
    for name, value in sorted(state.items()):
        array = value.detach().cpu().contiguous()
        digest.update(f"{name}|{tuple(array.shape)}|{array.dtype}|".encode())
        digest.update(array.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def digest_of_set(photos: Sequence[str]) -> str:
    """Return the digest of a set from its photos' digests, in their order."""
    return content_key(*photos)


def digest_of_listing(entries: Iterable[tuple[str, ...]]) -> str:
    """Return the digest of a folder's files from what is known of each, in their order."""
    digest = hashlib.sha256()
    for entry in entries:
        digest.update(content_key(*entry).encode())
    return digest.hexdigest()
