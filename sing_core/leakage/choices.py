"""Scores of a prepared set under every choice of reference, fit of the translator, and reading.

Images are translated by a fit that did not see them, as everywhere, but for the fits that left one
fifth out: these translate all images, whoever saw them, and show what the choice of images does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from sing_core.errors import SingError, WeightsUnavailableError
from sing_core.leakage.concepts import texts_in
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.scoring import beside_all_names, directed_table, foreign_names
from sing_core.maths.centre import Centre
from sing_core.maths.ridge_path import Repenalised, centred_scatter, other_penalty, repenalised
from sing_core.maths.scores import angle_deg
from sing_core.maths.statistics import Floats
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import Unseen, stand_in
from sing_core.models.readings import find_centre
from sing_core.models.registry import base_of, is_centred, references
from sing_core.models.workbench import Workbench

AS_FITTED = "as fitted"
PENALTIES = {"λ / 10": 0.1, "λ / 3": 1 / 3, "λ × 3": 3.0, "λ × 10": 10.0}
WITHOUT_PART = "without part"
RAW, CENTRED = "raw", "centred"

Key = tuple[str, str, str]  # reading, reference, fit
_Texts = Callable[[str], Tensor | None]  # raw ones (k, d) in a reference, None where it has none
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Scores of ``n`` images under one model, by choice.

    Attributes:
        model: whose; ``labels`` ``(n,)`` classes, ``strata`` kinds of the images.
        scores: by reading, reference and fit, the usual ones first: columns ``(n,)`` in degrees.
    """

    model: str
    labels: "np.ndarray[Any, Any]"
    strata: tuple[str, ...]
    scores: dict[Key, dict[str, Floats]]


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """One class's images, its own name and those of other classes under one choice, degrees.

    Both are contrasts, the directed part towards a name less its mean over all names: ``own``
    ``(n,)``; ``foreign`` ``(n, k)``, a name a column.
    """

    own: Floats
    foreign: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Images:
    """Features and equivalents ``(n, m)`` float32, and whose they are.

    ``spread`` ``(s, m)`` are the features that stand for those of the fit, for other penalties.
    """

    features: Tensor
    removed: Tensor
    digests: tuple[str, ...]
    labels: Tensor
    strata: tuple[str, ...]
    spread: Tensor

    def of_class(self, index: int) -> "_Images":
        """Return those of one class, with the same spread."""
        mine = (self.labels == index).nonzero().flatten()
        own = [(self.digests[i], self.strata[i]) for i in mine.tolist()]
        return replace(
            self, features=self.features[mine], removed=self.removed[mine],
            labels=self.labels[mine], digests=tuple(digest for digest, _ in own),
            strata=tuple(stratum for _, stratum in own),
        )  # fmt: skip


def measured_by(scored: ScoredSet, rows: Sequence[int]) -> Measured:
    """Return the scores of ``rows`` of a set under every choice that there is for its model.

    Raises:
        SingError: features, head or the asked translator cannot be read.
    """
    images = _images(scored, rows)
    found = {
        key: _scores(z, equivalent, texts[images.labels])
        for key, z, equivalent, texts in _every(scored, images, _of_classes(scored))
    }
    ordered = usual_first(scored, found)
    return Measured(scored.model, images.labels.numpy(), images.strata, ordered)


def names_by(scored: ScoredSet, index: int) -> tuple[tuple[str, ...], dict[Key, Names]]:
    """Return the kinds of a class's images, and its names under every choice, the usual one first.

    Raises:
        SingError: features, head or the asked translator cannot be read.
    """
    everything = scored.ask("SELECT row FROM images")["row"].to_pylist()
    images = _images(scored, everything).of_class(index)
    found: dict[Key, Names] = {}
    for key, z, equivalent, texts in _every(scored, images, _of_classes(scored)):
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


def towards_by(scored: ScoredSet, prompts: tuple[str, ...], index: int | None = None) -> Towards:
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
        for key, z, equivalent, own in _every(scored, images, texts)
    )
    return Towards(images.labels.numpy(), images.strata, tables)


def usual_first(scored: ScoredSet, found: dict[Key, _T]) -> dict[Key, _T]:
    """Return the choices with the reading that was asked for before the other."""
    usual = CENTRED if is_centred(scored.reference) else RAW
    return dict(sorted(found.items(), key=lambda item: item[0][0] != usual))


def _images(scored: ScoredSet, rows: Sequence[int]) -> _Images:
    asked = scored.ask("SELECT row, label, stratum FROM images").to_pylist()
    facts, own, pieces = {row["row"]: row for row in asked}, [], []
    for images, features in scored.features([row for row in rows if row in facts]):
        own += images
        pieces.append(features.float())
    features = torch.cat(pieces)
    return _Images(
        features=features,
        removed=scored.linear.head.remove_null(features).float(),
        digests=tuple(image.digest for image in own),
        labels=torch.tensor([facts[image.row]["label"] for image in own]),
        strata=tuple(str(facts[image.row]["stratum"] or "") for image in own),
        spread=features,
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
    scored: ScoredSet, images: _Images, texts_of: _Texts
) -> Iterator[tuple[Key, Tensor, Tensor, Tensor]]:
    """Yield each choice, T(f) and T of the equivalents ``(n, d)``, and the texts ``(k, d)``."""
    bench = scored.bench
    for reference in _references(scored):
        texts = texts_of(reference)
        if texts is None:
            continue
        whole = bench.translator(scored.model, reference)
        centre = _centre(bench, reference, bench.vocabulary(reference).space_id)
        for fit, z, equivalent in _fits(whole, images):
            yield (RAW, reference, fit), z, equivalent, texts
            if centre is not None:
                own, shift = centre.texts(texts), centre.image
                yield (CENTRED, reference, fit), z - shift, equivalent - shift, own


def _centre(bench: Workbench, reference: str, space: str) -> Centre | None:
    try:
        return find_centre(reference, space, bench.settings)
    except WeightsUnavailableError:
        return None


def _fits(whole: Translator, images: _Images) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Yield each fit's name, and the translated features and equivalents ``(n, d)`` float32."""
    unseen = Unseen.of(whole, images.digests)
    yield AS_FITTED, *_translated(unseen, images)
    penalty = float(whole.details.get("lambda", "nan"))
    if penalty > 0:
        count = float(whole.details.get("images", len(images.spread)))
        mean, scatter = centred_scatter(images.spread, count)
        for name, factor in PENALTIES.items():
            turn = other_penalty(scatter, penalty, factor * penalty)
            yield name, *_translated(unseen, images, repenalised(mean, turn))
    for fold in range(whole.folds.count if whole.folds is not None else 0):
        everywhere = torch.zeros(len(images.digests), dtype=torch.long)
        part = Unseen(stand_in(whole, fold), everywhere)
        yield f"{WITHOUT_PART} {fold + 1}", *_translated(part, images)


def _translated(
    unseen: Unseen, images: _Images, change: Repenalised | None = None
) -> tuple[Tensor, Tensor]:
    width = len(unseen.whole.bias)
    z, equivalent = (torch.empty(len(images.features), width) for _ in range(2))
    for _, own, rows in unseen.groups():
        weight, bias = own.weight.float(), own.bias.float()
        if change is not None:
            weight, bias = change(weight, bias)
        z[rows] = images.features[rows] @ weight.mT + bias
        equivalent[rows] = images.removed[rows] @ weight.mT + bias
    return z, equivalent


def _scores(z: Tensor, equivalent: Tensor, texts: Tensor) -> dict[str, Floats]:
    attribute = (angle_deg(z, texts) - angle_deg(equivalent, texts)).numpy()
    return {
        "image_score_deg": angle_deg(z, equivalent).numpy(),
        "attribute_score_deg": attribute,
        "abs_attribute_score_deg": np.abs(attribute),
    }
