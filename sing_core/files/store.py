"""Computed things on disk: one safetensors file per artefact, whole or not there, checked on load.

``<root>/<kind>/<key>.safetensors`` carries its manifest (format version, shapes, dtypes, library
versions, the caller's facts, SHA-256 of the tensor bytes) in its own metadata, so that a file and
what is known about it can never part. Uploaded photos are blobs under the digest of their bytes.
"""

import errno
import logging
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import torch
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from sing_core.errors import StaleArtefactError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import sha256_of, sha256_of_bytes
from sing_core.files.manifest import fault_of, manifest_of

_SUFFIX = ".safetensors"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_DISK_TROUBLE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "writing there is not allowed",
    errno.EPERM: "writing there is not permitted",
}
_log = logging.getLogger(__name__)


class Store:
    """Artefacts and blobs under one folder; safe for several processes and threads at once.

    Attributes:
        root: the folder; made when first written to.
        problem: why the last write could not be kept, one sentence for the user, else ``None``.
    """

    def __init__(self, root: Path) -> None:
        """Remember ``root``; nothing is created until something is saved."""
        self.root = root
        self.problem: str | None = None

    def path(self, kind: str, key: str) -> Path:
        """Return where an artefact lies.

        Raises:
            ValueError: ``kind`` or ``key`` has characters that a file name should not have.
        """
        for name in (kind, key):
            if not _NAME.fullmatch(name):
                raise ValueError(f"not a name for an artefact: {name!r}")
        return self.root / kind / f"{key}{_SUFFIX}"

    def save(
        self, kind: str, key: str, tensors: Mapping[str, Tensor], meta: Mapping[str, str]
    ) -> Path:
        """Write ``tensors`` with the facts in ``meta``; the old file stays until this one is whole.

        Raises:
            ValueError: a bad ``kind`` or ``key``.
            OSError: the disk refuses.
        """
        path = self.path(kind, key)
        owned = _own(tensors)
        write_atomically(path, save(owned, manifest_of(owned, meta)))
        return path

    def load(
        self, kind: str, key: str, *, expect: Mapping[str, str] | None = None
    ) -> dict[str, Tensor] | None:
        """Read an artefact; ``None`` only when there is no such file.

        Raises:
            StaleArtefactError: damaged, tampered with, of another format version, or a fact named
                in ``expect`` differs; the message says which.
            ValueError: a bad ``kind`` or ``key``.
        """
        path = self.path(kind, key)
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                # A mapped tensor would change with the file; a clone does not.
                tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        except FileNotFoundError:
            return None
        except (SafetensorError, OSError, ValueError) as error:
            raise StaleArtefactError(
                f"The file {kind}/{path.name} is damaged or unreadable."
            ) from error
        fault = fault_of(metadata, tensors, expect or {})
        if fault is not None:
            raise StaleArtefactError(f"The file {kind}/{path.name} cannot be used: {fault}.")
        return tensors

    def get_or_compute(
        self,
        kind: str,
        key: str,
        compute: Callable[[], Mapping[str, Tensor]],
        *,
        meta: Mapping[str, str],
    ) -> dict[str, Tensor]:
        """Return the stored artefact, or compute it once for every process and thread and keep it.

        A file that is stale or damaged, or whose facts differ from ``meta``, is moved aside and
        computed again. When the folder cannot be written, the value is returned all the same and
        ``problem`` says why it was not kept. Whatever ``compute`` raises passes through.

        Raises:
            ValueError: a bad ``kind`` or ``key``.
        """
        path = self.path(kind, key)
        with suppress(StaleArtefactError):  # looked at again, and reported, under the lock
            found = self.load(kind, key, expect=meta)
            if found is not None:
                return found
        lock = FileLock(path.with_suffix(".lock"))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except OSError as error:
            self._note(error)
            return _own(compute())
        try:
            return self._compute_locked(path, compute, meta)
        finally:
            lock.release()

    def _compute_locked(
        self, path: Path, compute: Callable[[], Mapping[str, Tensor]], meta: Mapping[str, str]
    ) -> dict[str, Tensor]:
        kind, key = path.parent.name, path.name.removesuffix(_SUFFIX)
        try:
            found = self.load(kind, key, expect=meta)
            if found is not None:
                return found
        except StaleArtefactError as error:
            _log.warning("%s It is moved aside and computed again.", error)
            with suppress(OSError):  # then the save below says what is wrong
                path.replace(path.with_suffix(".stale"))
        value = _own(compute())
        try:
            self.save(kind, key, value, meta)
        except OSError as error:
            self._note(error)
        else:
            self.problem = None
        return value

    def try_save(
        self,
        kind: str,
        key: str,
        tensors: Mapping[str, Tensor],
        meta: Mapping[str, str],
        *,
        max_bytes: int,
    ) -> bool:
        """Save an artefact that can be made again; return whether it was kept.

        The artefacts of this kind least recently touched go first when all together take more than
        ``max_bytes``.

        Raises:
            ValueError: a bad ``kind`` or ``key``.
        """
        try:
            evict_oldest(self.save(kind, key, tensors, meta), None, max_bytes)
        except OSError as error:
            self._note(error)
            return False
        self.problem = None
        return True

    def save_blob(
        self, kind: str, key: str, payload: bytes, *, max_files: int, max_bytes: int
    ) -> bool:
        """Keep ``payload`` under the SHA-256 of its bytes; return whether it was kept.

        The oldest blobs of this kind go first when there are more than ``max_files`` or when they
        take more than ``max_bytes`` together.

        Raises:
            ValueError: ``key`` is not the digest of ``payload``, or a bad ``kind``.
        """
        if sha256_of_bytes(payload) != key:
            raise ValueError("a blob is kept under the SHA-256 of its bytes")
        path = self.path(kind, key).with_suffix(".blob")
        if max_files < 1 or len(payload) > max_bytes:
            return False
        try:
            if path.is_file() and sha256_of(path) == key:
                os.utime(path)
            else:
                write_atomically(path, payload)
            evict_oldest(path, max_files, max_bytes)
        except OSError as error:
            self._note(error)
            return False
        self.problem = None
        return True

    def load_blob(self, kind: str, key: str) -> bytes | None:
        """Return the bytes whose SHA-256 is ``key``; ``None`` when they are not (any longer) here.

        A ``key`` that is no digest, from a hand-edited link, names nothing and never a path.

        Raises:
            StaleArtefactError: the stored bytes are not those that ``key`` names.
            ValueError: a bad ``kind``.
        """
        if not _DIGEST.fullmatch(key):
            return None
        try:
            payload = self.path(kind, key).with_suffix(".blob").read_bytes()
        except FileNotFoundError:
            return None
        if sha256_of_bytes(payload) != key:
            raise StaleArtefactError(f"The stored file {key[:12]}… is damaged.")
        return payload

    def _note(self, error: OSError) -> None:
        reason = _DISK_TROUBLE.get(error.errno or 0, error.strerror or str(error))
        self.problem = f"Results are not kept for the next start: {reason}."
        _log.warning("%s (%s)", self.problem, error)


def _own(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy to plain CPU memory, each tensor its own (safetensors refuses shared memory)."""
    return {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }


def evict_oldest(newest: Path, max_files: int | None, max_bytes: int) -> None:
    """Delete the oldest files of the suffix of ``newest`` beside it until both bounds hold.

    Their locks go with them: who waits for one computes once more, and writes the same.
    """
    ages = []
    for path in newest.parent.glob(f"*{newest.suffix}"):
        with suppress(FileNotFoundError):  # another process evicts too
            stat = path.stat()
            ages.append((path == newest, stat.st_mtime_ns, path.name, stat.st_size))
    ages.sort()
    total = sum(size for *_, size in ages)
    limit = len(ages) if max_files is None else max_files
    while ages and (len(ages) > limit or total > max_bytes):
        _, _, name, size = ages.pop(0)
        newest.with_name(name).unlink(missing_ok=True)
        newest.with_name(name).with_suffix(".lock").unlink(missing_ok=True)
        total -= size
