"""What networks can produce of the steps of a set: beside a wanted image score, a feasible one.

A steered feature has negative entries, which no network with a last ReLU puts out. Of some of the
images the nearest feature is looked for that one could (``FeasibleRemoval``), all of them at once.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from sing_core.maths.feasible_removal import FeasibleRemoval
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.scores import angle_deg
from sing_core.maths.translator import Translator

# Of so many images it is asked: a mean to a fifth of a degree, in two or three seconds.
FEASIBLE_IMAGES = 256


def spaced(rows: Sequence[int], most: int) -> list[int]:
    """Return at most ``most`` of ``rows``, evenly spread over them."""
    count = min(most, len(rows))
    return [rows[i * len(rows) // count] for i in range(count)]


class ProducedSteps:
    """Steps that are collected part by part, and solved together."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._parts: list[tuple[Tensor, Tensor, Translator, Tensor]] = []

    def add(self, features: Tensor, moved: Tensor, translator: Translator, text: Tensor) -> None:
        """Add ``features`` ``(n, m)`` stepped to ``moved``, float64, towards ``text``.

        ``text`` is ``(d,)``, or ``(n, d)``, one a feature; ``translator`` saw none of the images.
        """
        goals = text.double().expand(len(features), -1)
        self._parts.append((features, moved, translator, goals))

    def scores(self, linear: LinearHead) -> tuple[Tensor, Tensor]:
        """Return IS and AS, degrees ``(n,)``, of what can be produced, in the order of adding.

        Not a number where a feature has a negative entry: what its network can produce is not
        known.

        Raises:
            ZeroVectorError: a translated feature is zero.
        """
        if not self._parts:
            return torch.empty(0, dtype=torch.float64), torch.empty(0, dtype=torch.float64)
        features = torch.cat([part[0] for part in self._parts])
        moved = torch.cat([part[1] for part in self._parts])
        produced = FeasibleRemoval(linear).nearest(features, moved)
        pairs, first = [], 0
        for part in self._parts:
            last = first + len(part[0])
            pairs.append(_scored(*part, produced[first:last]))
            first = last
        turned, nearer = (torch.cat([pair[i] for pair in pairs]) for i in (0, 1))
        return turned, nearer


def _scored(
    features: Tensor, moved: Tensor, translator: Translator, goals: Tensor, produced: Tensor
) -> tuple[Tensor, Tensor]:
    del moved  # what was asked for; ``produced`` is what there is of it
    known = produced.isfinite().all(dim=1)
    turned, nearer = (torch.full((len(features),), math.nan, dtype=torch.float64) for _ in "ia")
    z, after = translator.apply(features[known]), translator.apply(produced[known])
    turned[known] = angle_deg(z, after)
    nearer[known] = angle_deg(z, goals[known]) - angle_deg(after, goals[known])
    return turned, nearer
