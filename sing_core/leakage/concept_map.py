"""Concepts as a network: words that mean nearly the same lie near to each other and are joined."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.maths.scores import angle_table

NEIGHBOURS = 2


@dataclass(frozen=True, slots=True)
class ConceptMap:
    """Where ``k`` concepts lie on a plane, and which are joined.

    Attributes:
        places: ``(x, y)`` of each, degrees; distances are the angles between the texts as far as
            a plane can hold them.
        edges: pairs ``i < j``, and the angle between their texts, degrees.
    """

    places: tuple[tuple[float, float], ...]
    edges: tuple[tuple[int, int, float], ...]


def concept_map(texts: Tensor, *, neighbours: int = NEIGHBOURS) -> ConceptMap:
    """Return the map of ``texts`` ``(k, d)``: classical scaling of their angles.

    Each text is joined to its ``neighbours`` nearest. The same texts give the same map: of the two
    directions of an axis, the one is taken in which the farthest concept is positive.
    """
    k = len(texts)
    angles = angle_table(texts, texts)
    angles = (angles + angles.mT) / 2
    centring = torch.eye(k, dtype=torch.float64) - 1 / k
    inner = -centring @ angles.square() @ centring / 2
    values, vectors = torch.linalg.eigh(inner)
    axes = vectors[:, -2:].flip(-1) * values[-2:].flip(-1).clamp_min(0).sqrt()
    if k == 1:
        axes = torch.zeros(1, 2, dtype=torch.float64)
    far = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))
    axes = axes * torch.where(far < 0, -1.0, 1.0)
    apart = angles.clone().fill_diagonal_(torch.inf)
    near = apart.argsort(dim=-1)[:, : min(neighbours, k - 1)]
    pairs = {(min(i, j), max(i, j)) for i, row in enumerate(near.tolist()) for j in row}
    return ConceptMap(
        tuple((float(x), float(y)) for x, y in axes.tolist()),
        tuple((i, j, float(angles[i, j])) for i, j in sorted(pairs)),
    )
