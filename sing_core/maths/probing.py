"""Linear probes: how well can a label be read from the part of a feature that lies in a subspace?

Ridge on one-hot labels, in closed form. Every image is read by a probe that never saw its fold, at
a lambda that was chosen without it: the cross-fitting of the translators, with labels in place of
embeddings. A subspace needs no pass over the images of its own: the moments of what lies in it
follow from those of the whole feature.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.controls import random_basis
from sing_core.maths.cross_fit import cross_fit, moments_by_fold
from sing_core.maths.folds import FOLDS
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.ridge import Moments

DRAWS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Probed:
    """Features with labels, ready to be read from any subspace.

    ``n`` images, ``m`` feature dimensions.

    Attributes:
        features: ``(n, m)``; ``labels`` ``(n,)`` whole numbers from 0; ``folds`` ``(n,)``.
        moments: of features and one-hot labels, one a fold; None where it holds nothing.
    """

    features: Tensor
    labels: Tensor
    folds: Tensor
    moments: tuple[Moments | None, ...]

    @classmethod
    def of(cls, features: Tensor, labels: Tensor, folds: Tensor) -> Self:
        """Add up the moments of every fold once.

        Raises:
            ShapeError: the lists differ in length, or there are fewer than two labels.
        """
        if features.ndim != 2 or not labels.shape == folds.shape == features.shape[:1]:
            raise ShapeError("A probe needs one label and one fold an image.")
        kinds = int(labels.max()) + 1 if len(labels) else 0
        if kinds < 2:
            raise ShapeError("A probe tells labels apart: at least two are needed.")
        wide = features.double()
        onehot = torch.nn.functional.one_hot(labels, kinds).double()
        return cls(wide, labels, folds, moments_by_fold(wide, onehot, folds, FOLDS))

    def hits(self, basis: Tensor | None = None) -> Tensor:
        """Return ``(n,)`` whether each label is read rightly from the coordinates in ``basis``.

        ``basis`` ``(m, k)`` has orthonormal columns; None reads the whole feature.

        Raises:
            ShapeError: fewer than three folds hold an image.
            UnsupportedImageError: no image differs from another inside the subspace.
        """
        if basis is None:
            fit, inside = cross_fit(self.moments), self.features
        else:
            parts = [part and part.within(basis) for part in self.moments]
            fit, inside = cross_fit(parts), self.features @ basis.double()
        return fit.apply(inside, self.folds).argmax(dim=1) == self.labels


def random_subspaces(m: int, dimension: int, draws: int = DRAWS) -> Sequence[Tensor]:
    """Return ``draws`` uniformly random subspaces, ``(m, dimension)`` each, the same every time."""
    return [random_basis(m, dimension, seed) for seed in range(draws)]


def read_directions(head: HeadDecomposition, dimension: int, draws: int = DRAWS) -> list[Tensor]:
    """Return ``draws`` random subspaces, ``(m, dimension)``, of what the head reads.

    Raises:
        ShapeError: the head reads fewer.
    """
    if dimension > head.rank:
        raise ShapeError(f"The head reads {head.rank} directions, fewer than {dimension}.")
    return [
        head.principal_basis @ random_basis(head.rank, dimension, seed) for seed in range(draws)
    ]
