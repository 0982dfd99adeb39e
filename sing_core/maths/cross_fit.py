"""Cross-fitted translators: every image is scored by a fit that never saw its photograph (eq. 4).

Images are put into K folds by photograph. The moments of all folds add up to those of the set, so
the fit without a fold comes from a subtraction: no Gram matrix is made twice. One rule chooses
lambda everywhere, as a share of the features' mean eigenvalue: the smallest mean squared error on a
fold that took no part in that fit. Folds choose for each other in pairs: the lambda of the fit
without fold k is chosen on fold k's partner by fits without both, so nothing of fold k has a say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.folds import FOLDS, Folds, check_folds
from sing_core.maths.ridge import SHARES, Basis, Moments, fit_from_moments, lambdas_around
from sing_core.maths.translator import Translator

FEWEST_FOLDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class CrossFit:
    """One translator a fold, and one of everything.

    Attributes:
        translators: ``K`` fits, the k-th without fold k; where nothing is in it, of everything.
        whole: the fit of all folds, for images that are in none.
        means: ``K`` mean features ``(m,)`` of what the fits were made from.
        shares: the k-th lambda, as a share of the mean eigenvalue of the moments it was fitted on.
    """

    translators: tuple[Translator, ...]
    whole: Translator
    means: tuple[Tensor, ...]
    shares: tuple[float, ...]

    def apply(self, features: Tensor, folds: Tensor) -> Tensor:
        """Return ``(n, d)`` float64: each of ``features`` ``(n, m)`` by the fit without its fold.

        ``folds`` ``(n,)`` whole numbers from 0 to K - 1.

        Raises:
            ShapeError: there is no such fold, or not one fold a row.
        """
        check_folds(folds, features, len(self.translators))
        out = features.new_zeros(len(features), len(self.whole.bias), dtype=torch.float64)
        for fold, translator in enumerate(self.translators):
            rows = folds == fold
            out[rows] = translator.apply(features[rows])
        return out

    def translator(self, digests: Iterable[str]) -> Translator:
        """Return the whole fit, float32, with the others as stand-ins for the images fitted.

        ``digests`` are of the files of all images that any fold holds.
        """
        weights = [fit.weight for fit in self.translators]
        biases = [fit.bias for fit in self.translators]
        folds = Folds.of(weights, biases, self.means, digests)
        weight, bias = self.whole.weight.float(), self.whole.bias.float()
        details = self.whole.details | {"shares": ",".join(map(repr, self.shares))}
        return replace(self.whole, weight=weight, bias=bias, folds=folds, details=details)


def moments_by_fold(
    features: Tensor, embeddings: Tensor, folds: Tensor, count: int = FOLDS
) -> tuple[Moments | None, ...]:
    """Return the moments of the rows of each of ``count`` folds, None where there is none.

    ``features`` ``(n, m)``, ``embeddings`` ``(n, d)``, ``folds`` ``(n,)``.

    Raises:
        ShapeError: shapes do not agree.
    """
    inside = [folds == fold for fold in range(count)]
    return tuple(
        Moments.of(features[rows], embeddings[rows]) if bool(rows.any()) else None
        for rows in inside
    )


def cross_fit(folds: Sequence[Moments | None]) -> CrossFit:
    """Fit one ridge translator without each of ``folds``, and one of all.

    A fold that is None holds nothing.

    Raises:
        ShapeError: fewer than three folds hold something, or their widths differ.
        UnsupportedImageError: the classifier sees no difference between the images.
    """
    held = _held(folds)
    total = reduce(Moments.merge, held)
    without = [total.without(fold) for fold in held]
    errors = _errors_of_all(held, without)
    shares = [_best(found) for found in errors]
    whole = _fit(total, _best(torch.tensor(errors).sum(dim=0).tolist()))
    fits = [_fit(rest, share) for rest, share in zip(without, shares, strict=True)]
    found = iter(zip(fits, (rest.feature_mean for rest in without), shares, strict=True))
    everything = whole, total.feature_mean, shares[0]
    fitted = [everything if fold is None else next(found) for fold in folds]
    return CrossFit(
        tuple(fit for fit, _, _ in fitted),
        whole,
        tuple(mean for _, mean, _ in fitted),
        tuple(share for _, _, share in fitted),
    )


def fit_without(folds: Sequence[Moments], fold: int) -> tuple[Translator, float]:
    """Return the one translator of ``cross_fit`` that did not see ``fold``, and its share.

    Raises:
        ShapeError: there are fewer than three folds, or their widths differ.
        UnsupportedImageError: the classifier sees no difference between the images.
    """
    held = _held(folds)
    partner = held[partner_of(fold, len(held))]
    rest = reduce(Moments.merge, held).without(held[fold])
    basis, alphas = _diagonalised(rest.without(partner))
    share = _best(basis.errors(partner, alphas))
    return _fit(rest, share), share


def _held(folds: Sequence[Moments | None]) -> list[Moments]:
    held = [fold for fold in folds if fold is not None]
    if len(held) < FEWEST_FOLDS:
        raise ShapeError(f"Cross-fitting needs at least three folds, got {len(held)}.")
    return held


def _best(errors: Sequence[float]) -> float:
    return SHARES[min(range(len(SHARES)), key=errors.__getitem__)]


def _fit(moments: Moments, share: float) -> Translator:
    alpha = share * moments.mean_eigenvalue
    details = {"lambda": repr(alpha), "share": repr(share)}
    return replace(fit_from_moments(moments, alpha), details=details)


def partner_of(fold: int, count: int) -> int:
    """Return the fold on which the lambda of the fit without ``fold`` is chosen."""
    other = fold ^ 1
    return other if other < count else 0


def _errors_of_all(folds: Sequence[Moments], without: Sequence[Moments]) -> list[list[float]]:
    """Return for every fold the errors on its partner; a pair shares one factorisation."""
    known: dict[frozenset[int], tuple[Basis, tuple[float, ...]]] = {}
    found = []
    for fold in range(len(folds)):
        partner = partner_of(fold, len(folds))
        pair = frozenset((fold, partner))
        if pair not in known:
            known[pair] = _diagonalised(without[fold].without(folds[partner]))
        basis, alphas = known[pair]
        found.append(basis.errors(folds[partner], alphas))
    return found


def _diagonalised(fitting: Moments) -> tuple[Basis, tuple[float, ...]]:
    """Return the basis in which a lambda is judged, and the lambdas at ``SHARES``.

    A choice among steps of a factor of three can afford single precision; the fits are made in
    double.
    """
    return Basis.of(fitting, torch.float32), lambdas_around(fitting.mean_eigenvalue)
