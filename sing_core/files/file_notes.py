"""Are these the files that were used first? Digests, noted once, confirmed by size and time."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from sing_core.errors import WeightsUnavailableError
from sing_core.files.digests import git_sha1_of, sha256_of, sha256_once

_LARGE_BYTES = 100_000_000
_log = logging.getLogger(__name__)

Progress = Callable[[str], None]


class Seen(TypedDict):
    """What was measured of a file when it was last hashed."""

    sha256: str
    bytes: int
    mtime_ns: int


def read_notes(path: Path) -> dict[str, Seen]:
    """Return file -> what was noted of it; nothing when there are no (readable) notes."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return {
            str(name): Seen(
                sha256=str(row["sha256"]), bytes=int(row["bytes"]), mtime_ns=int(row["mtime_ns"])
            )
            for name, row in found.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _log.warning("%s cannot be read and is written anew: %s.", path.name, error)
        return {}


def verify(
    path: Path,
    name: str,
    before: Seen | None,
    notes: Path,
    progress: Progress | None,
    *,
    whose: str = "Karlo's",
    anew: bool = False,
) -> Seen:
    """Return what ``path`` is now; unchanged size and time since it was hashed confirm it.

    ``whose`` and ``name`` are what messages call it. ``anew`` hashes it once a process all the
    same: a disk changes bytes, and no time.

    Raises:
        WeightsUnavailableError: it is not what the notes, or the Hugging Face cache, say it is.
    """
    status = path.stat()
    state = status.st_size, status.st_mtime_ns
    is_known = before is not None and (before["bytes"], before["mtime_ns"]) == state
    if before and is_known and (not anew or sha256_once(path) == before["sha256"]):
        return before
    if progress is not None and status.st_size > _LARGE_BYTES:
        progress(f"Checking {whose} {name} ({status.st_size / 1e9:.1f} GB, once).")
    sha256 = sha256_once(path) if anew else sha256_of(path)
    promised = _promised_by_the_hub(path)
    if promised is not None and promised != (sha256 if len(promised) == 64 else git_sha1_of(path)):
        raise WeightsUnavailableError(
            f"{whose} {name} is damaged or was changed: its content is not what the Hugging Face "
            "cache says it is. Delete it and fetch it again."
        )
    if before is not None and before["sha256"] != sha256:
        raise WeightsUnavailableError(
            f"{whose} {name} is not the file that was used here before (SHA-256 {sha256[:12]}… "
            f"instead of {before['sha256'][:12]}…). Fetch it again; if it was changed on purpose, "
            f"delete {notes.parent.name}/{notes.name} in the cache folder."
        )
    return Seen(sha256=sha256, bytes=status.st_size, mtime_ns=status.st_mtime_ns)


def _promised_by_the_hub(path: Path) -> str | None:
    """Return the digest that the Hugging Face cache files it under: SHA-256, small files git's."""
    blob = path.resolve()
    named = blob.parent.name == "blobs" and set(blob.name) <= set("0123456789abcdef")
    return blob.name if named and len(blob.name) in (40, 64) else None
