"""Fetch Karlo's files from the model hub: one revision, safetensors first, nothing superfluous."""

from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.errors import WeightsUnavailableError
from sing_core.files.file_notes import Progress
from sing_core.pictures.karlo.files import (
    COMPONENTS,
    PLAIN_FILES,
    REPOSITORY,
    SAFETENSORS_REF,
    KarloFiles,
    allowed_pickles,
    find_karlo,
    how_to_fetch,
    pickle_name,
    pinned_revision,
    safetensors_name,
)

if TYPE_CHECKING:
    from sing_core.settings import Settings


def fetch_karlo(settings: "Settings", progress: Progress | None = None) -> KarloFiles:
    """Bring Karlo's files into the Hugging Face cache (4.6 to 9.2 GB), then find and verify them.

    A branch is resolved to its full commit hash once; every file comes from that commit. Files
    that are there already are not fetched again. ``HF_HUB_OFFLINE=1`` is respected.

    Raises:
        WeightsUnavailableError: the hub cannot be reached or lacks a file, there are only pickles
            and they are not allowed, or a file is damaged.
    """
    if settings.karlo_dir is not None:
        return find_karlo(settings, progress)
    asked = pinned_revision(settings) or SAFETENSORS_REF
    first = _fetch(PLAIN_FILES[0], asked, progress)
    if first is None:
        raise _missing(PLAIN_FILES[0], asked)
    commit = first.parents[1].name  # <cache>/snapshots/<commit>/<component>/config.json
    for name in PLAIN_FILES[1:]:
        if _fetch(name, commit, progress) is None:
            raise _missing(name, commit)
    for component in COMPONENTS:
        safe, pickle = safetensors_name(component), pickle_name(component)
        if _fetch(safe, commit, progress) is not None:
            continue
        if pickle not in allowed_pickles(settings) or _fetch(pickle, commit, progress) is None:
            raise _missing(safe, commit)
    return find_karlo(settings.model_copy(update={"karlo_revision": commit}), progress)


def _missing(name: str, revision: str) -> WeightsUnavailableError:
    return WeightsUnavailableError(
        f"{REPOSITORY} has no {name} at revision {revision}; choose one that has with "
        "SING_KARLO_REVISION (a full commit hash), or allow its pickles by name with "
        "SING_KARLO_PICKLES if you trust them."
    )


def _fetch(name: str, revision: str, progress: Progress | None) -> Path | None:
    """Return where the file lies now; ``None`` when the repository has none of this name."""
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import HTTPError, RemoteEntryNotFoundError

    if progress is not None:
        progress(f"Fetching Karlo's {name}.")
    try:
        found = hf_hub_download(
            REPOSITORY, name, revision=revision, cache_dir=constants.HF_HUB_CACHE
        )
    except RemoteEntryNotFoundError:
        return None
    except (OSError, HTTPError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsUnavailableError(
            f"Karlo's {name} at revision {revision} could not be fetched from the model hub "
            f"({reason}); with a network, {how_to_fetch(revision)}."
        ) from error
    return Path(found)
