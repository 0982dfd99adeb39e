"""Other penalties of a ridge translator, from the translator alone.

``A_l = X^T Z (G + l I)^-1`` with the features' scatter ``G``, so that
``A_k = A_l (G + l I)(G + k I)^-1 = A_l (I + (l - k)(G + k I)^-1)``: no embedding is needed again.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from sing_core.errors import ShapeError
from sing_core.maths.folds import OUTSIDE
from sing_core.maths.translator import Translator


def other_penalty(scatter: Tensor, penalty: float, wanted: float) -> Tensor:
    """Return ``(m, m)`` float64: a weight fitted with ``penalty`` times it is that with ``wanted``.

    ``scatter`` ``(m, m)``: the sum of ``(f - mean)(f - mean)^T`` over the images of the fit.

    Raises:
        ShapeError: the scatter is not square, or a penalty not positive.
    """
    if scatter.ndim != 2 or scatter.shape[0] != scatter.shape[1]:
        raise ShapeError(f"A scatter is (m, m), got {tuple(scatter.shape)}.")
    if not (penalty > 0 and wanted > 0):
        raise ShapeError(f"Penalties are positive, got {penalty} and {wanted}.")
    shifted = scatter.double().clone()
    shifted.diagonal().add_(wanted)
    turn = (penalty - wanted) * torch.cholesky_inverse(torch.linalg.cholesky(shifted))
    turn.diagonal().add_(1.0)
    return turn


def mean_and_scatter(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean ``(m,)`` and the scatter ``(m, m)`` of ``features (n, m)``, float64."""
    rows = features.double()
    mean = rows.mean(dim=0)
    centred = (rows - mean).float()
    return mean, (centred.mT @ centred).double()


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


Repenalised = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def repenalised(mean: Tensor, turn: Tensor) -> Repenalised:
    """Return what makes weight ``(d, m)`` and bias ``(d,)`` those of the other penalty.

    The intercept is not penalised: what the mean feature is translated to stays.
    """
    single = turn.float()

    def change(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        other = weight.float() @ single
        return other, (bias.double() + (weight.double() - other.double()) @ mean).float()

    return change
