"""Pseudo-features: a photograph's feature moved to any of the 1,000 classes along the head's rows.

``f + t (w_to - w_from)``, with ``t`` solved so that the classifier prefers the new class to the
old one by a drawn margin. What is particular to the photograph stays, every class is visited
equally often, and no photograph of the new class is needed.
"""

import torch
from torch import Tensor


def push(
    features: Tensor,
    origins: Tensor,
    goals: Tensor,
    margins: Tensor,
    head: tuple[Tensor, Tensor],
) -> Tensor:
    """Return features ``(n, m)`` whose ``goals`` logit exceeds the ``origins`` one by ``margins``.

    ``origins``, ``goals`` and ``margins`` (in logits) are ``(n,)``; ``head`` is the classifier's
    weight ``(c, m)`` and bias ``(c,)``. Rows whose two classes are equal stay as they are.
    """
    weight, bias = head
    direction = weight[goals] - weight[origins]
    current = (features * direction).sum(1) + bias[goals] - bias[origins]
    squared = direction.square().sum(1)
    amount = torch.where(squared > 0, (margins - current) / squared.clamp_min(1e-12), 0.0)
    return features + amount[:, None] * direction


def draw_goals(count: int, classes: int, generator: torch.Generator) -> Tensor:
    """Return ``(count,)`` class indices drawn uniformly."""
    return torch.randint(classes, (count,), generator=generator)


def draw_margins(count: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Return ``(count,)`` margins in logits, uniform between ``low`` and ``high``."""
    return low + (high - low) * torch.rand(count, generator=generator)
