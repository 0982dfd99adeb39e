"""Files of the model hub: one commit per repository, checked, and every failure in a sentence.

The ecosystem's own variables hold: HF_HOME (cache folder), HF_ENDPOINT (a mirror), HF_TOKEN,
HF_HUB_OFFLINE. A branch is resolved to a full commit hash once; what was taken first is written
down under ``<cache>/models`` and held to from then on.
"""

import errno
import json
import logging
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from sing_core.errors import NoSuchFileError, WeightsUnavailableError
from sing_core.files.atomic import write_atomically
from sing_core.files.digests import content_key
from sing_core.files.file_notes import read_notes, verify
from sing_core.files.hub_progress import bar_of
from sing_core.files.regular import read_regular

if TYPE_CHECKING:
    from sing_core.settings import Settings

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
_PICKLE = "a .bin, .pt or .pth file"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_MOST_PIN_BYTES = 1_000
_PATIENCE_S = 5.0
_FULL = (errno.ENOSPC, errno.EDQUOT)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of one commit of a repository, on this machine.

    Attributes:
        path: where it lies in the Hugging Face cache, in the repository's own layout.
        commit: full commit hash that it is of.
    """

    path: Path
    commit: str


def fetch(repository: str, name: str, settings: "Settings", *, revision: str = "") -> HubFile:
    """Return the file ``name`` of a repository, from the cache where it is there, else the hub.

    ``revision`` "" takes the commit that this machine took first, else the newest one. A broken
    connection is resumed by huggingface_hub; a complete file is never fetched again.

    Raises:
        NoSuchFileError: the repository has no such file.
        WeightsUnavailableError: there is no network, or it is switched off; the hub has no such
            repository or revision, or does not show it; the disk is full; the note of the commit is
            damaged; or the content is not what the hub, or an earlier use, says it is.
    """
    wanted = revision or pinned_commit(repository, settings) or "main"
    path = _download(repository, name, wanted, settings)
    commit = _commit_of(path, name)
    _confirm(repository, name, path, commit, settings)
    if not revision and wanted != commit:
        _keep(_pin(repository, settings), commit.encode())
    return HubFile(path, commit)


def cached(repository: str, name: str, settings: "Settings", *, revision: str = "") -> Path | None:
    """Return where the file that ``fetch`` would take lies already; None where it does not."""
    from huggingface_hub import try_to_load_from_cache

    try:
        wanted = revision or pinned_commit(repository, settings) or "main"
    except WeightsUnavailableError:  # ``fetch`` says so
        return None
    found = try_to_load_from_cache(repository, name, revision=wanted)
    return Path(found) if isinstance(found, str) else None


def pinned_commit(repository: str, settings: "Settings") -> str:
    """Return the full commit hash that this machine took first; "" before that.

    Raises:
        WeightsUnavailableError: what was noted of it is damaged or cannot be read.
    """
    path = _pin(repository, settings)
    try:
        text = read_regular(path, _MOST_PIN_BYTES).decode("ascii", errors="replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise WeightsUnavailableError(_lost_pin(repository, path)) from error
    if not _COMMIT.fullmatch(text):
        raise WeightsUnavailableError(_lost_pin(repository, path))
    return text


def was_pinned(repository: str, settings: "Settings") -> bool:
    """Return whether this machine ever took a commit of a repository."""
    return _pin(repository, settings).is_file()


def offline(settings: "Settings") -> bool:
    """Return whether the network must not be used: SING_OFFLINE or HF_HUB_OFFLINE."""
    from huggingface_hub import constants

    return settings.offline or bool(constants.HF_HUB_OFFLINE)


def _download(repository: str, name: str, revision: str, settings: "Settings") -> Path:
    from huggingface_hub import errors, hf_hub_download

    is_off = offline(settings)
    try:
        found = hf_hub_download(
            repository, name, revision=revision, local_files_only=is_off or not _hub_answers(),
            tqdm_class=bar_of(name),
        )  # fmt: skip
    except errors.GatedRepoError as error:
        raise WeightsUnavailableError(
            f"The hub shows {repository} only to those who were granted access (HTTP 401 or 403): "
            "ask for it on its page and set HF_TOKEN."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise WeightsUnavailableError(
            f"The hub knows no repository {repository}, or shows it only with a token (HTTP "
            f"{error.response.status_code}): check the name, or set HF_TOKEN."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise WeightsUnavailableError(
            f"{repository} has no revision {revision} (HTTP 404): check what follows the @."
        ) from error
    except errors.RemoteEntryNotFoundError as error:
        raise NoSuchFileError(_no_entry(repository, name, revision)) from error
    except errors.LocalEntryNotFoundError as error:
        raise WeightsUnavailableError(_unreachable(repository, name, is_off)) from error
    except (OSError, errors.HTTPError) as error:
        raise WeightsUnavailableError(_failed(repository, name, error)) from error
    except errors.HFValidationError as error:
        raise WeightsUnavailableError(f"{repository} is no name of a hub repository.") from error
    return Path(found)


def _hub_answers() -> bool:
    """Return whether the hub, or the mirror in its place, takes a connection.

    huggingface_hub would try for half a minute. Behind a proxy only it can know.
    """
    from huggingface_hub import constants

    if getproxies():
        return True
    place = urlsplit(constants.ENDPOINT)
    port = place.port or (443 if place.scheme == "https" else 80)
    try:
        with socket.create_connection((place.hostname or "", port), timeout=_PATIENCE_S):
            return True
    except OSError:
        return False


def _no_entry(repository: str, name: str, revision: str) -> str:
    missing = f"{repository} has no {name} at revision {revision} (HTTP 404)"
    if name == CONFIG:
        return f"{missing}: it is no timm model."
    if not name.endswith(".safetensors"):
        return f"{missing}."
    return (
        f"{missing}. Weights that lie there only as a pickle ({_PICKLE}) are not opened, as that "
        "can run code: ask its owner to convert them."
    )


def _unreachable(repository: str, name: str, is_off: bool) -> str:
    if is_off:
        return (
            f"{name} of {repository} is not on this machine and the network is switched off "
            "(SING_OFFLINE or HF_HUB_OFFLINE). The embedded classifiers work without it."
        )
    return (
        f"{name} of {repository} is not on this machine and no model hub could be reached. The "
        "embedded classifiers work without one; HF_ENDPOINT names a mirror."
    )


def _failed(repository: str, name: str, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in _FULL:
        return (
            f"The disk is full: {name} of {repository} could not be kept. Make room, or let "
            "HF_HOME name a folder that has it."
        )
    lines = str(error).strip().splitlines()
    reason = lines[0][:200].rstrip(".") if lines else type(error).__name__
    return f"{name} of {repository} could not be fetched from the model hub: {reason}."


def _lost_pin(repository: str, path: Path) -> str:
    return (
        f"Which commit of {repository} is used here is noted in {path.parent.name}/{path.name} of "
        "the cache folder, and that note is damaged. Name the commit, as "
        f"hf-hub:{repository}@<commit>, or delete the note to take the newest one."
    )


def _commit_of(path: Path, name: str) -> str:
    """Return the commit in ``<cache>/snapshots/<commit>/<name>``."""
    return path.parents[name.count("/")].name


def _confirm(repository: str, name: str, path: Path, commit: str, settings: "Settings") -> None:
    """Check the file against its name in the cache and against what was used here before."""
    notes = settings.cache_dir / "models" / f"{content_key(repository, commit)[:32]}.json"
    before = read_notes(notes)
    seen = verify(path, name, before.get(name), notes, None, whose=f"{repository}:", anew=True)
    if before.get(name) != seen:
        _keep(notes, json.dumps(before | {name: seen}, indent=1).encode())


def _pin(repository: str, settings: "Settings") -> Path:
    return settings.cache_dir / "models" / f"{content_key(repository)[:32]}.revision"


def _keep(path: Path, payload: bytes) -> None:
    try:
        write_atomically(path, payload)
    except OSError as error:
        _log.warning("%s cannot be kept: %s.", path.name, error)
