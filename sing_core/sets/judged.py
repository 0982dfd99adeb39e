"""Can the images of a list be scored? Judged by their classes, before a network sees one."""

from collections import Counter
from collections.abc import Iterable

from sing_core.errors import ImageSetError
from sing_core.models.class_names import is_index, wnid_of
from sing_core.sets.items import Source

_NAMED = 3
HOW_TO_NAME = (
    "Name folders, or labels, by wnid (n02123045), by the index of the class (0 to 999), or by its "
    "name in ImageNet-1k."
)


def judge(source: Source) -> tuple[str, ...]:
    """Return what is to be said of the classes of a source, in whole sentences.

    Raises:
        ImageSetError: no image lies in a class of ImageNet-1k, so that none can be scored; the
            message names the first classes. Or the source is damaged.
    """
    counts = Counter(own for _, own in source.listing())
    known = {name: count for name, count in counts.items() if name and wnid_of(name)}
    other = {name: count for name, count in counts.items() if name and not wnid_of(name)}
    if not known:
        raise ImageSetError(f"{_none(source, other)} {HOW_TO_NAME}")
    notes = list(source.notes)
    indices = sum(count for name, count in known.items() if is_index(name))
    if indices:
        notes.append(
            f"The classes of {_images(indices)} are numbers: they were read as places in "
            "ImageNet-1k’s own order, from 0."
        )
    if other:
        notes.append(
            f"{_images(sum(other.values()))} will have no score: {_first(other)} "
            f"{'is' if len(other) == 1 else 'are'} not in ImageNet-1k."
        )
    if counts[""]:
        notes.append(f"{_images(counts[''])} without a class will have no score.")
    return tuple(notes)


def _none(source: Source, other: dict[str, int]) -> str:
    if not other:
        return (
            f"None of the {source.total:,} images of {source.name} has a class, and without one it "
            "has no attribute score."
        )
    few = f"its class {_first(other)} is" if len(other) == 1 else f"its classes {_first(other)} are"
    return f"No image of {source.name} can be scored: {few} not in ImageNet-1k."


def _first(names: Iterable[str]) -> str:
    kept = sorted(names)
    more = f" and {len(kept) - _NAMED:,} more" if len(kept) > _NAMED else ""
    return ", ".join(f"“{name[:60]}”" for name in kept[:_NAMED]) + more


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"
