"""Fit the translators lite0, lite1, lite2 -> ``mini`` by closed-form ridge (eq. 4), cross-fitted.

Rows are real views of the shared images and, beside them, pseudo-pairs: the classifier's feature
and lite2's feature of one photograph pushed, each along its own head, to the same class. They
carry class directions to classes whose photographs are not in the data; the target is the reference
head applied to lite2's pushed feature.

Folds are those of the photographs: all views of one, and all pairs pushed from it, are in its fold,
and nothing of a fold has a say in the fit that scores it.
"""

from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from sing_core.making.heads import Head
from sing_core.making.pseudo import Neighbours, draw_margins, push
from sing_core.maths.cross_fit import cross_fit
from sing_core.maths.folds import FOLDS, folds_of
from sing_core.maths.ridge import Moments
from sing_core.maths.translator import Translator

_PER_CLASS = 3  # pseudo-pairs in each fold
_MARGINS = (2.0, 9.0)
Classifiers = tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The same views seen by one classifier and by the reference's trunk.

    Attributes:
        features: ``(n, m)`` of the classifier, under its own preprocessing.
        reference: ``(n, m)`` of lite2 under the reference's preprocessing.
        labels: ``(n,)`` class indices.
        weights: ``(n,)`` row weights.
        plain: ``(n,)`` whether the view shows the photograph as it is.
        photographs: ``n`` digests of the files of which these are views.
    """

    features: Tensor
    reference: Tensor
    labels: Tensor
    weights: Tensor
    plain: Tensor
    photographs: tuple[str, ...]

    @property
    def folds(self) -> Tensor:
        """``(n,)`` fold of each view's photograph."""
        return folds_of(self.photographs)

    def take(self, rows: Tensor) -> "Pairs":
        """Return the pairs at ``rows`` (indices or a mask)."""
        places = torch.nonzero(rows).squeeze(1) if rows.dtype == torch.bool else rows
        return Pairs(
            self.features[places],
            self.reference[places],
            self.labels[places],
            self.weights[places],
            self.plain[places],
            tuple(self.photographs[place] for place in places.tolist()),
        )


def fold_moments(
    pairs: Pairs, head: Head, classifiers: Classifiers, *, pseudo: float = 20.0, seed: int = 0
) -> list[Moments | None]:
    """Return the moments of every fold's views and of the pseudo-pairs pushed from them.

    ``classifiers`` are the heads (weight, bias) of the classifier and of lite2; ``pseudo`` is
    the weight of a pseudo-pair (0: none), of which every fold has three a class. None for a fold
    that holds nothing.
    """
    generator = Generator().manual_seed(seed)
    folds = pairs.folds
    inside = [folds == fold for fold in range(FOLDS)]
    return [
        _moments(pairs.take(rows), head, classifiers, pseudo, generator) if rows.any() else None
        for rows in inside
    ]


def fit_translator(pairs: Pairs, head: Head, classifiers: Classifiers) -> Translator:
    """Return the translator that ships, with a stand-in for the photographs of each fold.

    Raises:
        ShapeError: fewer than three folds hold photographs.
    """
    fitted = cross_fit(fold_moments(pairs, head, classifiers)).translator(pairs.photographs)
    facts = {"images": str(len(set(pairs.photographs))), "folds": str(FOLDS)}
    return replace(fitted, details=fitted.details | facts)


def _moments(
    pairs: Pairs, head: Head, classifiers: Classifiers, pseudo: float, generator: Generator
) -> Moments:
    features, targets, weights = [pairs.features], [head.embed(pairs.reference)], [pairs.weights]
    if pseudo > 0 and bool(pairs.plain.any()):
        weight = classifiers[1][0]
        neighbours = Neighbours(pairs.labels, torch.nonzero(pairs.plain).squeeze(1), weight)
        goals = torch.arange(len(weight)).repeat(_PER_CLASS)
        rows = neighbours.near(goals, generator)
        margins = draw_margins(len(goals), *_MARGINS, generator)
        labels = pairs.labels[rows]
        features.append(push(pairs.features[rows], labels, goals, margins, classifiers[0]))
        pushed = push(pairs.reference[rows], labels, goals, margins, classifiers[1])
        targets.append(head.embed(pushed))
        weights.append(torch.full((len(goals),), pseudo))
    return Moments.of(torch.cat(features), torch.cat(targets), torch.cat(weights))
