"""Which folder of an image's path names its class."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from sing_core.files.digests import content_key
from sing_core.models.class_names import is_index, wnid_in, wnid_of

# Folders that people put above, or beside, those of the classes.
_BETWEEN = (
    "train", "training", "trainval", "val", "valid", "validation", "test", "testing", "dev", "eval",
    "image", "images", "imgs", "jpeg", "jpegs", "jpegimages", "data", "dataset", "photos",
    "pictures",
)  # fmt: skip


def is_between(folder: str) -> bool:
    """Return whether a folder is one that people put above, or beside, those of the classes."""
    return folder.casefold() in _BETWEEN


def classes_of(names: Sequence[str]) -> list[str]:
    """Return the class of each of the paths ``names``: see ``class_of``.

    Folders that hold everything are passed over, unless one of them is the only one.
    """
    folders = [PurePosixPath(name).parts[:-1] for name in names]
    shared = _shared(folders)
    return [_class(parts, min(shared, max(len(parts) - 1, 0))) for parts in folders]


def class_of(name: str) -> str:
    """Return the folder of the path ``name`` that names its class; "" where there is none.

    It is the last that looks like a wnid; else the first that means a class of ImageNet-1k; else
    the first that is not a word like “train”.
    """
    return _class(PurePosixPath(name).parts[:-1], 0)


def _shared(folders: Sequence[tuple[str, ...]]) -> int:
    """Return how many folders all paths begin with."""
    first, last = min(folders, default=()), max(folders, default=())
    count = 0
    while count < min(len(first), len(last)) and first[count] == last[count]:
        count += 1
    return count


def _class(folders: tuple[str, ...], shared: int) -> str:
    wnids = [folder for folder in folders if wnid_in(folder)]
    if wnids:
        return wnids[-1]
    inside = folders[shared:]
    while len(inside) > 1 and is_between(inside[0]):
        inside = inside[1:]
    if inside and is_between(inside[0]):
        return ""
    if inside and is_index(inside[0]):
        return inside[0]
    named = (name for name in (*inside, *folders) if not is_index(name) and wnid_of(name))
    return next(named, inside[0] if inside else "")


def key_of_reading(key: str, names: Sequence[str], classes: Sequence[str]) -> str:
    """Return ``key`` for a list whose classes were always read so, else one that says how.

    What earlier versions stored of a list then stays, unless they took other classes for it.
    """
    if all(own == _first_reading(name) for name, own in zip(names, classes, strict=True)):
        return key
    return content_key(key, *classes)


def _first_reading(name: str) -> str:
    folders = PurePosixPath(name).parts[:-1]
    wnids = [folder for folder in folders if wnid_in(folder) == folder]
    return wnids[-1] if wnids else (folders[0] if folders else "")
