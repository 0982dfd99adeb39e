"""Files that are whole or not there, even when the process or the machine stops half-way."""

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

_LEFTOVER_S = 3600.0


def write_atomically(path: Path, payload: bytes) -> None:
    """Write beside ``path``, flush to the disk, rename: readers see the old file or the new one.

    Raises:
        OSError: the disk refuses; nothing is left behind and an older file is untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error  # the name that was asked
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)
    for leftover in path.parent.glob(".*.tmp"):  # of a process that was killed
        with suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _LEFTOVER_S:
                leftover.unlink()


def sync(path: Path) -> None:
    """Flush a file, or what a folder says of the names in it, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
