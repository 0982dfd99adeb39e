"""What a person may type for a classifier, read into where its weights come from.

* a row of the registry: ``lite0``, ``vgg16.tv_in1k``
* a timm name, best with its tag: ``resnet18.a1_in1k``
* a repository of the model hub: ``hf-hub:owner/name`` or ``hf-hub:owner/name@revision``
* a local file: ``architecture@/path/to/weights.safetensors``, and where the backbone has no head,
  ``architecture@/path/to/backbone.safetensors@/path/to/head.safetensors``; with a size of the input
  in pixels as ``architecture:256@…`` where the file cannot say it
"""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.errors import UnknownNameError
from sing_core.models.registry import find_model, models

if TYPE_CHECKING:
    from sing_core.settings import Settings

_HUB = "hf-hub:"
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_REVISION = re.compile(r"[\w./-]{1,100}")
_HEAD_FOLLOWS = ".safetensors@"
_SIDES = 32, 2048

HOW_TO_NAME = "A timm name, hf-hub:owner/name or architecture@file.safetensors works too."


@dataclass(frozen=True, slots=True)
class HubName:
    """A repository of the model hub; ``revision`` "" takes the one taken first on this machine."""

    repository: str
    revision: str = ""


@dataclass(frozen=True, slots=True)
class FileName:
    """Local weights of a timm ``architecture``; ``head`` None where they hold their own head.

    ``side`` of the square input in pixels, 0 where it was not named.
    """

    architecture: str
    weights: Path
    head: Path | None = None
    side: int = 0


@dataclass(frozen=True, slots=True)
class TimmName:
    """A name that only timm can judge: ``architecture`` or ``architecture.tag``."""

    name: str


def parse_name(name: str) -> HubName | FileName | TimmName:
    """Return what ``name`` says about where the weights are; nothing is looked up.

    Raises:
        UnknownNameError: it is none of the three kinds.
    """
    if "\0" in name:
        raise UnknownNameError(f"A name holds no zero byte. {HOW_TO_NAME}")
    if name.lower().startswith(_HUB):
        return _hub_name(name)
    architecture, at, rest = name.partition("@")
    if at and "/" not in architecture:
        return _file_name(name, architecture, rest)
    return TimmName(name)


def refuse_unknown(name: str, settings: "Settings") -> None:
    """Refuse what cannot be a classifier's name, by text alone: torch and timm need seconds.

    Of what passes, ``networks.check_known`` has the last word.

    Raises:
        UnknownNameError: it is not well formed, or neither the registry nor timm has such a model.
    """
    if find_model(name, settings) is not None:
        return
    found = parse_name(name)
    if isinstance(found, TimmName) and not _in_sources_of_timm(found.name):
        raise unknown(name, settings)


def unknown(name: str, settings: "Settings") -> UnknownNameError:
    """Return what is said of a name that no classifier has."""
    known = ", ".join(entry.name for entry in models(settings))
    return UnknownNameError(
        f"No classifier is called “{name[:60]}”. There are: {known}. {HOW_TO_NAME}"
    )


def _in_sources_of_timm(name: str) -> bool:
    """Whether timm's code may define a model called ``name``, or know it by an older name."""
    spec = importlib.util.find_spec("timm")
    if spec is None or not spec.submodule_search_locations:
        return True  # whoever loads it says so
    architecture = re.escape(name.partition(".")[0])
    defined = re.compile(rf"def {architecture}\(|(['\"]){architecture}\1")
    files = Path(spec.submodule_search_locations[0], "models").glob("*.py")
    return any(defined.search(file.read_text("utf-8")) for file in files)


def _hub_name(text: str) -> HubName:
    repository, at, revision = text[len(_HUB) :].partition("@")
    is_named = _REPOSITORY.fullmatch(repository) and (not at or _REVISION.fullmatch(revision))
    if not is_named or ".." in text:
        raise UnknownNameError(
            f"“{text[:80]}” names no repository: hf-hub:owner/name is needed, and after an @ a "
            "revision of it if you like."
        )
    return HubName(repository, revision)


def _file_name(text: str, architecture: str, rest: str) -> FileName:
    weights, follows, head = rest.partition(_HEAD_FOLLOWS)
    if not architecture or not rest or (follows and not head):
        raise UnknownNameError(
            f"“{text[:80]}” names no local weights: architecture@/path/to/weights.safetensors is "
            "needed."
        )
    if follows:
        weights += _HEAD_FOLLOWS[:-1]
    architecture, colon, size = architecture.partition(":")
    side = _side(size) if colon else 0
    return FileName(architecture, _expanded(weights), _expanded(head) if head else None, side)


def _side(size: str) -> int:
    least, most = _SIDES
    is_number = size.isascii() and size.isdecimal() and len(size) <= len(str(most))
    if not (is_number and least <= int(size) <= most):
        raise UnknownNameError(
            f"“{size[:20]}” is no size of an input: a side in pixels from {least} to {most:,} is "
            "needed, as in architecture:256@file.safetensors."
        )
    return int(size)


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UnknownNameError(
            f"“{text[:80]}” begins with the home folder of a user that this machine does not know."
        ) from error


def file_state(name: str) -> str:
    """Return size and time of a local name's files, "" for other names: a changed file is another.

    The list of class names beside the weights is one of them, whether it is there or not.
    A name that cannot be parsed, or whose file is gone, has none either; loading it says so.
    """
    try:
        found = parse_name(name)
        if not isinstance(found, FileName):
            return ""
        paths = [path for path in (found.weights, found.head) if path is not None]
        files = [path.stat() for path in paths]
        listing = paths[-1].with_suffix(".txt")
        files += [listing.stat()] if listing.is_file() else []
    except (UnknownNameError, OSError, ValueError):
        return ""
    return " ".join(f"{file.st_size}-{file.st_mtime_ns}" for file in files)
