"""Build a file or folder once: atomic, locked between processes, confirmed by a receipt.

Beside each artefact ``X`` lies ``X.receipt.json`` with the digests of what went in and the size,
modification time and SHA-256 of what came out. Every process reads a file once to confirm it, and
again when its inode, size or times differ; one whose digest differs makes the artefact be built
anew. What was built is flushed to the disk before it gets its name.
"""

import json
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock
from safetensors import SafetensorError

from sing_core.errors import WeightsUnavailableError
from sing_core.files.atomic import sync
from sing_core.files.digests import sha256_once

_LOG = logging.getLogger(__name__)


def build_once(target: Path, inputs: dict[str, str], build: Callable[[Path], None]) -> bool:
    """Make ``target`` with ``build(temporary_path)`` unless its receipt says it is right.

    ``inputs`` names everything the content depends on. Returns whether it was built now.

    Raises:
        WeightsUnavailableError: the folder cannot be written (read-only, full).
    """
    if _confirmed(target, inputs):
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if _confirmed(target, inputs):
                return False
            _build(target, inputs, build)
    except (OSError, SafetensorError) as error:  # safetensors has its own error for a full disk
        reason = getattr(error, "strerror", None) or error
        raise WeightsUnavailableError(
            f"The weights cannot be written to {target.parent} ({reason}); "
            "free some space or choose another folder with SING_CACHE_DIR."
        ) from error
    return True


def _build(target: Path, inputs: dict[str, str], build: Callable[[Path], None]) -> None:
    if target.exists():
        _LOG.warning("%s does not match its receipt; building it anew.", target)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".building-") as folder:
        fresh = Path(folder) / target.name
        build(fresh)
        for path in _files(fresh).values():
            sync(path)
        receipt_path(target).unlink(missing_ok=True)
        if target.is_dir():
            shutil.rmtree(target)
        fresh.replace(target)
        receipt = {"inputs": inputs, "files": {n: _measure(p) for n, p in _files(target).items()}}
        draft = Path(folder) / "receipt.json"
        draft.write_text(json.dumps(receipt, indent=1), encoding="utf-8")
        sync(draft)
        os.replace(draft, receipt_path(target))
        sync(target.parent)


def receipt_path(target: Path) -> Path:
    """Return where the receipt of ``target`` lies."""
    return target.with_name(f"{target.name}.receipt.json")


def _files(target: Path) -> dict[str, Path]:
    if target.is_file():
        return {target.name: target}
    return {str(p.relative_to(target)): p for p in sorted(target.rglob("*")) if p.is_file()}


def _measure(path: Path) -> dict[str, Any]:
    status = path.stat()
    return {"bytes": status.st_size, "mtime_ns": status.st_mtime_ns, "sha256": sha256_once(path)}


def _confirmed(target: Path, inputs: dict[str, str]) -> bool:
    try:
        receipt = json.loads(receipt_path(target).read_text(encoding="utf-8"))
        files = _files(target)
        if receipt["inputs"] != inputs or receipt["files"].keys() != files.keys():
            return False
        return all(_same(path, receipt["files"][name]) for name, path in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _same(path: Path, expected: dict[str, Any]) -> bool:
    same_size = path.stat().st_size == expected["bytes"]
    return bool(same_size and sha256_once(path) == expected["sha256"])
