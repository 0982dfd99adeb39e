"""The photographs behind a prepared set: whether they are here, small copies, into Explore."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages._view import loaders, pickers
from pages._view.tables import asks
from sing_core.errors import ImageSetError, SingError
from sing_core.files.digests import content_key
from sing_core.files.images import decode_image, picture_url
from sing_core.sets import originals
from sing_core.sets.chunks import SetFolder
from sing_core.sets.stored import StoredImage

_SIDE = 192
_QUALITY = 82


def are_here(images: str) -> bool:
    """Return whether the photographs of a set are on this machine.

    Raises:
        SingError: there is no such set, or a set's folder is damaged.
    """
    return originals.are_here(asks.folder(images), loaders.settings())


def small_copies(images: str, found: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Return the photographs of ``found`` as small squares, data URLs by row.

    What is no longer where it was, or cannot be read, is left out.

    Raises:
        SingError: see ``are_here``.
    """
    folder = asks.folder(images)
    wanted = {int(image["row"]): str(image["digest"]) for image in found}
    key = content_key("small", folder.facts.key, repr(sorted(wanted.items())))
    try:
        return _kept_copies(key, folder, wanted)
    except ImageSetError:
        return {}


@st.cache_data(max_entries=64, show_spinner=False)
def _kept_copies(key: str, _folder: SetFolder, _wanted: dict[int, str]) -> dict[int, str]:
    """Return the squares; where there is none at all nothing is kept: they may come back.

    Raises:
        ImageSetError: none is on this machine.
    """
    copies = {}
    for row, payload in originals.found_originals(_folder, _wanted, loaders.settings()).items():
        try:
            copies[row] = _small(payload)
        except SingError:  # it was usable when the set was prepared, with other limits
            continue
    if not copies:
        raise ImageSetError("None of these photographs is on this machine.")
    return copies


def _small(payload: bytes) -> str:
    """Return the middle of a photograph as a data URL.

    Raises:
        UnsupportedImageError: the file cannot be used.
    """
    photo = decode_image(payload, max_pixels=loaders.settings().max_pixels, least_side=_SIDE)
    side = min(photo.image.size)
    left, top = (photo.width - side) / 2, (photo.height - side) / 2
    box = (left, top, left + side, top + side)
    kept = min(side, _SIDE)
    return picture_url(photo.image.resize((kept, kept), box=box), quality=_QUALITY)


def explore_link(model: str, images: str, image: Mapping[str, Any], prompt: str) -> dict[str, str]:
    """Return what Explore is asked about one image, at the null removal that its scores are of.

    Raises:
        SingError: see ``are_here``.
    """
    stored = StoredImage(asks.folder(images), int(image["row"]), str(image["digest"]))
    asked = {"photo": stored.address, "mode": "remove"}
    # Explore writes no default into its link: one that had it would be a step for Back to stop at.
    for name, value, default in (
        ("model", model, next(iter(loaders.models()))),
        ("reference", loaders.reference(), next(iter(loaders.references()))),
        ("prompt", prompt, pickers.DEFAULT_PROMPT),
    ):
        if value != default:
            asked[name] = value
    return asked
