"""The null space in words over the stored features of a prepared set, or of one class of it."""

from collections.abc import Sequence

from torch import Tensor

from sing_core.errors import ImageSetError
from sing_core.maths.head_variants import HeadVariant, nothing_hidden
from sing_core.models.bench import Classifier
from sing_core.models.workbench import Workbench
from sing_core.sets.kinds import counted_kinds
from sing_core.units.set_part import part_of_set
from sing_core.units.words import SpanWords, null_words, sentence


def hiding(bench: Workbench, model: str, variant: HeadVariant) -> Classifier:
    """Return the part of a head that decides, which hides something.

    Raises:
        ImageSetError: it hides nothing.
        SingError: the model cannot be loaded, or its head has no such part.
    """
    classifier = bench.deciding(model, variant)
    if classifier.linear.head.nullity == 0:
        raise ImageSetError(nothing_hidden(classifier.entry.title, classifier.entry.feature_dim))
    return classifier


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
    classifier = hiding(bench, model, variant)
    part = part_of_set(bench, images, model, class_name)
    found = null_words(
        part.features,
        classifier.linear,
        bench.translator(model, reference),
        texts,
        embeddings,
        size=size,
        where=part.where,
        kinds=counted_kinds(part.kinds),
    )
    return found, sentence(found, f"{part.where} to {classifier.entry.title}")
