"""Which class of ImageNet-1k a folder or a label means, however people name it."""

import re
from functools import lru_cache

from sing_core.models.imagenet import (
    imagenet_labels,
    imagenet_lemmas,
    imagenet_places,
    imagenet_wnids,
)

_WNID = re.compile(r"(n[0-9]{8})(?:[-_. ].*)?", re.ASCII | re.DOTALL)
_INDEX = re.compile(r"0{0,4}[0-9]{1,3}", re.ASCII)


def wnid_in(name: str) -> str:
    """Return the WordNet id that ``name`` is or begins with (``n02085620-Chihuahua``), else ""."""
    found = _WNID.fullmatch(name)
    return found[1] if found else ""


def is_index(name: str) -> bool:
    """Return whether ``name`` is the number of a class, 0 to 999."""
    return _INDEX.fullmatch(name) is not None


@lru_cache(maxsize=65536)
def wnid_of(name: str) -> str:
    """Return the WordNet id of the ImageNet-1k class that ``name`` means, "" where it means none.

    It may be a wnid or begin with one, be an index from 0 to 999, or a name of the class.
    """
    wnid = wnid_in(name)
    if wnid:
        return wnid if wnid in imagenet_places() else ""
    if is_index(name):
        return list(imagenet_places())[int(name)]
    return _named().get(_plain(name), "")


@lru_cache(maxsize=1)
def _named() -> dict[str, str]:
    """Return plain name -> wnid: the labels, else the lemmas, one or all, that mean one class."""
    wnids = imagenet_wnids()
    found: dict[str, str] = {}
    lemmas: dict[str, set[str]] = {}
    for wnid, names in zip(wnids, imagenet_lemmas(), strict=True):
        for name in (*names, ", ".join(names)):
            lemmas.setdefault(_plain(name), set()).add(wnid)
    found |= {name: next(iter(meant)) for name, meant in lemmas.items() if len(meant) == 1}
    return found | {_plain(label): w for label, w in zip(imagenet_labels(), wnids, strict=True)}


def _plain(name: str) -> str:
    return " ".join(re.split(r"[\W_]+", name.casefold())).strip()
