"""As many null directions of one head as another has: those that hold most of given features.

Of all k-dimensional parts of a null space, the one spanned by the k largest eigenvectors of the
null parts' second moment is where removing it comes nearest to removing all of it (Eckart and
Young; the mean is not taken away, as null removal takes it too). So the cut is generous to the
larger null space: what is not found there is hardly to be found in other k directions of it.

Directions that were chosen by the features are no fair match for directions that were not. So the
controls of a cut null space are random subspaces of its full dimension, cut in the same way.
"""

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.controls import (
    PER_FRAME,
    SEEDS,
    RandomSubspaces,
    choices,
    random_basis,
)
from sing_core.maths.head import HeadDecomposition, orthogonal_complement
from sing_core.maths.translator import Translator


def largest_null_directions(head: HeadDecomposition, moment: Tensor, dimension: int) -> Tensor:
    """Return ``(m, dimension)`` orthonormal columns of the null space, float64, the longest first.

    ``moment`` ``(m, m)`` is the sum, or mean, of ``f f^T`` over the features.

    Raises:
        ShapeError: the null space has fewer dimensions, or ``moment`` is of another width.
    """
    return _largest(head.null_basis, moment, dimension)


def cut_controls(
    head: HeadDecomposition, moment: Tensor, dimension: int, translator: Translator
) -> RandomSubspaces:
    """Return random subspaces as large as the null space, each cut as that is.

    Raises:
        ShapeError: see ``largest_null_directions``; or the translator is of another width.
    """
    m = len(head.principal_basis)
    _check(m, head.nullity, moment, dimension)
    bases = []
    for seed in SEEDS:
        frame = random_basis(m, m, seed, torch.float32)
        turned = frame.mT @ (moment / moment.abs().max().clamp_min(1e-300)).float() @ frame
        for subset in choices(m, head.nullity, PER_FRAME, seed):
            inside = turned[subset][:, subset]
            bases.append(frame[:, subset] @ _leading(inside, dimension))
    return RandomSubspaces.of(bases, translator)


def _largest(basis: Tensor, moment: Tensor, dimension: int) -> Tensor:
    """Return the ``dimension`` directions inside ``basis`` ``(m, n)`` along which features lie."""
    m, n = basis.shape
    _check(m, n, moment, dimension)
    largest: Tensor = basis @ _leading(basis.mT @ moment.double() @ basis, dimension)
    return largest


def _check(m: int, n: int, moment: Tensor, dimension: int) -> None:
    if not 0 < dimension <= n:
        raise ShapeError(f"{dimension} of {n} null directions cannot be kept.")
    if moment.shape != (m, m):
        raise ShapeError(f"The moments of {m} features are square: {tuple(moment.shape)}.")


def _leading(moment: Tensor, dimension: int) -> Tensor:
    """Return the eigenvectors ``(n, dimension)`` of a moment ``(n, n)``, the largest first."""
    _, vectors = torch.linalg.eigh((moment + moment.mT) / 2)
    leading: Tensor = vectors.flip(-1)[:, :dimension]
    return leading


def cut_to(head: HeadDecomposition, directions: Tensor) -> HeadDecomposition:
    """Return the split whose null space is ``directions`` ``(m, k)``, orthonormal columns, alone.

    The null directions that are left out count as read: they stay in a feature.
    """
    kept = orthogonal_complement(directions.double())
    return HeadDecomposition(kept, head.singular_values, head.rtol, head.rounding)
