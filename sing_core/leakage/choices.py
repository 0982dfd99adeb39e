"""Scores of a prepared set under every choice of reference, fit of the translator, and reading."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from sing_core.errors import SingError, WeightsUnavailableError
from sing_core.leakage.concepts import texts_in
from sing_core.leakage.other_fits import Images, fits, network_fits
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.scoring import beside_all_names, directed_table, foreign_names
from sing_core.maths.centre import Centre
from sing_core.maths.ridge_path import Scatter
from sing_core.maths.statistics import Floats
from sing_core.models.readings import find_centre
from sing_core.models.registry import base_of, is_centred, references
from sing_core.models.workbench import Workbench

RAW, CENTRED = "raw", "centred"
CONTRAST = "contrast_deg"  # the directed part towards the own name, less that towards others
_NAMES = 100  # of all classes, evenly spaced: their mean is that of all to a few per cent

Key = tuple[str, str, str]  # reading, reference, fit
_Texts = Callable[[str], Tensor | None]  # raw ones (k, d) in a reference, None where it has none
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Scores of ``n`` images under one model, by choice.

    Attributes:
        model: whose; ``labels`` ``(n,)`` classes, ``strata`` kinds of the images.
        scores: by reading, reference and fit, the usual ones first: columns ``(n,)`` in degrees.
        own: the references that are built on the model's own image tower.
    """

    model: str
    labels: "np.ndarray[Any, Any]"
    strata: tuple[str, ...]
    scores: dict[Key, dict[str, Floats]]
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """One class's images, its own name and those of other classes under one choice, degrees.

    Both are contrasts, the directed part towards a name less its mean over all names: ``own``
    ``(n,)``; ``foreign`` ``(n, k)``, a name a column.
    """

    own: Floats
    foreign: Floats


def measured_by(scored: ScoredSet, rows: Sequence[int], *, networks: bool = False) -> Measured:
    """Return the scores of ``rows`` of a set under every choice that there is for its model.

    Here and below ``networks``: with the non-linear translators that were trained on the set.

    Raises:
        SingError: features, head or the asked translator cannot be read.
    """
    images = _images(scored, rows)
    found = {
        key: _scores(z, equivalent, texts, images.labels)
        for key, z, equivalent, texts in _every(scored, images, _of_classes(scored), networks)
    }
    ordered = usual_first(scored, found)
    entry = scored.bench.entry(scored.model)
    own = frozenset(name for _, name, _ in found if entry.shares_tower(name))
    return Measured(scored.model, images.labels.numpy(), images.strata, ordered, own)


def names_by(
    scored: ScoredSet, index: int, *, networks: bool = False
) -> tuple[tuple[str, ...], dict[Key, Names]]:
    """Return the kinds of a class's images, and its names under every choice, the usual one first.

    Raises:
        SingError: features, head or the asked translator cannot be read.
    """
    everything = scored.ask("SELECT row FROM images")["row"].to_pylist()
    images = _images(scored, everything).of_class(index)
    found: dict[Key, Names] = {}
    every = _every(scored, images, _of_classes(scored), networks)
    for key, z, equivalent, texts in every:
        towards = directed_table(z, equivalent, texts)
        own, foreign = (
            beside_all_names(towards, places).numpy()
            for places in (images.labels[:, None], foreign_names(images.labels, len(texts)))
        )
        found[key] = Names(own[:, 0], foreign)
    return images.strata, usual_first(scored, found)


@dataclass(frozen=True, slots=True, eq=False)
class Towards:
    """How ``n`` images turn towards ``k`` texts without their null part, by choice.

    Attributes:
        labels: ``(n,)`` classes; ``strata`` kinds of the images.
        tables: choice and directed part ``(n, k)``, degrees, one after another: each is of the size
            of the whole set.
    """

    labels: "np.ndarray[Any, Any]"
    strata: tuple[str, ...]
    tables: Iterator[tuple[Key, Floats]]


def towards_by(
    scored: ScoredSet, prompts: tuple[str, ...], index: int | None = None, *, networks: bool = False
) -> Towards:
    """Return how images turn towards ``prompts`` under every choice: a class's, or all of the set.

    Another reference than the asked one is left out where it cannot embed what is new to it.

    Raises:
        SingError: features, head, the asked translator or reference cannot be read.
    """
    asked = base_of(scored.reference)

    def texts(reference: str) -> Tensor | None:
        try:
            return texts_in(scored.bench, reference, prompts)
        except SingError:
            if reference == asked:
                raise
            return None

    everything = scored.ask("SELECT row FROM images")["row"].to_pylist()
    images = _images(scored, everything)
    images = images if index is None else images.of_class(index)
    tables = (
        (key, directed_table(z, equivalent, own).numpy())
        for key, z, equivalent, own in _every(scored, images, texts, networks)
    )
    return Towards(images.labels.numpy(), images.strata, tables)


def usual_first(scored: ScoredSet, found: dict[Key, _T]) -> dict[Key, _T]:
    """Return the choices with the reading that was asked for before the other."""
    usual = CENTRED if is_centred(scored.reference) else RAW
    return dict(sorted(found.items(), key=lambda item: item[0][0] != usual))


def _images(scored: ScoredSet, rows: Sequence[int]) -> Images:
    asked = scored.ask("SELECT row, label, stratum FROM images").to_pylist()
    facts, own, pieces = {row["row"]: row for row in asked}, [], []
    for images, features in scored.features([row for row in rows if row in facts]):
        own += images
        pieces.append(features.float())
    features = torch.cat(pieces)
    return Images(
        features=features,
        removed=scored.linear.head.remove_null(features).float(),
        digests=tuple(image.digest for image in own),
        labels=torch.tensor([facts[image.row]["label"] for image in own]),
        strata=tuple(str(facts[image.row]["stratum"] or "") for image in own),
        spread=Scatter.of_rows(features),
    )


def _references(scored: ScoredSet) -> Iterator[str]:
    """Yield the asked reference, then the others into which the model is translated here."""
    asked, bench = base_of(scored.reference), scored.bench
    yield asked
    for row in references(bench.settings):
        if row.name == asked:
            continue
        try:
            bench.translator(scored.model, row.name)
        except SingError:
            continue
        yield row.name


def _of_classes(scored: ScoredSet) -> _Texts:
    def texts(reference: str) -> Tensor:
        vocabulary = scored.bench.vocabulary(reference)
        return vocabulary.embeddings[: vocabulary.n_classes]

    return texts


def _every(
    scored: ScoredSet, images: Images, texts_of: _Texts, networks: bool
) -> Iterator[tuple[Key, Tensor, Tensor, Tensor]]:
    """Yield each choice, T(f) and T of the equivalents ``(n, d)``, and the texts ``(k, d)``."""
    bench = scored.bench
    for reference in _references(scored):
        texts = texts_of(reference)
        if texts is None:
            continue
        whole = bench.translator(scored.model, reference)
        centre = _centre(bench, reference, bench.vocabulary(reference).space_id)
        asked = networks and reference == base_of(scored.reference)  # they are trained into it
        others = network_fits(scored, reference, images) if asked else ()
        for fit, z, equivalent in chain(fits(whole, images), others):
            yield (RAW, reference, fit), z, equivalent, texts
            if centre is not None:
                own, shift = centre.texts(texts), centre.image
                yield (CENTRED, reference, fit), z - shift, equivalent - shift, own


def _centre(bench: Workbench, reference: str, space: str) -> Centre | None:
    try:
        return find_centre(reference, space, bench.settings)
    except WeightsUnavailableError:
        return None


def _scores(z: Tensor, equivalent: Tensor, texts: Tensor, labels: Tensor) -> dict[str, Floats]:
    """Return the measures of ``n`` images by name, towards their classes' names.

    In single precision, from unit vectors made once: hundreds of times as many images are measured
    as have a score, and what is told is a mean of thousands.
    """
    before, after, turned = (
        normalize(rows.float(), dim=-1) for rows in (z, equivalent, 2 * equivalent - z)
    )
    names = normalize(texts.float(), dim=-1)
    own = names[labels]
    start, end = _degrees(before, own), _degrees(after, own)
    others = names[torch.linspace(0, len(names) - 1, min(_NAMES, len(names))).long()]
    apart = [torch.rad2deg((rows @ others.mT).clamp(-1, 1).acos()) for rows in (before, turned)]
    usual = (apart[0] - apart[1]).mean(dim=-1) / 2
    found = {
        "image_score_deg": _degrees(before, after),
        "attribute_score_deg": start - end,
        "abs_attribute_score_deg": (start - end).abs(),
        CONTRAST: (start - _degrees(turned, own)) / 2 - usual,
    }
    return {name: values.numpy() for name, values in found.items()}


def _degrees(one: Tensor, two: Tensor) -> Tensor:
    """Return the angles ``(n,)`` between unit vectors ``(n, d)``; exact where they nearly agree."""
    half = torch.linalg.vector_norm(one - two, dim=-1) / 2
    return torch.rad2deg(2 * half.clamp(max=1).asin())
