"""Translators: affine maps from classifier features to image-text embeddings (eq. 4).

``T(f) = A f + b`` by closed-form ridge regression with a fitted intercept. Embeddings are raw,
never normalised before a fit: a translator keeps their length as well as their direction.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from sing_core.errors import ShapeError, StaleArtefactError, TranslatorMismatchError
from sing_core.feature_map import cosine_to

_FORMAT = "sing-translator-1"


@dataclass(frozen=True, slots=True, eq=False)
class Translator:
    """Affine map ``T(f) = f @ weight.T + bias`` from ``m`` features to ``d`` embedding dimensions.

    Attributes:
        weight: ``(d, m)``; the linear part, by which shifts and gradients travel.
        bias: ``(d,)``.
        model: name of the classifier whose features it takes.
        model_digest: digest of that classifier's weights (``Backbone.weights_digest``); "" where
            an imported file does not say.
        space_id: the image-text space it leads into; dimensions alone never decide.
        details: further facts for the card (lambda, data, measures), as text.
    """

    weight: Tensor
    bias: Tensor
    model: str = ""
    model_digest: str = ""
    space_id: str = ""
    details: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the shapes once, at the boundary.

        Raises:
            ShapeError: ``weight`` and ``bias`` do not belong together.
        """
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[:1]:
            raise ShapeError(
                f"A translator is weight (d, m) and bias (d,), got {tuple(self.weight.shape)} "
                f"and {tuple(self.bias.shape)}."
            )

    def apply(self, features: Tensor) -> Tensor:
        """Return ``T(f)`` of shape ``(..., d)`` in float64 for ``features`` ``(..., m)``.

        Raises:
            ShapeError: the last dimension is not m.
        """
        return self.linear(features) + self.bias.double()

    def linear(self, shifts: Tensor) -> Tensor:
        """Return ``A v`` of shape ``(..., d)`` in float64: what ``T(f + v) - T(f)`` is.

        Raises:
            ShapeError: the last dimension is not m.
        """
        if shifts.ndim == 0 or shifts.shape[-1] != self.weight.shape[1]:
            raise ShapeError(
                f"This translator takes {self.weight.shape[1]} features, got {tuple(shifts.shape)}."
            )
        return shifts.double() @ self.weight.double().mT

    def similarity_gradient(self, features: Tensor, text: Tensor) -> Tensor:
        """Return the gradient of ``cos(T(f), text)`` (eqs. 10 and 11) in closed form.

        ``features`` ``(..., m)``, ``text`` ``(d,)``; result ``(..., m)`` float64:
        ``A^T (t - s z_hat) / |z|`` with ``z = T(f)`` and unit vectors ``t`` and ``z_hat``.

        Raises:
            ShapeError: widths do not agree.
            ZeroVectorError: ``T(f)`` or ``text`` is zero.
        """
        z = self.apply(features)
        s = cosine_to(z, text)[..., None]
        length = torch.linalg.vector_norm(z, dim=-1, keepdim=True)
        t_hat = text.double() / torch.linalg.vector_norm(text.double())
        gradient: Tensor = ((t_hat - s * z / length) / length) @ self.weight.double()
        return gradient

    def check_belongs(self, *, model: str, model_digest: str, space_id: str) -> None:
        """Refuse to serve another model, other weights (where they are known) or another space.

        Raises:
            TranslatorMismatchError: one of the three differs; the message says which.
        """
        pairs = (
            ("model", self.model, model),
            ("weights", self.model_digest or model_digest, model_digest),
            ("image-text space", self.space_id, space_id),
        )
        for what, own, asked in pairs:
            if own != asked:
                raise TranslatorMismatchError(
                    f"This translator was fitted for the {what} “{own}”, not for “{asked}”."
                )

    def save(self, path: Path) -> None:
        """Write the translator as one safetensors file with its facts as metadata."""
        facts = {"format": _FORMAT, "model": self.model, "model_digest": self.model_digest}
        facts |= {"space_id": self.space_id, **{f"detail.{k}": v for k, v in self.details.items()}}
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        tensors = {"weight": self.weight.contiguous(), "bias": self.bias.contiguous()}
        facts["sha256"] = _digest_of(tensors)
        save_file(tensors, partial, metadata=facts)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what ``save`` wrote.

        Raises:
            StaleArtefactError: there is no such file, it is damaged, changed or no translator.
            ShapeError: its tensors do not belong together.
        """
        try:
            with safe_open(path, framework="pt") as file:
                facts = file.metadata() or {}
                tensors = {key: file.get_tensor(key) for key in ("weight", "bias")}
        except (OSError, SafetensorError) as error:
            raise StaleArtefactError(f"The translator file {path.name} cannot be read.") from error
        if facts.get("format") != _FORMAT:
            raise StaleArtefactError(f"{path.name} is not a translator of format {_FORMAT}.")
        if facts.get("sha256", _digest_of(tensors)) != _digest_of(tensors):
            raise StaleArtefactError(f"The numbers in {path.name} are not those that were saved.")
        details = {
            k.removeprefix("detail."): v for k, v in facts.items() if k.startswith("detail.")
        }
        return cls(
            **tensors,
            model=facts.get("model", ""),
            model_digest=facts.get("model_digest", ""),
            space_id=facts.get("space_id", ""),
            details=details,
        )


def _digest_of(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name in ("weight", "bias"):
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class RidgePath:
    """One ridge fit per lambda, all from a single factorisation, judged on held-out rows.

    Attributes:
        alphas: the lambdas asked for, in the order given.
        mse: mean squared error per entry on the held-out rows, one per lambda.
        cosine: mean cosine between translated and true embedding there, one per lambda.
        best_alpha: the lambda of the largest held-out cosine.
        translator: the fit at ``best_alpha``.
    """

    alphas: tuple[float, ...]
    mse: tuple[float, ...]
    cosine: tuple[float, ...]
    best_alpha: float
    translator: Translator


@dataclass(frozen=True, slots=True, eq=False)
class _Normal:
    """Centred, weighted normal equations ``(X^T S X + alpha) A = X^T S Y``, diagonalised once."""

    values: Tensor  # (m,) eigenvalues of X^T S X
    vectors: Tensor  # (m, m)
    rotated: Tensor  # (m, d) = vectors^T X^T S Y
    feature_mean: Tensor  # (m,)
    embedding_mean: Tensor  # (d,)

    @classmethod
    def of(cls, features: Tensor, embeddings: Tensor, weights: Tensor | None) -> Self:
        x, y = _pair(features, embeddings)
        share = torch.ones(len(x), dtype=torch.float64) if weights is None else weights.double()
        if share.shape != (len(x),) or bool((share < 0).any()) or float(share.sum()) <= 0:
            raise ShapeError("Row weights are one non-negative number per row, not all zero.")
        x_mean, y_mean = (share @ x) / share.sum(), (share @ y) / share.sum()
        root = share.sqrt()[:, None]
        x, y = (x - x_mean) * root, (y - y_mean) * root
        values, vectors = torch.linalg.eigh(x.mT @ x)
        return cls(values.clamp_min(0), vectors, vectors.mT @ (x.mT @ y), x_mean, y_mean)

    def coefficients(self, alpha: float) -> Tensor:
        """Return the ``(m, d)`` ridge coefficients in the rotated basis."""
        if not alpha >= 0:
            raise ShapeError(f"Lambda must not be negative, got {alpha}.")
        shrunk = self.values + alpha
        return torch.where(shrunk > 0, 1 / shrunk, 0.0)[:, None] * self.rotated

    def translator(self, alpha: float) -> Translator:
        weight = (self.vectors @ self.coefficients(alpha)).mT
        bias = self.embedding_mean - weight @ self.feature_mean
        return Translator(weight.contiguous(), bias)


def _pair(features: Tensor, embeddings: Tensor) -> tuple[Tensor, Tensor]:
    if features.ndim != 2 or embeddings.ndim != 2 or len(features) != len(embeddings):
        raise ShapeError(
            f"A fit needs features (n, m) and embeddings (n, d), got {tuple(features.shape)} "
            f"and {tuple(embeddings.shape)}."
        )
    if len(features) < 2:
        raise ShapeError("A fit needs at least two rows.")
    return features.double(), embeddings.double()


def fit_ridge(
    features: Tensor, embeddings: Tensor, *, alpha: float, weights: Tensor | None = None
) -> Translator:
    """Return the ridge translator ``argmin sum_i s_i |A f_i + b - z_i|^2 + alpha |A|^2`` (eq. 4).

    ``features`` ``(n, m)``, ``embeddings`` ``(n, d)``, optional row weights s ``(n,)``; the
    intercept is not penalised. Computed in float64.

    Raises:
        ShapeError: shapes do not agree, fewer than two rows, or a negative ``alpha`` or weight.
    """
    return _Normal.of(features, embeddings, weights).translator(alpha)


def fit_ridge_path(
    features: Tensor,
    embeddings: Tensor,
    held_out_features: Tensor,
    held_out_embeddings: Tensor,
    *,
    alphas: Sequence[float],
    weights: Tensor | None = None,
) -> RidgePath:
    """Fit one ridge translator per lambda from a single factorisation and keep the best.

    ``features`` ``(n, m)`` and ``embeddings`` ``(n, d)`` are fitted; the held-out pair of the
    same widths chooses the lambda by mean cosine.

    Raises:
        ShapeError: shapes do not agree, no lambda is given, or one is negative.
    """
    if not alphas:
        raise ShapeError("A ridge path needs at least one lambda.")
    normal = _Normal.of(features, embeddings, weights)
    x, y = _pair(held_out_features, held_out_embeddings)
    rotated = (x - normal.feature_mean) @ normal.vectors  # (n_held_out, m)
    mse, cosine = [], []
    for alpha in alphas:
        guess = rotated @ normal.coefficients(alpha) + normal.embedding_mean
        mse.append(float((guess - y).square().mean()))
        cosine.append(float(torch.cosine_similarity(guess, y, dim=-1).mean()))
    best = float(alphas[max(range(len(alphas)), key=cosine.__getitem__)])
    fitted = replace(normal.translator(best), details={"lambda": repr(best)})
    return RidgePath(tuple(alphas), tuple(mse), tuple(cosine), best, fitted)
