"""Other penalties of a ridge translator, from the translator alone.

``A_l = X^T Z (G + l I)^-1`` with the features' scatter ``G``, so that
``A_k = A_l (G + l I)(G + k I)^-1``: no embedding is needed again. ``G`` is diagonalised once, for
every penalty and every translator.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.folds import OUTSIDE
from sing_core.maths.translator import Translator


@dataclass(frozen=True, slots=True, eq=False)
class Scatter:
    """The sum of ``(f - mean)(f - mean)^T`` over the images of a fit, diagonalised.

    Attributes:
        mean: ``(m,)`` float64.
        values: ``(m,)`` float64 eigenvalues; ``vectors`` ``(m, m)`` float32, in its columns.
    """

    mean: Tensor
    values: Tensor
    vectors: Tensor

    @classmethod
    def of(cls, mean: Tensor, scatter: Tensor) -> Self:
        """Diagonalise ``scatter (m, m)`` around ``mean (m,)``.

        Raises:
            ShapeError: the scatter is not square.
        """
        if scatter.ndim != 2 or scatter.shape[0] != scatter.shape[1]:
            raise ShapeError(f"A scatter is (m, m), got {tuple(scatter.shape)}.")
        values, vectors = torch.linalg.eigh(scatter.double())
        return cls(mean.double(), values.clamp_min(0), vectors.float())

    @classmethod
    def of_rows(cls, features: Tensor) -> Self:
        """Diagonalise the scatter of ``features (n, m)``."""
        rows = features.double()
        mean = rows.mean(dim=0)
        centred = (rows - mean).float()
        return cls.of(mean, centred.mT @ centred)

    @property
    def mean_eigenvalue(self) -> float:
        """What penalties are shares of."""
        return float(self.values.mean())

    def turned(self, rows: Tensor) -> Tensor:
        """Return features, or a weight for features that are turned, ``(n, m)`` float32.

        In the coordinates of the vectors.
        """
        return rows.float() @ self.vectors

    def repenalised(
        self, turned: Tensor, bias: Tensor, penalty: float, wanted: float
    ) -> tuple[Tensor, Tensor]:
        """Return ``turned`` weight ``(d, m)`` and bias ``(d,)`` of the fit with another penalty.

        The intercept is not penalised: what the mean feature is translated to stays.

        Raises:
            ShapeError: a penalty is not positive.
        """
        if not (penalty > 0 and wanted > 0):
            raise ShapeError(f"Penalties are positive, got {penalty} and {wanted}.")
        factors = (self.values + penalty) / (self.values + wanted)
        mean = self.mean @ self.vectors.double()
        moved = turned.double() @ ((1 - factors) * mean)
        return turned * factors.float(), (bias.double() + moved).float()


def penalty_shares(translator: Translator) -> dict[int, float]:
    """Return of each stand-in, and under ``OUTSIDE`` of the whole fit, its penalty.

    As a share of the mean eigenvalue of the scatter that it was fitted on: the number of rows of
    the fit, and what each weighed, need not be known. Empty where the translator says none.
    """
    noted = translator.details
    try:
        own = {OUTSIDE: float(noted["share"])}
        return own | dict(enumerate(map(float, filter(None, noted.get("shares", "").split(",")))))
    except (KeyError, ValueError):
        return {}
