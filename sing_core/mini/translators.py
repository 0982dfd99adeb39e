"""Fit the translators lite0, lite1, lite2 -> ``mini`` by closed-form ridge (eq. 4).

Rows are real views of the shared images and, beside them, pseudo-pairs: the classifier's feature
and lite2's feature of one photograph pushed, each along its own head, to the same other class.
They carry class directions to classes whose photographs are not in the data; the target is the
reference head applied to lite2's pushed feature.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.mini.pseudo import draw_goals, draw_margins, push
from sing_core.mini.train import Head
from sing_core.translator import RidgePath, fit_ridge_path

ALPHAS = tuple(float(10.0**power) for power in torch.arange(0, 5.1, 0.5))


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The same views seen by one classifier and by the reference's trunk.

    Attributes:
        features: ``(n, m)`` of the classifier, under its own preprocessing.
        reference: ``(n, m)`` of lite2 under the reference's preprocessing.
        labels: ``(n,)`` class indices.
        weights: ``(n,)`` row weights.
    """

    features: Tensor
    reference: Tensor
    labels: Tensor
    weights: Tensor


def fit_translator(
    pairs: Pairs,
    held_out: Pairs,
    head: Head,
    classifiers: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]],
    *,
    pseudo: float = 1.0,
    copies: int = 3,
    seed: int = 0,
) -> RidgePath:
    """Fit on ``pairs``, choose lambda on ``held_out``, with ``copies`` pseudo-pairs per row.

    ``classifiers`` are the heads (weight, bias) of the classifier and of lite2; ``pseudo`` is
    the weight of a pseudo-pair relative to its photograph (0: none).
    """
    features, targets, weights = [pairs.features], [head.embed(pairs.reference)], [pairs.weights]
    generator = torch.Generator().manual_seed(seed)
    for _ in range(copies if pseudo > 0 else 0):
        count = len(pairs.labels)
        goals = draw_goals(count, len(classifiers[0][1]), generator)
        margins = draw_margins(count, 3.0, 10.0, generator)
        own = push(pairs.features, pairs.labels, goals, margins, classifiers[0])
        other = push(pairs.reference, pairs.labels, goals, margins, classifiers[1])
        features.append(own)
        targets.append(head.embed(other))
        weights.append(pseudo / copies * pairs.weights)
    return fit_ridge_path(
        torch.cat(features),
        torch.cat(targets),
        held_out.features,
        head.embed(held_out.reference),
        alphas=ALPHAS,
        weights=torch.cat(weights),
    )
