"""Every digest: of files, of bytes, of tensors, of parts that make a key."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.files.regular import open_regular

if TYPE_CHECKING:
    from torch import Tensor


_BLOCK_BYTES = 2**20


def content_key(*parts: str | bytes) -> str:
    """Return the SHA-256 over length-prefixed parts: 64 hexadecimal digits.

    The prefixes (and a letter for text or bytes) keep ``("ab", "c")`` and ``("a", "bc")`` apart.
    """
    digest = hashlib.sha256()
    for part in parts:
        # Names of files may hold what is no UTF-8: Python writes it as halves of pairs.
        payload = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(f"{'t' if isinstance(part, str) else 'b'}{len(payload)}:".encode())
        digest.update(payload)
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """Return the hexadecimal SHA-256 of the file at ``path``."""
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_once(path: Path) -> str:
    """Return the SHA-256 of the file at ``path``, read once a process.

    It is read again when anything of its ``state_of`` differs.
    """
    return _read_once(path, state_of(path))


def sha256_with(path: Path, place: int, filling: bytes) -> str:
    """Return the SHA-256 that the file at ``path`` would have with ``filling`` at ``place``."""
    digest = hashlib.sha256()
    with open_regular(path) as file:
        left = place
        while left and (block := file.read(min(_BLOCK_BYTES, left))):
            digest.update(block)
            left -= len(block)
        digest.update(filling)
        file.seek(place + len(filling))
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def state_of(path: Path) -> tuple[int, ...]:
    """Return what differs when a program wrote to a file: inode, size, and both its times.

    Whoever puts the time of modification back changes the other.
    """
    state = path.stat()
    return state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns


@lru_cache(maxsize=1024)
def _read_once(path: Path, state: tuple[int, ...]) -> str:
    return sha256_of(path)


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
