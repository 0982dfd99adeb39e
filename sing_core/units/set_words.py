"""The null space in words over the stored features of a prepared set, or of one class of it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.maths.head_variants import HeadVariant, nothing_hidden
from sing_core.models.class_names import wnid_of
from sing_core.models.workbench import Workbench
from sing_core.sets.catalogue import image_sets
from sing_core.units.words import SpanWords, null_words, sentence


def words_of_set(
    bench: Workbench,
    images: str,
    model: str,
    reference: str,
    variant: HeadVariant,
    texts: Sequence[str],
    embeddings: Tensor,
    *,
    class_name: str = "",
    size: int = 10,
) -> tuple[tuple[SpanWords, ...], str]:
    """Return the words of the null, principal and random parts of a set, and what they say.

    ``embeddings`` ``(M, d)`` are those of ``texts``, of length 1. ``class_name`` takes the images
    of one class alone: a name, a wnid, or an index.

    Raises:
        ImageSetError: there is no such set or class, it has no features of the model, or too few.
        HeadError: the head hides nothing.
        SingError: something named cannot be loaded.
    """
    classifier = bench.deciding(model, variant)
    if classifier.linear.head.nullity == 0:
        raise ImageSetError(nothing_hidden(classifier.entry.title, classifier.entry.feature_dim))
    features, where = _features(bench, images, model, class_name)
    found = null_words(
        features,
        classifier.linear,
        bench.translator(model, reference),
        texts,
        embeddings,
        size=size,
        where=where,
    )
    return found, sentence(found, f"{where} to {model}")


def _features(bench: Workbench, images: str, model: str, class_name: str) -> tuple[Tensor, str]:
    """Return ``(n, m)`` stored features, and in words whose they are."""
    folders = {folder.facts.name: folder for folder in reversed(image_sets(bench.settings))}
    if images not in folders:
        raise ImageSetError(
            f"No prepared set is called “{images[:64]}”. There are: {', '.join(sorted(folders))}."
        )
    folder, digest = folders[images], bench.entry(model).weights_digest
    wnid = wnid_of(class_name) if class_name else ""
    if class_name and not wnid:
        raise ImageSetError(f"“{class_name[:64]}” is no class of ImageNet-1k.")
    parts = []
    for index in range(folder.facts.chunks):
        chunk = folder.chunk(model, digest, index)
        wanted = [place for place, row in enumerate(chunk.images) if wnid in ("", row.wnid)]
        parts.append(chunk.features[wanted].float())
    features = torch.cat(parts)
    many = f"{len(features):,} images"
    return features, f"“{class_name}” ({many})" if class_name else f"the set {images} ({many})"
