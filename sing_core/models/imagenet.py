"""Class names of ImageNet, from data files inside installed packages."""

from functools import lru_cache

IMAGENET_CLASSES = 1000


def imagenet_labels() -> list[str]:
    """Return 1,000 distinct class labels in ImageNet-1k order.

    They are open_clip's curated names; a second "missile" and a second "sunglasses" get the first
    of their WordNet lemmas that is still free.
    """
    from open_clip import IMAGENET_CLASSNAMES
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    labels: list[str] = []
    for index, label in enumerate(IMAGENET_CLASSNAMES):
        lemmas = info.index_to_description(index).split(", ")
        labels.append(next(name for name in (label, *lemmas) if name not in labels))
    return labels


def known_labels(n_classes: int) -> tuple[str, ...]:
    """Return the class labels of the ImageNet list with ``n_classes`` (1k, 12k, 21k), else ()."""
    from timm.data import ImageNetInfo, infer_imagenet_subset

    if n_classes == IMAGENET_CLASSES:
        return tuple(imagenet_labels())
    subset = infer_imagenet_subset({"num_classes": n_classes})
    if not subset:
        return ()
    return tuple(ImageNetInfo(subset).label_descriptions())


def imagenet_lemmas() -> list[tuple[str, ...]]:
    """Return the names that WordNet has for each of the 1,000 classes."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    return [tuple(info.index_to_description(i).split(", ")) for i in range(IMAGENET_CLASSES)]


def imagenet_definitions() -> list[str]:
    """Return one line for each of the 1,000 classes that says what it is and not its name."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    described = (info.index_to_description(i, detailed=True) for i in range(IMAGENET_CLASSES))
    return [line.split(": ", 1)[-1] for line in described]


def wordnet_descriptions() -> list[str]:
    """Return the names of each of ImageNet's 21,841 things, and WordNet's line on it."""
    from timm.data import ImageNetInfo

    return list(ImageNetInfo("imagenet22k").label_descriptions(detailed=True))


def imagenet_wnids() -> list[str]:
    """Return the 1,000 WordNet ids (``n01440764`` …) in ImageNet-1k order."""
    from timm.data import ImageNetInfo

    names: list[str] = ImageNetInfo().label_names()  # type: ignore[no-untyped-call]
    return names


@lru_cache(maxsize=1)
def imagenet_places() -> dict[str, int]:
    """Return the place of every WordNet id in ImageNet-1k order; not to be changed."""
    return {wnid: place for place, wnid in enumerate(imagenet_wnids())}
