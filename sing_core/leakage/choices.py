"""Scores of a prepared set under every choice of reference, fit of the translator, and reading.

Images are translated by a fit that did not see them, as everywhere, but for the fits that left one
fifth out: these translate all images, whoever saw them, and show what the choice of images does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sing_core.errors import SingError, WeightsUnavailableError
from sing_core.leakage.scored_sets import ScoredSet
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
RAW, CENTRED = "raw", "centred"

Key = tuple[str, str, str]  # reading, reference, fit


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
class _Images:
    """Features and equivalents ``(n, m)`` float32, and whose they are."""

    features: Tensor
    removed: Tensor
    digests: tuple[str, ...]
    labels: Tensor


def measured_by(scored: ScoredSet, rows: Sequence[int]) -> Measured:
    """Return the scores of ``rows`` of a set under every choice that there is for its model.

    Raises:
        SingError: features, head or the asked translator cannot be read.
    """
    asked = scored.ask("SELECT row, label, stratum FROM images ORDER BY row").to_pylist()
    wanted = set(rows)
    facts = [row for row in asked if row["row"] in wanted]
    images = _images(scored, [row["row"] for row in facts], [row["label"] for row in facts])
    found: dict[Key, dict[str, Floats]] = {}
    for reference in _references(scored):
        found |= _under(scored, reference, images)
    usual = CENTRED if is_centred(scored.reference) else RAW
    ordered = dict(sorted(found.items(), key=lambda item: item[0][0] != usual))
    strata = tuple(str(row["stratum"] or "") for row in facts)
    return Measured(scored.model, images.labels.numpy(), strata, ordered)


def _images(scored: ScoredSet, rows: list[int], labels: list[int]) -> _Images:
    own, pieces = [], []
    for images, features in scored.features(rows):
        own += images
        pieces.append(features.float())
    features = torch.cat(pieces)
    by_row = dict(zip(rows, labels, strict=True))
    removed = scored.linear.head.remove_null(features).float()
    return _Images(
        features, removed, tuple(i.digest for i in own), torch.tensor([by_row[i.row] for i in own])
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


def _under(scored: ScoredSet, reference: str, images: _Images) -> dict[Key, dict[str, Floats]]:
    bench = scored.bench
    whole, vocabulary = bench.translator(scored.model, reference), bench.vocabulary(reference)
    texts = vocabulary.embeddings[: vocabulary.n_classes]
    centre = _centre(bench, reference, vocabulary.space_id)
    found = {}
    for fit, z, equivalent in _fits(whole, images):
        own = texts[images.labels]
        found[RAW, reference, fit] = _scores(z, equivalent, own)
        if centre is not None:
            shift = centre.image
            found[CENTRED, reference, fit] = _scores(
                z - shift, equivalent - shift, centre.texts(texts)[images.labels]
            )
    return found


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
        count = float(whole.details.get("images", len(images.features)))
        mean, scatter = centred_scatter(images.features, count)
        for name, factor in PENALTIES.items():
            turn = other_penalty(scatter, penalty, factor * penalty)
            yield name, *_translated(unseen, images, repenalised(mean, turn))
    for fold in range(whole.folds.count if whole.folds is not None else 0):
        everywhere = torch.zeros(len(images.digests), dtype=torch.long)
        part = Unseen(stand_in(whole, fold), everywhere)
        yield f"without part {fold + 1}", *_translated(part, images)


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
