"""Every SHA-256: of files, of tensors, of parts that make a key."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
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


def tensor_digest(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 over names and bytes of ``tensors``: 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(content_key(name).encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


_CHUNK_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of the file at ``path``."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def digest_of_set(photos: Sequence[str]) -> str:
    """Return the digest of a set from its photos' digests, in their order."""
    return content_key(*photos)
