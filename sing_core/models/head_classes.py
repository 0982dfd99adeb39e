"""Which classes a head has: those of ImageNet-1k, or its own, and which of these mean the same.

Images of a set lie in classes of ImageNet-1k. Whether a head with other classes decides for the
right one is only known where somebody says which of its classes is which: in a mapping, a text file
with one pair a line, kept under the digest of the head's weights.
"""

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from sing_core.errors import HeadError
from sing_core.files.atomic import write_atomically
from sing_core.files.seals import sealed, unsealed
from sing_core.files.text_lists import lines_of
from sing_core.models.bench import Classifier
from sing_core.models.class_names import wnid_of
from sing_core.models.imagenet import (
    imagenet_labels,
    imagenet_places,
    imagenet_wnids,
    known_labels,
)

if TYPE_CHECKING:
    from sing_core.settings import Settings

_ALIKE = 0.9  # of 1,000 labels that are written in many ways
_SIGNS = ("\t", ";", ",")
_NONE = ("", "-")
_DIGITS = 10


def is_imagenet(labels: tuple[str, ...], count: int) -> bool:
    """Return whether a head of ``count`` classes has those of ImageNet-1k, in their order.

    Where 1,000 classes brought no names it is taken to have them.
    """
    wnids = imagenet_wnids()
    if count != len(wnids):
        return False
    same = [
        wnid in (wnid_of(label), wnid_of(label.split(",")[0]))
        for label, wnid in zip(labels, wnids, strict=False)
    ]
    return not labels or sum(same) >= _ALIKE * len(wnids)


def has_imagenet(classifier: Classifier) -> bool:
    """Return whether a classifier's whole head has the classes of ImageNet-1k."""
    return is_imagenet(classifier.labels, len(classifier.linear.weight))


def names_of(classifier: Classifier) -> tuple[str, ...]:
    """Return a name for every class of a whole head: its own, a known list's, or its number."""
    count = len(classifier.linear.weight)
    if has_imagenet(classifier):
        return tuple(imagenet_labels())
    numbers = tuple(f"class {index}" for index in range(count))
    return classifier.labels or known_labels(count) or numbers


def parse_mapping(text: str, name: str, classifier: Classifier) -> dict[int, int]:
    """Return class of ImageNet-1k -> class of the head, from the text of a mapping called ``name``.

    A line is a class of ImageNet-1k (by wnid, index or name), then the head's (by index or name),
    with a tab, “;” or “,” between; or, one line for each of the head's classes in their order, the
    former alone, “-” where there is none.

    Raises:
        HeadError: a line names no class, not two, or a class that another line names for another
            one; the message says which.
    """
    lines = [line.strip() for line in lines_of(text) if line.strip()]
    names = names_of(classifier)
    found: dict[int, int] = {}
    for own, theirs in _pairs(lines, names, name):
        if _is_none(own, name):
            continue
        place, head_class = imagenet_places()[wnid_of(own)], _own(theirs, names, name)
        if found.setdefault(place, head_class) != head_class:
            raise HeadError(
                f"{name}: “{own[:60]}” is a class of ImageNet-1k that two lines give to two "
                f"classes of the head, “{names[found[place]][:60]}” and “{names[head_class][:60]}”."
            )
    return found


def _pairs(lines: list[str], names: tuple[str, ...], name: str) -> list[tuple[str, str]]:
    """Return a class of ImageNet-1k and one of the head, as they are written, of every line.

    Raises:
        HeadError: a line does not hold the two, or there is not one line for each class.
    """
    sign = next((sign for sign in _SIGNS if lines and all(sign in line for line in lines)), None)
    if sign is None:
        if len(lines) != len(names):
            raise HeadError(
                f"{name} has {len(lines):,} lines, and the head {len(names):,} classes: give one "
                "line for each, or lines of a class of ImageNet-1k, a tab, and the head’s."
            )
        return list(zip(lines, map(str, range(len(names))), strict=True))
    pairs = []
    for line in lines:
        try:
            row = next(csv.reader([line], delimiter=sign, strict=True))
        except csv.Error as error:
            raise HeadError(
                f"{name}: “{line[:60]}” cannot be read as a line of a table."
            ) from error
        own, *theirs = (cell.strip() for cell in row)
        if not theirs or any(theirs[1:]):
            raise HeadError(
                f"{name}: “{line[:60]}” is no pair of cells: a class of ImageNet-1k and one of the "
                "head are needed."
            )
        pairs.append((own, theirs[0]))
    return pairs


def _is_none(own: str, name: str) -> bool:
    """Return whether a line says that a class of the head has no counterpart.

    Raises:
        HeadError: it says something that is no class of ImageNet-1k.
    """
    if own in _NONE:
        return True
    if not wnid_of(own):
        raise HeadError(f"{name}: “{own[:60]}” is no class of ImageNet-1k.")
    return False


def _own(theirs: str, names: tuple[str, ...], name: str) -> int:
    if names.count(theirs) > 1:
        raise HeadError(
            f"{name}: several classes of this head are called “{theirs[:60]}”; give the number."
        )
    if theirs in names:
        return names.index(theirs)
    is_number = theirs.isascii() and theirs.isdecimal() and len(theirs) < _DIGITS
    if is_number and int(theirs) < len(names):
        return int(theirs)
    raise HeadError(f"{name}: “{theirs[:60]}” is no class of this head.")


def keep_mapping(settings: "Settings", classifier: Classifier, text: str, name: str) -> int:
    """Keep the mapping in a ``text`` called ``name``; return how many classes it maps.

    Raises:
        HeadError: the head has the classes of ImageNet-1k and needs none; or a line names no class.
        OSError: the disk refuses.
    """
    if has_imagenet(classifier):
        raise HeadError(
            f"The head of {classifier.entry.name} has the classes of ImageNet-1k: it needs no "
            "mapping."
        )
    found = parse_mapping(text, name, classifier)
    if not found:
        raise HeadError(f"{name} maps no class.")
    listing = sealed({"classes": sorted(found.items())})
    write_atomically(_place(settings, classifier), json.dumps(listing).encode())
    return len(found)


def mapping_of(settings: "Settings", classifier: Classifier) -> dict[int, int] | None:
    """Return class of ImageNet-1k -> class of the head; None where nobody said so.

    Raises:
        HeadError: the mapping that was kept is damaged.
    """
    if has_imagenet(classifier):
        return {index: index for index in range(len(imagenet_wnids()))}
    path = _place(settings, classifier)
    try:
        found = unsealed(json.loads(path.read_text("utf-8")))["classes"]
        return {int(label): int(own) for label, own in found}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HeadError(
            f"The mapping of {classifier.entry.name}’s classes is damaged: give it again."
        ) from error


def mapping_state(settings: "Settings", classifier: Classifier) -> str:
    """Return what changes when a head gets another mapping: tables follow it."""
    path = _place(settings, classifier)
    return str(path.stat().st_mtime_ns) if path.is_file() else ""


def _place(settings: "Settings", classifier: Classifier) -> Path:
    return settings.cache_dir / "head-classes" / f"{classifier.entry.weights_digest}.json"
