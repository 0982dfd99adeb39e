"""Bytes of regular files only: never of a device or a pipe, and never without a bound."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

MB = 2**20
MOST_IMAGE_BYTES = 100 * MB


def open_regular(path: Path) -> BufferedReader:
    """Return the open file at ``path``, or where a link at ``path`` leads.

    Raises:
        OSError: there is none, it cannot be read, or it is a folder, a device or a pipe.
    """
    try:
        # A pipe without a writer would be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0))
    except ValueError as error:  # the name holds a zero byte
        raise OSError(errno.EINVAL, "no file has such a name", str(path)) from error
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, "it is a device or a pipe, no regular file", str(path))
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most: int) -> bytes:
    """Return the bytes of the regular file at ``path``, which may have up to ``most``.

    Raises:
        OSError: see ``open_regular``; or it has more.
    """
    with open_regular(path) as file:
        payload = file.read(most + 1)
    if len(payload) > most:
        size = path.stat().st_size / MB
        raise OSError(
            errno.EFBIG, f"the file has {size:,.0f} MB; up to {most / MB:,.0f} are read", str(path)
        )
    return payload
