"""Files that carry their own digest, so that one damaged byte is found before a number is read.

Parquet has the SHA-256 of all its other bytes in a slot of its footer; JSON has it of its other
entries in the entry ``sha256``; safetensors of its facts in the fact ``facts_sha256``.
"""

import json
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sing_core.files.digests import content_key, sha256_with, state_of

_SLOT = re.compile(rb"sing-sha256:([0-9a-f]{64})")
_EMPTY = b"0" * 64
_PARQUET_END = 8  # the length of the footer, four bytes, and PAR1
_MOST_FOOTER = 256 * 2**20

SEAL = "sha256"
FACTS_SEAL = "facts_sha256"
PARQUET_SEAL = "sing_seal"
UNSEALED_PARQUET = {PARQUET_SEAL: f"sing-sha256:{_EMPTY.decode()}"}


def seal_parquet(path: Path) -> None:
    """Write the digest of the Parquet file at ``path``, whose footer has ``UNSEALED_PARQUET``.

    Flushes the file to the disk.

    Raises:
        ValueError: its footer has no slot.
        OSError: the disk refuses.
    """
    place, _ = _slot(path)
    digest = sha256_with(path, place, _EMPTY).encode()
    with path.open("r+b") as file:
        file.seek(place)
        file.write(digest)
        file.flush()
        os.fsync(file.fileno())


def parquet_is_whole(path: Path) -> bool:
    """Return whether a sealed Parquet file is as it was written; False without a seal.

    It is read again only when its state differs from the last call's.

    Raises:
        OSError: it cannot be read.
    """
    return _parquet_is_whole(path, state_of(path))


@lru_cache(maxsize=1024)
def _parquet_is_whole(path: Path, state: tuple[int, ...]) -> bool:
    try:
        place, digest = _slot(path)
    except ValueError:
        return False
    return sha256_with(path, place, _EMPTY) == digest


def _slot(path: Path) -> tuple[int, str]:
    """Return where in the file the digest stands, and the digest."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - _PARQUET_END, 0))
        length = int.from_bytes(file.read(4), "little")
        start = size - _PARQUET_END - length
        if start < 0 or length > _MOST_FOOTER:
            raise ValueError("not a Parquet file")
        file.seek(start)
        found = list(_SLOT.finditer(file.read(length)))
    if not found:
        raise ValueError("no seal in the footer")
    return start + found[-1].start(1), found[-1].group(1).decode()  # texts of rows stand before it


def sealed(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a JSON object with their digest beside them."""
    return {**entries, SEAL: _digest_of(entries)}


def unsealed(entries: object) -> dict[str, Any]:
    """Return the entries of a JSON object without their digest, which must be theirs.

    Raises:
        ValueError: it is no object, or its digest is missing or another.
    """
    if not isinstance(entries, dict):
        raise ValueError("no JSON object")
    own = {name: value for name, value in entries.items() if name != SEAL}
    if entries.get(SEAL) != _digest_of(own):
        raise ValueError("the entries are not those that were written")
    return own


def _digest_of(entries: Mapping[str, Any]) -> str:
    return content_key(json.dumps(entries, sort_keys=True))


def sealed_facts(facts: Mapping[str, str]) -> dict[str, str]:
    """Return the facts of a safetensors file with their digest beside them."""
    return {**facts, FACTS_SEAL: _digest_of(facts)}


def facts_are_whole(facts: Mapping[str, str]) -> bool:
    """Return whether facts are those that were written; files of earlier versions do not say."""
    own = {name: value for name, value in facts.items() if name != FACTS_SEAL}
    return facts.get(FACTS_SEAL, _digest_of(own)) == _digest_of(own)
