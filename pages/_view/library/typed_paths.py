"""Paths that a visitor types: followed on the visitor's own computer, else in one folder, or not.

A page that says which folders there are, and what is in them, tells strangers about the disk. So a
path is followed where the server listens on this computer alone, or inside ``SING_SETS_DIR``; what
lies elsewhere is refused before anything is looked at.
"""

import ipaddress
from pathlib import Path

import streamlit as st

from pages._view import loaders
from sing_core.errors import TypedPathError, UnknownNameError
from sing_core.models.names import FileName, parse_name
from sing_core.models.reference_files import LOCAL
from sing_core.models.registry import base_of

_NONE = (
    "Paths cannot be typed here, since other computers may reach this server. Send files, or ask "
    "its owner to prepare the set."
)
_INSIDE = (
    "Paths lead into the folder that the owner of this server set aside for image sets; those "
    "without a / in front begin there."
)
_OUTSIDE = (
    "Other computers may reach this server, so a typed path is followed only inside the folder "
    "that its owner set aside (SING_SETS_DIR); this one leads elsewhere."
)


def anywhere() -> bool:
    """Return whether nobody but who sits at this computer can reach the server."""
    address = str(st.get_option("server.address") or "")
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:  # a name, a socket, or none, which means every address
        return address == "localhost"


def offered() -> bool:
    """Return whether a path can be typed at all."""
    return anywhere() or loaders.settings().sets_dir is not None


def note() -> str:
    """Return what a visitor should know about typed paths; "" where they are followed anywhere."""
    if anywhere():
        return ""
    return _INSIDE if offered() else _NONE


def followed(path: Path) -> Path:
    """Return a typed path as it may be opened.

    Raises:
        TypedPathError: it may not be followed.
    """
    if anywhere():
        return path
    folder = loaders.settings().sets_dir
    if folder is None:
        raise TypedPathError(_NONE)
    try:
        root = folder.resolve()
        found = (root / path).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a loop of links, a zero byte
        raise TypedPathError(_OUTSIDE) from error
    if not found.is_relative_to(root):
        raise TypedPathError(_OUTSIDE)
    return found


def check_classifier(name: str) -> None:
    """Check that the files that a classifier's typed name names, if any, may be opened.

    Raises:
        TypedPathError: they may not.
    """
    try:
        found = parse_name(name)
    except UnknownNameError:
        return  # loading it says what is wrong with the name
    if isinstance(found, FileName):
        _check_whole(found.weights)
        if found.head is not None:
            _check_whole(found.head)


def check_reference(name: str) -> None:
    """Check that the folder that a reference's typed name names, if any, may be opened.

    Raises:
        TypedPathError: it may not.
    """
    base = base_of(name)
    if base.startswith(LOCAL):
        _check_whole(Path(base.removeprefix(LOCAL)))


def _check_whole(path: Path) -> None:
    """Check a path that is part of a name, and so is opened as it was typed."""
    if not anywhere() and not (path.is_absolute() and followed(path)):
        raise TypedPathError(_OUTSIDE if offered() else _NONE)
