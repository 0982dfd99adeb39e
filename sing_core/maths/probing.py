"""Linear probes: how well can a label be read from the part of a feature that lies in a subspace?

Ridge on one-hot labels, in closed form. Every image is read by a probe that never saw its fold, at
a lambda that was chosen without it: the cross-fitting of the translators, with labels in place of
embeddings.

One random subspace is read better than the next, so the null space is held against many. Any
columns of a uniformly random orthonormal frame span a uniformly random subspace: features are
turned into a few frames once, and every subspace is a random choice of columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.controls import PER_FRAME, choices, random_basis
from sing_core.maths.cross_fit import cross_fit, moments_by_fold
from sing_core.maths.folds import FOLDS
from sing_core.maths.head import HeadDecomposition

DRAWS = 50  # of random subspaces
READ_DRAWS = 10  # of what the head reads, which the null space is not held against
_SUBSET_SEEDS = 1_000  # from here on: not those of the frames


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Subspaces that some columns of one frame span.

    Attributes:
        frame: ``(m, w)`` orthonormal columns.
        subsets: ``(k, j)`` which of them span each of the ``k`` subspaces.
    """

    frame: Tensor
    subsets: Tensor

    def bases(self) -> Iterator[Tensor]:
        """Yield each subspace as ``(m, j)`` orthonormal columns."""
        for subset in self.subsets:
            yield self.frame[:, subset]


@dataclass(frozen=True, slots=True, eq=False)
class Probed:
    """Features with labels, ready to be read from any subspace.

    ``n`` images, ``m`` feature dimensions.

    Attributes:
        features: ``(n, m)`` float64; ``labels`` ``(n,)`` whole numbers from 0; ``folds`` ``(n,)``.
    """

    features: Tensor
    labels: Tensor
    folds: Tensor

    @classmethod
    def of(cls, features: Tensor, labels: Tensor, folds: Tensor) -> Self:
        """Check what is to be read.

        Raises:
            ShapeError: the lists differ in length, or there are fewer than two labels.
        """
        if features.ndim != 2 or not labels.shape == folds.shape == features.shape[:1]:
            raise ShapeError("A probe needs one label and one fold an image.")
        if not len(labels) or int(labels.max()) < 1:
            raise ShapeError("A probe tells labels apart: at least two are needed.")
        return cls(features.double(), labels, folds)

    def hits(self, basis: Tensor | None = None) -> Tensor:
        """Return ``(n,)`` whether each label is read rightly from the coordinates in ``basis``.

        ``basis`` ``(m, k)`` has orthonormal columns; None reads the whole feature.

        Raises:
            ShapeError: fewer than three folds hold an image.
            UnsupportedImageError: no image differs from another inside the subspace.
        """
        return self._read(self.features if basis is None else self.features @ basis.double())

    def hits_of(self, drawn: Drawn) -> Iterator[Tensor]:
        """Yield the same of each subspace of a frame; features are turned into it once.

        Raises:
            ShapeError: fewer than three folds hold an image.
            UnsupportedImageError: no image differs from another inside a subspace.
        """
        turned = self.features @ drawn.frame.double()
        for subset in drawn.subsets:
            yield self._read(turned[:, subset])

    def _read(self, inside: Tensor) -> Tensor:
        onehot = torch.nn.functional.one_hot(self.labels).double()
        fit = cross_fit(moments_by_fold(inside, onehot, self.folds, FOLDS))
        return fit.apply(inside, self.folds).argmax(dim=1) == self.labels


def random_subspaces(m: int, dimension: int, draws: int = DRAWS) -> Iterator[Drawn]:
    """Yield ``draws`` uniformly random subspaces of ``dimension``, the same every time."""
    for seed, count in enumerate(_counts(draws)):
        subsets = choices(m, dimension, count, _SUBSET_SEEDS + seed)
        yield Drawn(random_basis(m, m, seed), subsets)


def read_directions(
    head: HeadDecomposition, dimension: int, draws: int = READ_DRAWS
) -> Iterator[Drawn]:
    """Return ``draws`` random subspaces of what the head reads; one where that is all it reads.

    Raises:
        ShapeError: the head reads fewer.
    """
    rank = head.rank
    if dimension > rank:
        raise ShapeError(f"The head reads {rank} directions, fewer than {dimension}.")
    return (
        Drawn(
            head.principal_basis @ random_basis(rank, rank, seed),
            choices(rank, dimension, count, _SUBSET_SEEDS + seed),
        )
        for seed, count in enumerate(_counts(draws if dimension < rank else 1))
    )


def _counts(draws: int) -> list[int]:
    """Return how many subspaces are drawn from each frame."""
    whole, rest = divmod(draws, PER_FRAME)
    return [PER_FRAME] * whole + [rest] * bool(rest)
