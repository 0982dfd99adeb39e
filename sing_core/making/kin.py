"""Kin of classes in WordNet: 20,000 names that no photograph is of, and what they should look like.

A synset looks like the classes it shares its narrowest kind with. From these pairs of a text and a
look a linear map of texts learns what kinds there are, which 1,000 class names alone do not tell.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor
from torch.nn.functional import normalize

_SHARPNESS = 2.0  # how much nearer kin count for more, per nat of shared content
_LEAST = 1.0  # nats; what shares less with every class teaches nothing
_CLASS_WEIGHT = 10.0  # of a class beside an average synset
_RIDGE = 0.003


@dataclass(frozen=True, slots=True, eq=False)
class Kin:
    """Synsets beside the classes.

    Attributes:
        texts: ``(n, t)`` embeddings of their names as the text tower gives them.
        kinship: ``(n, c)`` nats shared with each class (``WordNet.kinship``).
        weights: ``(n,)`` how much each counts, 1 on average.
    """

    texts: Tensor
    kinship: Tensor
    weights: Tensor

    @classmethod
    def from_kinship(cls, texts: Tensor, kinship: Tensor) -> Self:
        """Keep what is kin to some class: ``texts (n, t)``, ``kinship (n, c)``."""
        excess = kinship.amax(1) - _LEAST
        kept = excess > 0
        return cls(texts[kept], kinship[kept], excess[kept] / excess[kept].mean())

    def without(self, classes: Tensor) -> "Kin":
        """Return the kin of the other classes; ``classes (c,)`` is a mask of those left out."""
        return Kin.from_kinship(self.texts, self.kinship[:, ~classes])

    def looks(self, looks: Tensor) -> Tensor:
        """Return ``(n, m)``: what each looks like, from ``looks (c, m)`` of the classes."""
        return torch.softmax(_SHARPNESS * self.kinship, dim=1) @ looks

    def closed_form(self, classes: Tensor, looks: Tensor) -> Tensor:
        """Return the map ``(t, m)`` by ridge from texts to looks, of classes and kin together.

        ``classes (c, t)`` are the classes' texts, ``looks (c, m)`` centred; texts count by their
        direction, centred. The map's product with a feature is a text-space embedding: it ranks
        texts by how well what they should look like agrees with the feature.
        """
        units = normalize(self.texts, dim=1)
        middle = (self.weights[:, None] * units).mean(0)
        near, own = units - middle, normalize(classes, dim=1) - middle
        weighted = self.weights[:, None] * near
        gram = near.mT @ weighted + _CLASS_WEIGHT * own.mT @ own
        gram.diagonal().add_(_RIDGE * gram.diagonal().mean())
        target = weighted.mT @ self.looks(looks) + _CLASS_WEIGHT * own.mT @ looks
        solved: Tensor = torch.linalg.solve(gram, target)
        return solved
