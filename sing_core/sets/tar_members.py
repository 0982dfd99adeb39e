"""The headers of a tar, to its end mark: one that is damaged or cut off is never a shorter one."""

import tarfile
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from sing_core.errors import ImageSetError
from sing_core.files.regular import open_regular
from sing_core.sets.items import shown

_BLOCK = tarfile.BLOCKSIZE
_READ_BYTES = 2**20
# What stands before a file: a long name, times, a path. Python's reader would take in any amount.
_MOST_HEADER_BYTES = 2**20
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")  # gzip, bzip2, xz, zstd


class _Headers(BufferedReader):
    """A tar of which headers alone are read."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to ``size`` bytes.

        Raises:
            ImageSetError: that is more than any header has.
        """
        if size is None or not 0 <= size <= _MOST_HEADER_BYTES:
            raise ImageSetError("A header in the tar is larger than any header needs.")
        return super().read(size)


def is_tar(path: Path) -> bool:
    """Return whether a file begins as a tar, or as one that was compressed as a whole.

    Raises:
        OSError: it cannot be read.
    """
    if is_compressed(path):
        return True
    with open_regular(path) as file:
        block = file.read(_BLOCK)
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.TarError:
        return len(block) == _BLOCK and not any(block)  # an empty one
    return True


def is_compressed(path: Path) -> bool:
    """Return whether a file begins as what gzip, bzip2, xz or zstd write.

    Raises:
        OSError: it cannot be read.
    """
    with open_regular(path) as file:
        return file.read(_BLOCK).startswith(_COMPRESSED)


def tar_infos(path: Path) -> list[tarfile.TarInfo]:
    """Return what the plain tar at ``path`` says of its files and links, in order; not of folders.

    Raises:
        ImageSetError: it is damaged, cut off, or goes on behind its end.
        OSError: it cannot be read.
        TarError: its first header is damaged.
    """
    found: list[tarfile.TarInfo] = []
    with (
        _Headers(open_regular(path).detach()) as file,
        tarfile.open(fileobj=file, mode="r:") as archive,
    ):
        with suppress(tarfile.TarError):  # the end tells what is wrong
            for info in archive:
                if archive.offset < info.offset_data:  # of a negative size: it would never end
                    raise tarfile.ReadError("the next header lies before this file")
                found.append(info)
        _refuse_rest(path, archive.offset, len(found))
    return [info for info in found if not info.isdir()]


def _refuse_rest(path: Path, place: int, count: int) -> None:
    """Refuse a tar whose end mark is not at ``place``, or is not the end of it.

    Raises:
        ImageSetError: it is so.
    """
    name, after = shown(path.name), f"after {count:,} {'entry' if count == 1 else 'entries'}"
    with open_regular(path) as file:
        file.seek(place)
        block = file.read(_BLOCK)
        if len(block) < _BLOCK:
            raise ImageSetError(
                f"{name} was cut off: it ends {after} without the mark that ends a tar. Copy it "
                "here again, or pack it anew."
            )
        if any(block):
            raise ImageSetError(
                f"{name} is damaged {after}: what follows is no header of a tar. Copy it here "
                "again, or pack it anew."
            )
        while block := file.read(_READ_BYTES):
            if block.strip(b"\0"):
                raise ImageSetError(
                    f"{name} goes on behind the mark that ends it, {after}, as when two tars are "
                    "joined: give them apart, or pack them as one."
                )
