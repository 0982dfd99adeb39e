"""Fit the translators lite0, lite1, lite2 -> ``mini`` by closed-form ridge (eq. 4).

Rows are real views of the shared images and, beside them, pseudo-pairs: the classifier's feature
and lite2's feature of one photograph pushed, each along its own head, to the same class. They
carry class directions to classes whose photographs are not in the data; the target is the reference
head applied to lite2's pushed feature.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from sing_core.making.pseudo import Neighbours, draw_margins, push
from sing_core.making.train import Head
from sing_core.maths.ridge import RidgePath, fit_ridge_path

ALPHAS = tuple(float(10.0**power) for power in torch.arange(1, 6.1, 0.5))
_PER_CLASS = 16
_MARGINS = (2.0, 9.0)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The same views seen by one classifier and by the reference's trunk.

    Attributes:
        features: ``(n, m)`` of the classifier, under its own preprocessing.
        reference: ``(n, m)`` of lite2 under the reference's preprocessing.
        labels: ``(n,)`` class indices.
        weights: ``(n,)`` row weights.
        plain: ``(n,)`` whether the view shows the photograph as it is.
    """

    features: Tensor
    reference: Tensor
    labels: Tensor
    weights: Tensor
    plain: Tensor

    def take(self, rows: Tensor) -> "Pairs":
        """Return the pairs at ``rows`` (indices or a mask)."""
        return Pairs(
            self.features[rows],
            self.reference[rows],
            self.labels[rows],
            self.weights[rows],
            self.plain[rows],
        )


def fit_translator(
    pairs: Pairs,
    held_out: Pairs,
    head: Head,
    classifiers: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]],
    *,
    pseudo: float = 20.0,
    seed: int = 0,
) -> RidgePath:
    """Fit on ``pairs`` and on 16 pseudo-pairs a class; choose lambda on ``held_out``.

    ``classifiers`` are the heads (weight, bias) of the classifier and of lite2; ``pseudo`` is
    the weight of a pseudo-pair (0: none).
    """
    features, targets, weights = [pairs.features], [head.embed(pairs.reference)], [pairs.weights]
    if pseudo > 0:
        generator = Generator().manual_seed(seed)
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
    return fit_ridge_path(
        torch.cat(features),
        torch.cat(targets),
        held_out.features,
        head.embed(held_out.reference),
        alphas=ALPHAS,
        weights=torch.cat(weights),
    )
