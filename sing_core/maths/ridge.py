"""Ridge translators in closed form (eq. 4), from rows or from statistics that add up.

``T(f) = A f + b`` with an intercept that is not penalised. All that a fit needs to know of its rows
is in their ``Moments``, and moments of parts of a set merge into those of the whole: a set that no
memory holds, or that lies on many machines, is fitted from parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import ShapeError, UnsupportedImageError
from sing_core.maths.translator import Translator

# Lambdas as shares of the features' mean eigenvalue: the path means the same for every classifier.
SHARES: tuple[float, ...] = tuple(10.0 ** (power / 2) for power in range(-12, 5))


def lambdas_around(eigenvalue: float) -> tuple[float, ...]:
    """Return the lambdas to try where ``X^T X`` has this mean eigenvalue.

    Raises:
        UnsupportedImageError: it is 0: all rows are equal.
    """
    if not eigenvalue > 0:
        raise UnsupportedImageError("The classifier sees no difference between these images.")
    return tuple(eigenvalue * share for share in SHARES)


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Weighted first and centred second moments of ``n`` features and embeddings, float64.

    Attributes:
        weight: sum of the rows' weights; the number of rows where all weigh 1.
        feature_mean: ``(m,)``; ``embedding_mean`` ``(d,)``.
        xx: ``(m, m)`` sum of ``(f - mean)(f - mean)^T``.
        xy: ``(m, d)`` sum of ``(f - mean)(z - mean)^T``.
        yy: sum of ``|z - mean|^2``.
    """

    weight: float
    feature_mean: Tensor
    embedding_mean: Tensor
    xx: Tensor
    xy: Tensor
    yy: float

    @classmethod
    def of(cls, features: Tensor, embeddings: Tensor, weights: Tensor | None = None) -> Self:
        """Return the moments of ``features`` ``(n, m)`` and ``embeddings`` ``(n, d)``.

        ``weights`` ``(n,)`` None: every row weighs 1.

        Raises:
            ShapeError: shapes do not agree, there is no row, or a weight is negative.
        """
        x, y = _pair(features, embeddings)
        share = torch.ones(len(x), dtype=torch.float64) if weights is None else weights.double()
        if share.shape != (len(x),) or bool((share < 0).any()) or float(share.sum()) <= 0:
            raise ShapeError("Row weights are one non-negative number per row, not all zero.")
        x_mean, y_mean = (share @ x) / share.sum(), (share @ y) / share.sum()
        root = share.sqrt()[:, None]
        x, y = (x - x_mean) * root, (y - y_mean) * root
        return cls(float(share.sum()), x_mean, y_mean, x.mT @ x, x.mT @ y, float(y.square().sum()))

    def merge(self, other: "Moments") -> "Moments":
        """Return the moments of both sets of rows together (Chan, Golub and LeVeque, 1983).

        Raises:
            ShapeError: the other's widths differ.
        """
        if other.xy.shape != self.xy.shape:
            raise ShapeError(
                f"Moments of {tuple(self.xy.shape)} and {tuple(other.xy.shape)} do not merge."
            )
        total = self.weight + other.weight
        share, apart = other.weight / total, self.weight * other.weight / total
        x, y = other.feature_mean - self.feature_mean, other.embedding_mean - self.embedding_mean
        return Moments(
            total,
            self.feature_mean + share * x,
            self.embedding_mean + share * y,
            self.xx + other.xx + apart * torch.outer(x, x),
            self.xy + other.xy + apart * torch.outer(x, y),
            self.yy + other.yy + apart * float(y.square().sum()),
        )

    def without(self, part: "Moments") -> "Moments":
        """Return the moments of these rows less those of ``part``, which must be among them.

        Raises:
            ShapeError: the part's widths differ, or nothing is left.
        """
        if part.xy.shape != self.xy.shape or not part.weight < self.weight:
            raise ShapeError(
                f"Of moments of {tuple(self.xy.shape)} and weight {self.weight:g} none of "
                f"{tuple(part.xy.shape)} and weight {part.weight:g} can be taken away."
            )
        left = self.weight - part.weight
        share, apart = part.weight / left, part.weight * self.weight / left
        x, y = part.feature_mean - self.feature_mean, part.embedding_mean - self.embedding_mean
        return Moments(
            left,
            self.feature_mean - share * x,
            self.embedding_mean - share * y,
            self.xx - part.xx - apart * torch.outer(x, x),
            self.xy - part.xy - apart * torch.outer(x, y),
            self.yy - part.yy - apart * float(y.square().sum()),
        )

    def within(self, basis: Tensor) -> "Moments":
        """Return the moments of the features' coordinates in ``basis`` ``(m, k)``, ``k`` of them.

        Raises:
            ShapeError: the basis is of another width.
        """
        if basis.ndim != 2 or len(basis) != len(self.xx):
            raise ShapeError(f"A basis is ({len(self.xx)}, k), got {tuple(basis.shape)}.")
        wide = basis.double()
        xx = wide.mT @ self.xx @ wide
        return replace(self, feature_mean=self.feature_mean @ wide, xx=xx, xy=wide.mT @ self.xy)

    @property
    def mean_eigenvalue(self) -> float:
        """Mean eigenvalue of ``xx``: the scale by which a lambda can be judged."""
        return float(self.xx.diagonal().mean())

    def mse(self, translator: Translator) -> float:
        """Return the mean squared error per entry of ``translator`` over these rows."""
        matrix = translator.weight.double()
        offset = matrix @ self.feature_mean + translator.bias.double() - self.embedding_mean
        spread = (matrix * (matrix @ self.xx - 2 * self.xy.mT)).sum() + self.yy
        error = float(spread) / self.weight + float(offset.square().sum())
        return error / len(self.embedding_mean)

    def r_squared(self, translator: Translator) -> float:
        """Return the share of the embeddings' variance, over all entries, that it explains."""
        return 1 - self.mse(translator) * len(self.embedding_mean) * self.weight / self.yy


@dataclass(frozen=True, slots=True, eq=False)
class RidgePath:
    """One ridge fit per lambda, all from a single factorisation, judged on other rows.

    Attributes:
        alphas: the lambdas asked for, in the order given.
        mse: mean squared error per entry on the other rows, one per lambda.
        best_alpha: the lambda of the smallest.
        translator: the fit at ``best_alpha``.
    """

    alphas: tuple[float, ...]
    mse: tuple[float, ...]
    best_alpha: float
    translator: Translator


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Normal equations ``(X^T S X + alpha) A = X^T S Y`` of moments, diagonalised once.

    Attributes:
        values: ``(m,)`` eigenvalues of ``X^T S X``; ``vectors`` ``(m, m)`` in its columns.
        rotated: ``(m, d)`` = ``vectors^T X^T S Y``.
        feature_mean: ``(m,)``; ``embedding_mean`` ``(d,)``.
    """

    values: Tensor
    vectors: Tensor
    rotated: Tensor
    feature_mean: Tensor
    embedding_mean: Tensor

    @classmethod
    def of(cls, moments: Moments, dtype: torch.dtype = torch.float64) -> Self:
        """Diagonalise ``moments``; single precision, where it converges, is enough for a choice."""
        try:
            values, vectors = torch.linalg.eigh(moments.xx.to(dtype))
        except torch.linalg.LinAlgError:  # fewer images than features: many eigenvalues are 0
            values, vectors = (part.to(dtype) for part in torch.linalg.eigh(moments.xx))
        rotated = vectors.mT @ moments.xy.to(dtype)
        means = moments.feature_mean.to(dtype), moments.embedding_mean.to(dtype)
        return cls(values.clamp_min(0), vectors, rotated, *means)

    def shrunk(self, alpha: float) -> Tensor:
        """Return ``(m,)`` the factors on ``rotated`` at ``alpha``.

        Raises:
            ShapeError: ``alpha`` is negative.
        """
        if not alpha >= 0:
            raise ShapeError(f"Lambda must not be negative, got {alpha}.")
        inverse = self.values + alpha
        return torch.where(inverse > 0, 1 / inverse, 0.0)

    def translator(self, alpha: float) -> Translator:
        """Return the fit at ``alpha``."""
        weight = (self.vectors @ (self.shrunk(alpha)[:, None] * self.rotated)).mT
        bias = self.embedding_mean - weight @ self.feature_mean
        return Translator(weight.contiguous(), bias)

    def errors(self, choosing: Moments, alphas: Sequence[float]) -> list[float]:
        """Return the mean squared error on ``choosing`` of the fit at each of ``alphas``.

        ``tr(B^T D S D B) = d^T (S * B B^T) d`` for the diagonal d of D: after two products, a
        lambda costs no more than its d.
        """
        dtype = self.rotated.dtype
        spread = self.vectors.mT @ choosing.xx.to(dtype) @ self.vectors
        squared = (spread * (self.rotated @ self.rotated.mT)).double()
        crossed = (self.rotated * (self.vectors.mT @ choosing.xy.to(dtype))).sum(dim=1).double()
        shift = self.vectors.mT @ (choosing.feature_mean.to(dtype) - self.feature_mean)
        gap = self.embedding_mean - choosing.embedding_mean.to(dtype)
        found = []
        for alpha in alphas:
            d = self.shrunk(alpha)
            inside = float(d.double() @ squared @ d.double() - 2 * (d.double() @ crossed))
            offset = float(((shift * d) @ self.rotated + gap).square().sum())
            found.append(((inside + choosing.yy) / choosing.weight + offset) / len(gap))
        return found


def _pair(features: Tensor, embeddings: Tensor) -> tuple[Tensor, Tensor]:
    if features.ndim != 2 or embeddings.ndim != 2 or len(features) != len(embeddings):
        raise ShapeError(
            f"A fit needs features (n, m) and embeddings (n, d), got {tuple(features.shape)} "
            f"and {tuple(embeddings.shape)}."
        )
    if not len(features):
        raise ShapeError("A fit needs rows.")
    return features.double(), embeddings.double()


def _moments(features: Tensor, embeddings: Tensor, weights: Tensor | None) -> Moments:
    if len(features) < 2:
        raise ShapeError("A fit needs at least two rows.")
    return Moments.of(features, embeddings, weights)


def fit_ridge(
    features: Tensor, embeddings: Tensor, *, alpha: float, weights: Tensor | None = None
) -> Translator:
    """Return the ridge translator ``argmin sum_i s_i |A f_i + b - z_i|^2 + alpha |A|^2`` (eq. 4).

    ``features`` ``(n, m)``, ``embeddings`` ``(n, d)``, optional row weights s ``(n,)``; the
    intercept is not penalised. Computed in float64.

    Raises:
        ShapeError: shapes do not agree, fewer than two rows, or a negative ``alpha`` or weight.
    """
    return Basis.of(_moments(features, embeddings, weights)).translator(alpha)


def fit_from_moments(moments: Moments, alpha: float) -> Translator:
    """Return the ridge translator of eq. 4 at one positive ``alpha``, by a Cholesky factor.

    Raises:
        ShapeError: ``alpha`` is not positive.
    """
    if not alpha > 0:
        raise ShapeError(f"A fit from moments needs a positive lambda, got {alpha}.")
    shifted = moments.xx + alpha * torch.eye(len(moments.xx), dtype=moments.xx.dtype)
    weight = torch.cholesky_solve(moments.xy, torch.linalg.cholesky(shifted)).mT.contiguous()
    return Translator(weight, moments.embedding_mean - weight @ moments.feature_mean)


def fit_path(fitting: Moments, choosing: Moments, *, alphas: Sequence[float]) -> RidgePath:
    """Fit one ridge translator per lambda from a single factorisation and keep the best.

    ``choosing`` are moments of other rows: the lambda of the smallest mean squared error there is
    taken (a cosine is no function of moments).

    Raises:
        ShapeError: no lambda is given, one is negative, or widths differ.
    """
    if not alphas:
        raise ShapeError("A ridge path needs at least one lambda.")
    if choosing.xy.shape != fitting.xy.shape:
        raise ShapeError(
            f"Moments of {tuple(fitting.xy.shape)} cannot be judged on ones of "
            f"{tuple(choosing.xy.shape)}."
        )
    basis = Basis.of(fitting)
    mse = basis.errors(choosing, alphas)
    best = float(alphas[min(range(len(alphas)), key=mse.__getitem__)])
    fitted = replace(basis.translator(best), details={"lambda": repr(best)})
    return RidgePath(tuple(alphas), tuple(mse), best, fitted)
