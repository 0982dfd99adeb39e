"""Pseudo-features: a photograph's feature moved to any of the 1,000 classes along the head's rows.

``f + t (w_to - w_from)``, with ``t`` solved so that the classifier prefers the new class to the
old one by a drawn margin. What is particular to the photograph stays, every class is visited
equally often, and no photograph of the new class is needed. Photographs come from classes near the
new one, so that its natural rivals stay in the feature.
"""

import torch
from torch import Generator, Tensor
from torch.nn.functional import normalize

_NEAREST = 10
_FAR_SHARE = 0.25


def push(
    features: Tensor,
    origins: Tensor,
    goals: Tensor,
    margins: Tensor,
    head: tuple[Tensor, Tensor],
) -> Tensor:
    """Return features ``(n, m)`` that prefer ``goals`` to ``origins`` by ``margins``.

    ``origins``, ``goals`` and ``margins`` (in logits) are ``(n,)``; ``head`` is the classifier's
    weight ``(c, m)`` and bias ``(c,)``. Rows whose two classes are equal stay as they are.
    """
    weight, bias = head
    direction = weight[goals] - weight[origins]
    current = (features * direction).sum(1) + bias[goals] - bias[origins]
    squared = direction.square().sum(1)
    amount = torch.where(squared > 0, (margins - current) / squared.clamp_min(1e-12), 0.0)
    return features + amount[:, None] * direction


def draw_margins(count: int, low: float, high: float, generator: Generator) -> Tensor:
    """Return ``(count,)`` margins in logits, uniform between ``low`` and ``high``."""
    return low + (high - low) * torch.rand(count, generator=generator)


class Neighbours:
    """Draws a photograph for every goal class from the classes whose head rows are nearest."""

    def __init__(self, labels: Tensor, rows: Tensor, weight: Tensor) -> None:
        """Index ``rows`` of views by their class in ``labels (n,)``; ``weight`` is ``(c, m)``."""
        self._rows, self._classes = rows, len(weight)
        own = labels[rows]
        order = own.argsort(stable=True)
        self._sorted = rows[order]
        counts = torch.bincount(own, minlength=len(weight))
        self._counts = counts
        self._starts = counts.cumsum(0) - counts
        centred = normalize(weight - weight.mean(0), dim=1)
        similar = centred @ centred.mT
        similar[:, counts == 0] = -torch.inf
        there = min(_NEAREST, int((counts > 0).sum()))
        self._nearest = similar.topk(there, dim=1).indices  # (c, 10), the class itself included

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return rows and goal classes, ``(count,)`` each: a quarter of the rows from anywhere."""
        goals = torch.randint(self._classes, (count,), generator=generator)
        rows = self.near(goals, generator)
        far = torch.rand(count, generator=generator) < _FAR_SHARE
        any_row = self._rows[torch.randint(len(self._rows), (count,), generator=generator)]
        return torch.where(far, any_row, rows), goals

    def near(self, goals: Tensor, generator: Generator) -> Tensor:
        """Return one row per goal class, of one of its nearest classes."""
        picked = torch.randint(self._nearest.shape[1], (len(goals),), generator=generator)
        classes = self._nearest[goals, picked]
        within = torch.rand(len(goals), generator=generator) * self._counts[classes]
        return self._sorted[self._starts[classes] + within.long()]
