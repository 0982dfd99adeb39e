"""The last linear layer of a classifier: what the maths needs of it, and nothing else."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from sing_core.maths.head import HeadDecomposition

DRIFT_BUDGET = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class LinearHead:
    """A head ``logits = f W^T + b`` and its principal/null split.

    ``c`` classes, ``m`` features.

    Attributes:
        weight: ``(c, m)`` float32; ``bias`` ``(c,)`` float32.
        head: principal/null split of ``weight``, or of another matrix with the same null space.
        is_exact: False where small singular values count as zero: then a step inside the null
            space does move logits, and the drift is shown instead of refused.
    """

    weight: Tensor
    bias: Tensor
    head: HeadDecomposition
    is_exact: bool = True

    @classmethod
    def from_weight(cls, weight: Tensor, bias: Tensor | None = None) -> Self:
        """Split ``weight`` ``(c, m)``; without a ``bias`` ``(c,)`` there is none, as zeros.

        Raises:
            ShapeError: ``weight`` is not a non-empty matrix.
            HeadError: ``weight`` is not float32 or float64, or not finite.
        """
        offset = torch.zeros(len(weight)) if bias is None else bias
        return cls(weight, offset, HeadDecomposition.from_weight(weight))

    @property
    def drift_budget(self) -> float:
        """How far a null step may move a logit, as a share of the largest.

        A hundred-thousandth; one rounding of a stored weight where the rank cut had to leave such
        roundings out; infinite where a threshold makes drift the price.
        """
        return max(DRIFT_BUDGET, self.head.rounding) if self.is_exact else math.inf

    def logits(self, features: Tensor) -> Tensor:
        """Return ``W f + b`` ``(..., c)`` in the head's own float32 arithmetic."""
        return features.float() @ self.weight.mT + self.bias
