"""What a program of ours finds around it: a home, temporary files, an output for every letter.

A container's user often has no home, and Streamlit and the hub's library look for one; its disk may
be read-only but for the cache folder; a console of Windows, or one without a locale, cannot show
“ε”. None of these may end a program.
"""

import errno
import io
import os
import sys
import tempfile
from pathlib import Path

from pydantic import ValidationError

from sing_core.settings import Settings

_NO_TEMPORARY = "No usable temporary directory"


def settle() -> None:
    """Give the process what it lacks of a home folder, one for temporary files, and an output."""
    give_temporary()
    give_home()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a notebook's or a test's own takes anything
            stream.reconfigure(errors="replace")


def give_temporary() -> None:
    """Point ``TMPDIR`` into the cache folder where no folder for temporary files can be written.

    Where that folder is closed too, who needs such a file gets an error: see ``os_refusal``.
    """
    try:
        tempfile.gettempdir()
    except OSError:
        place = _in_cache("temporary")
        if place is not None:
            os.environ["TMPDIR"] = str(place)


def give_home() -> None:
    """Point ``HOME`` into the cache folder, or a temporary one, where the process has none.

    A home that cannot be written is none; models that lie there are still found. Where no folder
    at all can be written, the root of the disk is the home: it is looked into, and no more.
    """
    try:
        home = Path.home()
        if os.access(home, os.W_OK | os.X_OK) and home.is_dir():
            return
    except (RuntimeError, OSError):  # neither the environment nor the list of users names one
        home = Path(os.sep)
    kept = home / ".cache" / "huggingface"
    if os.path.isdir(kept):
        os.environ.setdefault("HF_HOME", str(kept))
    os.environ["HOME"] = str(_in_cache("home") or _temporary_home() or home)


def os_refusal(error: OSError) -> str:
    """Return what the system refused, as a sentence."""
    said = error.strerror or str(error)
    if _NO_TEMPORARY in said:
        return (
            "No folder for temporary files can be written here: let TMPDIR name one that can, or "
            "free some room on the disk."
        )
    return f"{error.filename or 'A file'}: {said}."


def is_of_machine(error: OSError) -> bool:
    """Return whether it is the machine that refuses: a disk that is full or takes nothing."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
    return full or _NO_TEMPORARY in str(error)


def _in_cache(name: str) -> Path | None:
    """Return a folder of this ``name`` in the cache folder, None where it cannot be written."""
    try:
        place = Settings().cache_dir / name
        place.mkdir(parents=True, exist_ok=True)
    except (OSError, ValidationError):  # wrong settings are said once there is a page
        return None
    return place if os.access(place, os.W_OK | os.X_OK) else None


def _temporary_home() -> Path | None:
    try:
        return Path(tempfile.mkdtemp(prefix="sing-home-"))
    except OSError:
        return None
