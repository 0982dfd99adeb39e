"""The readings of an image-text reference: raw, and centred, each by a name of its own.

``centred:NAME`` is the reference NAME, whatever NAME holds, with the mean embedding of images and
of texts taken away. The reading stands in front, as ``local-dir:`` and ``hf-hub:`` do: a path may
end in anything, but no reference's name begins so.
"""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.errors import UnknownNameError, WeightsUnavailableError
from sing_core.maths.centre import Centre
from sing_core.models.registry import base_of, file_stem, find_reference, is_centred

if TYPE_CHECKING:
    from sing_core.settings import Settings

FEWEST_IMAGES = 16


def own_centre_path(settings: "Settings", name: str) -> Path:
    """Return where a centre that was taken on this machine is kept and found again."""
    return settings.cache_dir / "centres" / f"{file_stem(base_of(name))}.safetensors"


def shipped_centre_path(settings: "Settings", name: str) -> Path:
    """Return where the centre of a reference that ships lies."""
    return settings.assets_dir / "centres" / own_centre_path(settings, name).name


def centre_files(settings: "Settings", name: str) -> list[Path]:
    """Return the files that may hold the centre of a reference as it is now, the shipped first."""
    places = shipped_centre_path(settings, name), own_centre_path(settings, name)
    return [path for path in places if path.is_file()]


def find_centre(name: str, raw_space_id: str, settings: "Settings") -> Centre:
    """Return the centre of the reference ``name``, whose raw space has this id.

    Raises:
        UnknownNameError: ``name`` is of a centred reading itself.
        WeightsUnavailableError: there is none of this space; the message says how to get one.
        StaleArtefactError: the file is damaged.
    """
    if is_centred(name):
        raise UnknownNameError(f"A reference is centred once: use “{name[:120]}”.")
    for path in centre_files(settings, name):
        state = path.stat()
        found = _read(path, state.st_ino, state.st_size, state.st_mtime_ns)
        if found.raw_space_id == raw_space_id:
            return found
    row = find_reference(name, settings)
    how = (
        "Restore it from the repository, or run `python -m sing_core.making centres`."
        if row is not None and row.ships
        else f"Take one from a set of at least {FEWEST_IMAGES} images: `python -m sing_core "
        f"prepare --images FOLDER --reference {name[:120]} --embed`."
    )
    raise WeightsUnavailableError(
        f"There is no centre of {name[:120]} as it is now, and without one it has only its raw "
        f"reading. {how}"
    )


def has_centre(name: str, raw_space_id: str, settings: "Settings") -> bool:
    """Return whether the reference ``name`` can be read centred.

    Raises:
        StaleArtefactError: the file is damaged.
    """
    try:
        find_centre(name, raw_space_id, settings)
    except WeightsUnavailableError:
        return False
    return True


@lru_cache(maxsize=16)
def _read(path: Path, inode: int, size: int, changed: int) -> Centre:
    return Centre.load(path)
