"""Cross-fitted translators: every image is scored by a fit that never saw its photograph (eq. 4).

Images are put into K folds by photograph. The moments of all folds add up to those of the set, so
the fit without a fold comes from a subtraction: no Gram matrix is made twice. One rule chooses
lambda everywhere, as a share of the features' mean eigenvalue: the smallest mean squared error on a
fold that took no part in that fit. Folds choose for each other in pairs: the lambda of the fit
without fold k is chosen on fold k's partner by fits without both, so nothing of fold k has a say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.fitting import SHARES, lambdas_around
from sing_core.maths.ridge import Moments, fit_from_moments
from sing_core.maths.translator import Translator

FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class CrossFit:
    """One translator a fold, and one of everything.

    Attributes:
        translators: ``K`` fits, the k-th without fold k.
        whole: the fit of all folds, for images that are in none.
        shares: the k-th lambda, as a share of the mean eigenvalue of the moments it was fitted on.
        mse: ``K`` mean squared errors per entry, of the k-th fit on fold k.
    """

    translators: tuple[Translator, ...]
    whole: Translator
    shares: tuple[float, ...]
    mse: tuple[float, ...]

    def apply(self, features: Tensor, folds: Tensor) -> Tensor:
        """Return ``(n, d)`` float64: each of ``features`` ``(n, m)`` by the fit without its fold.

        ``folds`` ``(n,)`` whole numbers from 0 to K - 1.

        Raises:
            ShapeError: there is no such fold, or not one fold a row.
        """
        count = len(self.translators)
        if folds.shape != features.shape[:1] or bool(((folds < 0) | (folds >= count)).any()):
            raise ShapeError(f"Every row has a fold from 0 to {count - 1}, got {folds.shape}.")
        out = features.new_zeros(len(features), len(self.whole.bias), dtype=torch.float64)
        for fold, translator in enumerate(self.translators):
            rows = folds == fold
            out[rows] = translator.apply(features[rows])
        return out


def fold_of(digest: str, count: int = FOLDS) -> int:
    """Return the fold of a photograph by the digest of its file: all its views lie in one."""
    return int(digest[:8], 16) % count


def cross_fit(folds: Sequence[Moments]) -> CrossFit:
    """Fit one ridge translator without each of ``folds``, and one of all.

    Raises:
        ShapeError: there are fewer than three folds, or their widths differ.
        UnsupportedImageError: the classifier sees no difference between the images.
    """
    if len(folds) < 3:
        raise ShapeError(f"Cross-fitting needs at least three folds, got {len(folds)}.")
    total = reduce(Moments.merge, folds)
    without = [total.without(fold) for fold in folds]
    errors = _errors_of_all(folds, without)
    shares = [SHARES[min(range(len(SHARES)), key=found.__getitem__)] for found in errors]
    together = torch.tensor(errors).sum(dim=0)
    fits = tuple(_fit(rest, share) for rest, share in zip(without, shares, strict=True))
    return CrossFit(
        fits,
        _fit(total, SHARES[int(together.argmin())]),
        tuple(shares),
        tuple(fold.mse(fit) for fold, fit in zip(folds, fits, strict=True)),
    )


def _fit(moments: Moments, share: float) -> Translator:
    alpha = share * moments.mean_eigenvalue
    return replace(fit_from_moments(moments, alpha), details={"lambda": repr(alpha)})


def partner_of(fold: int, count: int = FOLDS) -> int:
    """Return the fold on which the lambda of the fit without ``fold`` is chosen."""
    other = fold ^ 1
    return other if other < count else 0


def _errors_of_all(folds: Sequence[Moments], without: Sequence[Moments]) -> list[list[float]]:
    """Return for every fold the errors on its partner; a pair shares one factorisation."""
    known: dict[frozenset[int], _Basis] = {}
    found = []
    for fold in range(len(folds)):
        partner = partner_of(fold, len(folds))
        pair = frozenset((fold, partner))
        if pair not in known:
            known[pair] = _Basis.of(without[fold].without(folds[partner]))
        found.append(known[pair].errors(folds[partner]))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Basis:
    """Moments of a fit in the eigenbasis of their features, float32.

    A choice among steps of a factor of three can afford it; the fits are made in float64.
    """

    fitting: Moments
    values: Tensor  # (m,) eigenvalues of X^T X
    vectors: Tensor  # (m, m)
    rotated: Tensor  # (m, d) = vectors^T X^T Y

    @classmethod
    def of(cls, fitting: Moments) -> Self:
        values, vectors = torch.linalg.eigh(fitting.xx.float())
        return cls(fitting, values.clamp_min(0), vectors, vectors.mT @ fitting.xy.float())

    def errors(self, choosing: Moments) -> list[float]:
        """Return the mean squared error on ``choosing`` of the fit at each of ``SHARES``."""
        spread = self.vectors.mT @ choosing.xx.float() @ self.vectors
        cross = self.vectors.mT @ choosing.xy.float()
        shift = self.vectors.mT @ (choosing.feature_mean - self.fitting.feature_mean).float()
        gap = (self.fitting.embedding_mean - choosing.embedding_mean).float()
        found = []
        for alpha in lambdas_around(self.fitting.mean_eigenvalue):
            fit = self.rotated / (self.values + alpha)[:, None]
            inside = float((fit * (spread @ fit - 2 * cross)).sum()) + choosing.yy
            offset = float((shift @ fit + gap).square().sum())
            found.append((inside / choosing.weight + offset) / len(gap))
        return found
